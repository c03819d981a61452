"""Plays the workers of a cluster: each is swell's own `WorkerState` with two sockets of its own, all in one process.

What a worker decides is thus real: when it greets, sends a pulse, sends a report again, gives its lease up. What it
would measure is made beforehand. Pulses are spread over the second, reports all come at its end, as those of real
workers do. Each second one line of JSON tells how the workers fared, a last one what they have sent.

    python bench/played_workers.py ENDPOINT WORKERS FILE
"""

import argparse
import dataclasses
import heapq
import json
import os
import select
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TextIO

import numpy as np
import zmq
from rig import ROOT, raise_open_files
from scale_controller import KEY

sys.path.insert(0, str(ROOT))

from swell.clock import NS_PER_S
from swell.cluster import worker_steps as steps
from swell.cluster.member_state import identity_of, pulse_identity_of
from swell.cluster.messages import (
    Acknowledge,
    FromWorker,
    Hello,
    Lease,
    Pulse,
    Welcome,
    WorkerPhase,
    decode_from_controller,
    encode,
)
from swell.cluster.sockets import Timing, as_client, tune
from swell.cluster.user_steps import LeaveUser
from swell.cluster.worker import SEAL_DELAY_NS
from swell.cluster.worker_state import WorkerState
from swell.segment import Counters, Health, Kind, ScenarioCount, SecondBlock, Segment, SeriesName

RUN = "scale"
SCENARIO = "User"
SERIES = 50
KINDS = (Kind.RESPONSE, Kind.SERVICE)
BUCKETS_EACH = 30
CALLS_PER_REPORT = SERIES * BUCKETS_EACH
VARIANTS = 16
NS_PER_MS = 1_000_000


def a_block(random: np.random.Generator) -> SecondBlock:
    """What a worker counted in a second: in each series 30 calls, no two in the same bucket."""
    cells = np.array([number << 4 | kind for number in range(1, SERIES + 1) for kind in KINDS], dtype=np.uint32)
    steps_up = random.integers(1, 40, (len(cells), BUCKETS_EACH), dtype=np.uint32)
    buckets = 1_500 + np.cumsum(steps_up, axis=1, dtype=np.uint32)
    numbers = np.arange(1, SERIES + 1, dtype=np.uint64)
    return SecondBlock(
        second=0,
        hist_keys=(cells[:, None] << 13 | buckets).astype("<u4").tobytes(),
        hist_counts=np.ones(buckets.size, "<u4").tobytes(),
        sum_keys=cells.astype("<u4").tobytes(),
        sums=np.full(3 * len(cells), 10**6, "<u8").tobytes(),
        tally_keys=(numbers << np.uint64(40) | np.uint64(200 << 24)).astype("<u8").tobytes(),
        tally_counts=np.full(SERIES, BUCKETS_EACH, "<u4").tobytes(),
        byte_keys=numbers.astype("<u4").tobytes(),
        byte_sums=np.full(2 * SERIES, 1_000, "<u8").tobytes(),
    )


@dataclasses.dataclass
class Second:
    """How the workers fared in one second of the clock."""

    acknowledged: list[int] = dataclasses.field(default_factory=list)
    """Of each report that was acknowledged, how long after it was sent first, in ns."""
    leased: list[int] = dataclasses.field(default_factory=list)
    """Of each lease that was renewed, how long after the pulse, in ns."""
    sent: Counter[str] = dataclasses.field(default_factory=Counter)


