"""Processes that are really started, seen to end, and killed."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest
from gevent.event import Event

from swell.cluster.launcher import Launcher, how_it_ended, python_command
from swell.cluster.worker_steps import FENCED_EXIT_CODE
from swell.errors import RunFailed


class Ends:
    """What a launcher said of its processes' ends."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int, str, str]] = []
        self._one = Event()

    def __call__(self, worker: int, incarnation: int, because: str, output: str) -> None:
        self.seen.append((worker, incarnation, because, output))
        self._one.set()

    def wait(self, count: int = 1) -> list[tuple[int, int, str, str]]:
        with gevent.Timeout(10):
            while len(self.seen) < count:
                self._one.clear()
                self._one.wait()
        return self.seen


@pytest.fixture
def ends() -> Ends:
    return Ends()


@pytest.fixture
def launchers(ends: Ends) -> Iterator[list[Launcher]]:
    opened: list[Launcher] = []
    yield opened
    for launcher in opened:
        launcher.kill_all()
        assert launcher.wait_ended(10)


def launcher_of(launchers: list[Launcher], ends: Ends, code: str) -> Launcher:
    launcher = Launcher(lambda worker, incarnation: [sys.executable, "-c", code], os.environ)
    launcher.attend(ends)
    launchers.append(launcher)
    return launcher


def test_what_a_process_is_told_is_on_its_standard_input_and_nowhere_else(
    launchers: list[Launcher], ends: Ends
) -> None:
    code = "import os, sys; print(sys.stdin.read(), 'secret' in ' '.join([*sys.argv, *os.environ.values()]))"
    launcher = Launcher(lambda worker, incarnation: [sys.executable, "-c", code], os.environ, told=b"a secret")
    launcher.attend(ends)
    launchers.append(launcher)
    launcher.launch(0, 1)
    assert ends.wait() == [(0, 1, "ended with exit code 0", "a secret False")]


def test_without_anything_to_be_told_standard_input_is_empty(launchers: list[Launcher], ends: Ends) -> None:
    launcher = launcher_of(launchers, ends, "import sys; print(repr(sys.stdin.read()))")
    launcher.launch(0, 1)
    assert ends.wait() == [(0, 1, "ended with exit code 0", "''")]


def test_an_end_is_seen_with_its_exit_code_and_the_last_words(launchers: list[Launcher], ends: Ends) -> None:
    launcher = launcher_of(launchers, ends, "import sys; print('out'); sys.stdout.flush(); sys.exit('no such thing')")
    launcher.launch(0, 1)
    assert ends.wait() == [(0, 1, "ended with exit code 1", "out\nno such thing")]
    assert launcher.pids() == {}


def test_a_kill_is_seen_at_once(launchers: list[Launcher], ends: Ends) -> None:
    launcher = launcher_of(launchers, ends, "import time; time.sleep(60)")
    launcher.launch(3, 2)
    launcher.kill(3, 2)
    assert ends.wait() == [(3, 2, "was killed by signal 9", "")]
    launcher.kill(3, 2)


def test_a_process_is_started_once(launchers: list[Launcher], ends: Ends) -> None:
    launcher = launcher_of(launchers, ends, "import time; time.sleep(60)")
    launcher.launch(0, 1)
    pids = launcher.pids()
    launcher.launch(0, 1)
    assert launcher.pids() == pids
    launcher.launch(0, 2)
    assert len(launcher.pids()) == 2


def test_an_interrupt_before_it_has_come_to_itself_does_not_end_it(launchers: list[Launcher], ends: Ends) -> None:
    launcher = launcher_of(launchers, ends, "print('alive')")
    launcher.launch(0, 1)
    os.kill(launcher.pids()[0, 1], 2)
    assert ends.wait() == [(0, 1, "ended with exit code 0", "alive")]


def test_only_the_last_of_much_output_is_kept(launchers: list[Launcher], ends: Ends) -> None:
    launcher = launcher_of(launchers, ends, "print('x' * 1_000_000 + 'end')")
    launcher.launch(0, 1)
    ((_, _, because, output),) = ends.wait()
    assert (because, len(output) < 20_000, output[-4:]) == ("ended with exit code 0", True, "xend")


def test_it_has_nothing_to_read_and_the_given_environment(launchers: list[Launcher], ends: Ends) -> None:
    code = "import os, sys; print(repr(sys.stdin.read()), sorted(set(os.environ) - {'LC_CTYPE'}))"
    launcher = Launcher(lambda worker, incarnation: [sys.executable, "-c", code], {"SWELL_X": "1"})
    launcher.attend(ends)
    launchers.append(launcher)
    launcher.launch(0, 1)
    assert ends.wait()[0][3] == "'' ['SWELL_X']"


def test_an_end_that_nobody_attended_to_is_told_later(launchers: list[Launcher], ends: Ends) -> None:
    launcher = Launcher(lambda worker, incarnation: [sys.executable, "-c", ""], os.environ)
    launchers.append(launcher)
    launcher.launch(0, 1)
    assert launcher.wait_ended(10)
    launcher.attend(ends)
    assert ends.seen == [(0, 1, "ended with exit code 0", "")]


def test_a_process_that_cannot_be_started_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    launcher = Launcher(lambda worker, incarnation: ["nothing"], os.environ)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(RunFailed, match="cannot start a worker process: No such file"):
        launcher.launch(0, 1)


def test_the_command_line_says_what_it_is() -> None:
    assert "swell worker-process" in " ".join(python_command(Path("x"), "--worker", "1"))


def test_a_wait_status_in_words() -> None:
    assert how_it_ended(9) == "was killed by signal 9"
    assert how_it_ended(5 << 8) == "ended with exit code 5"
    assert how_it_ended(FENCED_EXIT_CODE << 8) == "lost its lease"


def test_a_process_can_be_asked_to_leave_and_is_told_when_it_can_answer(launchers: list[Launcher], ends: Ends) -> None:
    listening = "signal.signal(15, lambda *_: sys.exit(7)); signal.pthread_sigmask(signal.SIG_UNBLOCK, {15})"
    launcher = launcher_of(launchers, ends, f"import signal, sys, time; {listening}; time.sleep(60)")
    launcher.launch(0, 1)
    launcher.terminate(0, 1)
    assert ends.wait() == [(0, 1, "ended with exit code 7", "")]
    launcher.terminate(0, 1)
