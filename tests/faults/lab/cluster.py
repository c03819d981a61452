"""A run whose workers are on other machines: the controller and the target in the centre, supervisors around it.

with cluster(tmp_path, scale, machines=2) as lab:
    lab.run(VISITOR, "-u", "10", "-t", "10s")
    lab.join(0)
    lab.join(1)
    ...
    ended = lab.finish(10)
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from tests.e2e.command import SWELL, Ended, SwellRun
from tests.faults.lab.network import LINK_ADDRESS, TARGET_ADDRESS, Machine, Network, Quality, network
from tests.faults.lab.scale import Scale
from tests.faults.lab.sightings import Sighting, sightings
from tests.faults.lab.visitors import LEDGERS, finished_calls
from tests.targets.nginx import Nginx, nginx

PORT = 5557
"""Of the centre's own network: nobody else can have taken it."""
END_TIMEOUT_S = 15.0
"""After what was planned."""


class Supervisor:
    """`swell worker` on one machine."""

    def __init__(
        self,
        machine: Machine,
        log: Path,
        *options: str,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.machine = machine
        self._log = log
        command = [*machine.prefix, *prefix, str(SWELL), "worker", f"{LINK_ADDRESS}:{PORT}", *options]
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                command,
                cwd=log.parent,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def workers(self) -> list[psutil.Process]:
        """Its worker processes that run."""
        found = []
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self._process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if "worker-process" in child.cmdline():
                        found.append(child)
        return found

    def lose(self) -> None:
        """As a machine that loses its power: its cable is dead, nobody says goodbye, and nothing is left."""
        self.machine.cut()
        workers = self.workers()
        self._process.kill()
        for worker in workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                worker.kill()
        self._process.wait()

    def leave(self) -> None:
        """Ask it to go (SIGTERM), once it has joined."""
        deadline_s = time.monotonic() + END_TIMEOUT_S
        while "joined run" not in self.said:
            assert time.monotonic() < deadline_s, f"a supervisor has not joined:\n{self.said}"
            time.sleep(0.02)
        self._process.send_signal(signal.SIGTERM)

    def wait(self, timeout_s: float = END_TIMEOUT_S) -> int:
        """Its exit code."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"a supervisor did not end within {timeout_s} s:\n{self.said}") from None

    def kill(self) -> None:
        """End it and its workers at once. Harmless when they have ended."""
        for process in [*self.workers(), self._process]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()


class Cluster:
    """One run in a laboratory. `net` is its cables, `target` what it loads, `ledgers` what its users note."""

    def __init__(self, folder: Path, scale: Scale, net: Network, target: Nginx) -> None:
        self.net = net
        self.target = target
        self.supervisors: list[Supervisor] = []
        self._runs: list[SwellRun] = []
        self._folder = folder
        self._scale = scale
        self._key = folder / "cluster.key"
        self.ledgers = folder / "ledgers"
        self.ledgers.mkdir()
        self._listening = ("--listen", f"{LINK_ADDRESS}:{PORT}", "--key", str(self._key))
        self._environment = {LEDGERS: str(self.ledgers)}
        subprocess.run([SWELL, "keygen", self._key], check=True, stdout=subprocess.DEVNULL)

    def run(
        self, script: str, *options: str, expect: int, lease_s: float | None = None, prefix: Sequence[str] = ()
    ) -> SwellRun:
        """Start the controller, in the centre, which waits for `expect` workers."""
        place = self._folder / f"controller-{len(self._runs)}"
        place.mkdir()
        lease_s = self._scale.lease_s if lease_s is None else lease_s
        listening = ("--listen", f"{LINK_ADDRESS}:{PORT}", "--key", str(self._key), "--lease", f"{lease_s:g}s")
        usual = ("-H", self.target.url, "--request-id-header", "X-Request-Id", "--stop-timeout", "2")
        at_once = ("-r", "1000") if "-u" in options else ()  # or else the script says what load there is
        words = (*usual, *at_once, *listening, "--expect-workers", str(expect), *options)
        prefix = (*self.net.centre.prefix, *prefix)
        self._runs.append(SwellRun(place, script, *words, prefix=prefix, environment=self._environment))
        return self._runs[-1]

    def kill_controller(self) -> float:
        """Alone, at once; returns when, by the clock of the target's log."""
        run = self._runs[-1]
        run.signal(signal.SIGKILL)
        killed_s = time.time()
        run.process.wait()
        return killed_s

    def resume(self, timeout_s: float) -> Ended:
        """Have another controller take the run up, and carry it out to its end."""
        place = self._runs[-1].folder
        report = place / "resumed.json"
        words = ("--resume", "latest", "--json", str(report), *self._listening)
        began_s = time.monotonic()
        done = subprocess.run(
            [*self.net.centre.prefix, SWELL, "run", *words],
            cwd=place,
            env={**os.environ, **self._environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )
        result = json.loads(report.read_text()) if report.exists() else {}
        return Ended(done.returncode, done.stdout, done.stderr, result, time.monotonic() - began_s)

    def join(
        self,
        machine: int,
        processes: int = 1,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Supervisor:
        """Start a supervisor on a machine."""
        place = self._folder / f"supervisor-{len(self.supervisors)}"
        place.mkdir()
        options = ("--key", str(self._key), "--processes", str(processes))
        self.supervisors.append(
            Supervisor(
                self.net.machines[machine],
                place / "said",
                *options,
                prefix=prefix,
                environment={**self._environment, **(environment or {})},
            )
        )
        return self.supervisors[-1]

    def wait_for_load(self, users: int, timeout_s: float = 30.0) -> None:
        """Until the target has seen all of them."""
        self._runs[-1].wait_until(
            lambda: {one.user for one in sightings(self.target.log())} >= set(range(users)),
            f"requests of {users} users",
            timeout_s,
        )

    def wait_for_incarnation(self, name: str, timeout_s: float = 30.0) -> None:
        """Until the target has seen users of it."""
        marks = f"/{name}/"
        self._runs[-1].wait_until(
            lambda: any(marks in line.request_id for line in self.target.log()), f"a request of {name}", timeout_s
        )

    def pass_time(self, seconds: float) -> None:
        """While the run goes on."""
        deadline_s = time.monotonic() + seconds
        while time.monotonic() < deadline_s:
            assert self._runs[-1].process.poll() is None, f"the run has ended:\n{self.said}"
            time.sleep(min(0.1, seconds))

    def stop(self) -> Ended:
        """Have the run end now, as Ctrl-C would."""
        self._runs[-1].signal(signal.SIGTERM)
        return self.finish(END_TIMEOUT_S)

    def finish(self, run_s: float) -> Ended:
        """The end of the run, which is to take so long."""
        return self._runs[-1].finish(run_s + END_TIMEOUT_S)

    def rest(self, seconds: float) -> None:
        """Without a controller."""
        time.sleep(seconds)

    @property
    def said(self) -> str:
        """Everybody's words."""
        supervisors = (f"--- supervisor {number}\n{one.said}" for number, one in enumerate(self.supervisors))
        return "\n".join([*(run.said for run in self._runs), *supervisors])

    def seen(self) -> list[Sighting]:
        """What the target has seen, all of it: it ends here."""
        self.target.stop()
        return sightings(self.target.log())

    def finished(self) -> dict[str, int]:
        """What users know they have finished."""
        return finished_calls(self.ledgers)

    def end(self) -> None:
        """Whatever still runs."""
        for run in self._runs:
            run.kill()
        for supervisor in self.supervisors:
            supervisor.kill()


@contextlib.contextmanager
def cluster(folder: Path, scale: Scale, machines: int, qualities: Sequence[Quality] = ()) -> Iterator[Cluster]:
    """A laboratory for one run. Everything ends with the block."""
    with (
        network(machines, qualities) as net,
        nginx(host=TARGET_ADDRESS, bind=net.centre.within) as target,
        contextlib.ExitStack() as stack,
    ):
        made = Cluster(folder, scale, net, target)
        stack.callback(made.end)
        try:
            yield made
        except BaseException:
            print(made.said)
            raise