class PlayedWorker:
    """One worker."""

    def __init__(self, troupe: "Troupe", worker: int) -> None:
        self.troupe = troupe
        identity = identity_of(worker, 1)
        self.state = WorkerState(Hello(RUN, worker, 1, f"machine-{worker % 100}", os.getpid()))
        self.reports = troupe.socket(self, identity)
        self.pulses = troupe.socket(self, pulse_identity_of(identity))
        self.block = troupe.blocks[worker % VARIANTS]
        self.sealed = self.calls = 0
        self.over = False
        self.first_sent_ns: dict[int, int] = {}
        self.spool: dict[int, Segment] = {}
        names = np.random.default_rng(worker).permutation(SERIES)
        self.series = tuple(SeriesName(number + 1, SCENARIO, "GET", f"/{names[number]}") for number in range(SERIES))

    def step(self, event: steps.Event) -> None:
        now_ns = time.monotonic_ns()
        for command in self.state.handle(event, now_ns):
            self.do(command, now_ns)

    def do(self, command: steps.Command, now_ns: int) -> None:
        match command:
            case steps.Send(message):
                self.say(message, now_ns)
            case steps.SendSpooled(sequence):
                self.say(self.spool[sequence], now_ns)
            case steps.Forget(sequence):
                for forgotten in [kept for kept in self.spool if kept <= sequence]:
                    del self.spool[forgotten]
            case steps.Prepare(welcome):
                self.troupe.welcomed(welcome)
                self.step(steps.Loaded())
            case steps.WarmUp():
                self.step(steps.WarmedUp())
            case LeaveUser(number):
                self.step(steps.UserGone(number))
            case steps.SealFinal():
                self.seal(final=True)
            case steps.Exit():
                self.over = True
            case _:
                pass

    def say(self, message: FromWorker, now_ns: int) -> None:
        sent = self.troupe.second.sent
        if isinstance(message, Segment):
            sent["again" if message.sequence in self.first_sent_ns else "reports"] += 1
            self.first_sent_ns.setdefault(message.sequence, now_ns)
        else:
            sent["pulses" if isinstance(message, Pulse) else "others"] += 1
        socket = self.pulses if isinstance(message, Pulse) else self.reports
        try:
            socket.send(encode(message), zmq.NOBLOCK)
        except zmq.Again:
            sent["held up"] += 1

    def seal(self, *, final: bool = False) -> None:
        """Report the second that is over; the last report has no calls, so that every second has the same."""
        begin_ns, first = self.state.orders.begin_ns or 0, not self.sealed
        self.sealed += 1
        before, self.calls = self.calls, self.calls + (not final) * CALLS_PER_REPORT
        segment = self.spool[self.sealed] = Segment(
            run=RUN,
            worker=self.state.hello.worker,
            incarnation=1,
            sequence=self.sealed,
            from_position=before,
            to_position=self.calls,
            sealed_s=max(time.monotonic_ns() - begin_ns, 0) / NS_PER_S,
            seconds=() if final else (with_second(self.block, self.sealed - 1),),
            series=self.series if first else (),
            counters=Counters(sent=self.calls, answered=self.calls),
            scenarios=(ScenarioCount(SCENARIO, 0 if final else 10, 10, iterations=self.sealed),),
            health=Health(cpu=0.5 + self.sealed % 7 / 100, loop_lag_p99_ms=1.0, fds=20, rss_bytes=60 << 20),
            final=final,
        )
        self.step(steps.Sealed(segment))

    def hear(self, socket: zmq.Socket[bytes]) -> None:
        """Everything that has come. What ZeroMQ has to say of a socket is said once: nothing may be left."""
        while True:
            try:
                frame = socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            message = decode_from_controller(frame)
            now_ns = time.monotonic_ns()
            if isinstance(message, Acknowledge):
                for sequence in [sent for sent in self.first_sent_ns if sent <= message.sequence]:
                    self.troupe.second.acknowledged.append(now_ns - self.first_sent_ns.pop(sequence))
            elif isinstance(message, Lease):
                self.troupe.second.leased.append(now_ns - message.sent_ns)
            self.step(steps.Heard(message))


def with_second(block: SecondBlock, second: int) -> SecondBlock:
    return SecondBlock(second, *(getattr(block, name) for name in SecondBlock.__struct_fields__[1:]))


