"""Frames that are wrong, each sent by a peer that has the key to a controller whose run goes on: refused and counted by
kind, and the run is as it was. Each has a twin without the fault, which does change something."""

from __future__ import annotations

import random
from collections.abc import Iterator

import gevent
import msgspec
import pytest
import zmq.green

from swell.cluster.controller import Controller
from swell.cluster.controller_state import ControllerState
from swell.cluster.controller_steps import Cleared
from swell.cluster.course_state import Phase
from swell.cluster.key import new_key
from swell.cluster.link import RouterLink
from swell.cluster.messages import (
    FRAME_BYTES_MAX,
    Dismiss,
    Hello,
    Message,
    Output,
    Pulse,
    Welcome,
    WorkerPhase,
    decode_from_controller,
    encode,
)
from swell.cluster.sockets import Timing, as_client, tune
from swell.result import Refusal, RefusedCount
from swell.runtime.real_clock import RealClock
from swell.stats.summary import summarise
from tests.cluster.hostile_frames import FRAMES, GOOD, PULSE, SEVERAL_PARTS, SHOWN
from tests.cluster.simulated import RUN, plan_of
from tests.cluster.test_link import LOOPBACK, endpoint_of, wait_for

KEY = new_key()


class Silence:
    """Launches and audience of a run whose workers are this test."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, ...]] = []

    def launch(self, worker: int, incarnation: int) -> None: ...

    def kill(self, worker: int, incarnation: int) -> None: ...

    def begun(self, begin_ns: int) -> None: ...

    def spawned(self, users: int) -> None: ...

    def joined(self, worker: int, incarnation: int) -> None: ...

    def lost(self, worker: int, incarnation: int, because: str) -> None: ...

    def ending(self) -> None: ...

    def note(self, text: str) -> None: ...

    def show(self, worker: int, lines: tuple[str, ...], error: bool) -> None:
        self.shown.append(lines)

    def deliver(self, worker: int, data: bytes) -> None: ...


class Peer:
    """Somebody with the key, who may send whatever there is."""

    def __init__(self, context: zmq.green.Context, endpoint: str, identity: bytes) -> None:
        self.socket = context.socket(zmq.DEALER)
        tune(self.socket, Timing(lease_s=1.0))
        as_client(self.socket, KEY)
        self.socket.set(zmq.IDENTITY, identity)
        self.socket.set(zmq.LINGER, 0)
        self.socket.connect(endpoint)

    def say(self, message: Message) -> None:
        self.socket.send(encode(message))


class GoingRun:
    """A controller in the middle of a run; workers 0 and 1 are in it."""

    def __init__(self) -> None:
        self.link = RouterLink("", LOOPBACK, KEY)
        plan = plan_of(users=4, workers=2, run_time_s=3_600.0)
        self.state = ControllerState(RUN, plan, Welcome(plan))
        self.silence = Silence()
        self.controller = Controller(
            self.state, self.link, self.silence, RealClock(), self.silence, lambda *_, **__: ()
        )
        self.controller.tell(Cleared())
        self._running = gevent.spawn(self.controller.run)
        self._context = zmq.green.Context()
        self.good, self.bad = (self.peer(name) for name in (b"0.1", b"1.1"))
        for worker, peer in enumerate((self.good, self.bad)):
            peer.say(Hello(RUN, worker, 1, "here", 1))
            peer.say(Pulse(WorkerPhase.READY, 0, 0, sent_ns=1))
        wait_for(lambda: self.state.phase is Phase.RUNNING)
        for peer in (self.good, self.bad):
            peer.say(Pulse(WorkerPhase.RUNNING, 2, 0, sent_ns=2))
        wait_for(lambda: all(member.phase is WorkerPhase.RUNNING for member in self.state.members))

    def peer(self, identity: bytes) -> Peer:
        return Peer(self._context, endpoint_of(self.link), identity)

    @property
    def refused(self) -> tuple[RefusedCount, ...]:
        self.controller._tell_of_link()
        return summarise(self.controller.merge.snapshot(9.0)).cluster.refused

    def state_of_it(self) -> object:
        """All that a frame could change."""
        result = self.controller.merge.snapshot(9.0)
        result = msgspec.structs.replace(result, controller=msgspec.structs.replace(result.controller, link=None))
        members = [(repr(member), member.idle) for member in self.state.members]
        return members, repr(self.state.course), result, list(self.silence.shown)

    def close(self) -> None:
        assert not self._running.ready(), "the controller has ended"
        self.state.check()
        self._running.kill()
        for peer in (self.good, self.bad):
            peer.socket.close(linger=0)
        self._context.destroy(linger=0)
        self.link.close()


@pytest.fixture
def run() -> Iterator[GoingRun]:
    going = GoingRun()
    yield going
    going.close()


@pytest.mark.parametrize(("kind", "wrong", "right"), FRAMES.values(), ids=FRAMES.keys())
def test_a_wrong_frame_is_counted_and_changes_nothing(run: GoingRun, kind: Refusal, wrong: bytes, right: bytes) -> None:
    before = run.state_of_it()
    run.bad.socket.send(wrong)
    wait_for(lambda: run.refused)
    assert run.refused == (RefusedCount(kind, "1.1", 1),)
    assert run.state_of_it() == before
    run.bad.socket.send(right)
    wait_for(lambda: run.state_of_it() != before)
    assert run.refused == (RefusedCount(kind, "1.1", 1),)


def test_a_message_in_several_parts_is_counted_and_changes_nothing(run: GoingRun) -> None:
    before = run.state_of_it()
    run.bad.socket.send_multipart(SEVERAL_PARTS)
    wait_for(lambda: run.refused)
    assert run.refused == (RefusedCount(Refusal.PARTS, "1.1", 1),)
    assert run.state_of_it() == before
    run.bad.socket.send_multipart([encode(PULSE)])
    wait_for(lambda: run.state_of_it() != before)


def test_a_frame_far_too_long_costs_its_connection_and_nobody_elses(run: GoingRun) -> None:
    before = run.state_of_it()
    run.bad.socket.send(bytes(2 * FRAME_BYTES_MAX))
    wait_for(lambda: run.link.counts().ended)
    assert run.state_of_it() == before
    run.good.say(msgspec.structs.replace(GOOD, worker=0))
    wait_for(lambda: run.state_of_it() != before)


def test_somebody_whom_nobody_has_called_is_counted_and_changes_nothing(run: GoingRun) -> None:
    before = run.state_of_it()
    stranger = run.peer(b"7.1")
    for message in (PULSE, SHOWN, msgspec.structs.replace(GOOD, worker=7), Hello(RUN, 7, 1, "there", 2)):
        stranger.say(message)
    wait_for(lambda: sum(count.count for count in run.refused) == 4)
    assert run.refused == (RefusedCount(Refusal.UNKNOWN_SENDER, "7.1", 4),)
    assert run.state_of_it() == before
    stranger.socket.close(linger=0)


def test_whoever_takes_the_name_of_a_worker_is_sent_away_and_the_worker_goes_on(run: GoingRun) -> None:
    """The link gives the name to who came last, so the controller asks who it is. The worker's own connection is not
    read any more; it notices that by the heartbeat, and connects again."""
    before = run.state_of_it()
    impostor = run.peer(b"1.1")
    impostor.say(Hello(RUN, 1, 1, "there", 2))
    with gevent.Timeout(10):
        answer = decode_from_controller(impostor.socket.recv())
    assert answer == Dismiss("worker 1.1 is another process")
    assert run.refused == (RefusedCount(Refusal.OTHER_INCARNATION, "1.1", 1),)
    assert run.state_of_it() == before
    impostor.socket.close(linger=0)
    with gevent.Timeout(10):
        while run.state.members.present[1].applied == 0:
            run.bad.say(GOOD)
            gevent.sleep(0.05)


def test_frames_with_bytes_changed_at_random_never_end_the_controller(run: GoingRun) -> None:
    chance = random.Random(3)
    frames = [right for _, _, right in FRAMES.values()] + [wrong for _, wrong, _ in FRAMES.values() if len(wrong) < 999]
    for number in range(3_000):
        content = bytearray(chance.choice(frames))
        for _ in range(chance.randint(1, 4)):
            if content:
                content[chance.randrange(len(content))] = chance.randrange(256)
        run.bad.socket.send(bytes(content))
        if number % 100 == 0:
            gevent.sleep(0)
    run.good.say(Output(("the end",)))
    wait_for(lambda: ("the end",) in run.silence.shown)
    wait_for(lambda: sum(count.count for count in run.refused) > 1_000)
    run.good.say(msgspec.structs.replace(GOOD, worker=0))
    wait_for(lambda: run.state.members.present[0].applied == 1)