class Troupe:
    """All of them, and what they are waiting for."""

    def __init__(self, endpoint: str, workers: int, *, curve: bool = False) -> None:
        raise_open_files()
        self.context = zmq.Context(io_threads=1)
        self.context.set(zmq.MAX_SOCKETS, 2 * workers + 16)
        self.endpoint = endpoint
        self.curve = curve
        self.epoll = select.epoll()
        self.by_fd: dict[int, tuple[PlayedWorker, zmq.Socket[bytes]]] = {}
        self.second = Second()
        self.pulse_interval_ns = self.report_interval_ns = NS_PER_S
        random = np.random.default_rng(7)
        self.blocks = [a_block(random) for _ in range(VARIANTS)]
        self.workers = [PlayedWorker(self, worker) for worker in range(workers)]

    def socket(self, worker: PlayedWorker, identity: bytes) -> zmq.Socket[bytes]:
        made: zmq.Socket[bytes] = self.context.socket(zmq.DEALER)
        made.setsockopt(zmq.IDENTITY, identity)
        tune(made, Timing())
        if self.curve:
            as_client(made, KEY)
        made.connect(self.endpoint)
        self.by_fd[made.FD] = worker, made
        self.epoll.register(made.FD, select.EPOLLIN | select.EPOLLET)
        return made

    def welcomed(self, welcome: Welcome) -> None:
        self.pulse_interval_ns = round(welcome.pulse_interval_s * NS_PER_S)
        self.report_interval_ns = round(welcome.report_interval_s * NS_PER_S)

    def play(self, out: TextIO) -> None:
        """Until nobody is left."""
        now_ns = time.monotonic_ns()
        due = [(now_ns + place * NS_PER_S // len(self.workers), place) for place in range(len(self.workers))]
        heapq.heapify(due)
        told_ns, report_ns = now_ns + NS_PER_S, 0
        while any(not worker.over for worker in self.workers):
            now_ns = time.monotonic_ns()
            for fd, _ in self.epoll.poll(max(min(due[0][0], told_ns, report_ns or told_ns) - now_ns, 0) / NS_PER_S):
                worker, socket = self.by_fd[fd]
                worker.hear(socket)
            now_ns = time.monotonic_ns()
            while due[0][0] <= now_ns:
                due_ns, place = heapq.heappop(due)
                heapq.heappush(due, (max(due_ns + self.pulse_interval_ns, now_ns), place))
                self.pulse(self.workers[place])
            report_ns = self.report(report_ns, now_ns)
            if now_ns >= told_ns:
                self.tell(out, now_ns)
                told_ns += NS_PER_S
        self.tell(out, now_ns)

    def pulse(self, worker: PlayedWorker) -> None:
        if not worker.over:
            worker.step(steps.PulseDue())
            self.hear_both(worker)

    def report(self, due_ns: int, now_ns: int) -> int:
        """All report at the same moment; returns when the next one is."""
        begin_ns = next((one.state.orders.begin_ns for one in self.workers if one.state.orders.begin_ns), None)
        if begin_ns is None or now_ns < due_ns:
            return due_ns
        if due_ns:
            for worker in self.workers:
                if worker.state.phase is WorkerPhase.RUNNING:
                    worker.seal()
                if not worker.over:
                    worker.step(steps.Woke())
                    self.hear_both(worker)
        interval_ns = self.report_interval_ns
        turn = (now_ns - begin_ns - SEAL_DELAY_NS) // interval_ns + 1
        return begin_ns + turn * interval_ns + SEAL_DELAY_NS

    def hear_both(self, worker: PlayedWorker) -> None:
        """Sending may have swallowed what would have been said of a socket."""
        worker.hear(worker.reports)
        worker.hear(worker.pulses)

    def tell(self, out: TextIO, now_ns: int) -> None:
        second, self.second = self.second, Second()
        waiting = [sent_ns for worker in self.workers for sent_ns in worker.first_sent_ns.values()]
        phases = Counter(worker.state.phase.value for worker in self.workers)
        line = {
            "at_ns": now_ns,
            "phases": phases,
            "sent": second.sent,
            "acknowledged_ms": [round(took_ns / NS_PER_MS, 1) for took_ns in second.acknowledged],
            "leased_ms": [round(took_ns / NS_PER_MS, 1) for took_ns in second.leased],
            "waiting": len(waiting),
            "oldest_ms": round((now_ns - min(waiting, default=now_ns)) / NS_PER_MS, 1),
            "sealed": sum(worker.sealed for worker in self.workers),
            "calls": sum(worker.calls for worker in self.workers),
            "over": sum(worker.over for worker in self.workers),
        }
        out.write(json.dumps(line) + "\n")
        out.flush()

    def close(self) -> None:
        for _, socket in self.by_fd.values():
            socket.close(linger=0)
        self.context.term()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("endpoint")
    parser.add_argument("workers", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--curve", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    troupe = Troupe(options.endpoint, options.workers, curve=options.curve)
    try:
        with options.file.open("w") as out:
            troupe.play(out)
    finally:
        troupe.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
