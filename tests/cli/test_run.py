"""`swell run` as a whole: what it prints where, its hooks, keys and signals, and what it leaves behind. No target is
needed: users measure something of their own."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import SWELL, SwellRun

Start = Callable[..., SwellRun]

WORKS = """
    import time
    from swell import User, constant, task

    class Member(User):
        wait_time = constant(0.01)

        @task
        def work(self):
            with self.measure("own", "nap"):
                time.sleep(0.001)
    """


@pytest.fixture
def swell(tmp_path: Path) -> Iterator[Start]:
    started: list[SwellRun] = []

    def start(script: str, *options: str, **more: Any) -> SwellRun:
        folder = tmp_path / f"run-{len(started)}"
        folder.mkdir()
        started.append(SwellRun(folder, script, *options, **more))
        return started[-1]

    yield start
    for run in started:
        run.kill()


def test_a_run_by_time_ends_with_its_table_and_its_document(swell: Start) -> None:
    ended = swell(WORKS, "-u", "4", "-r", "100", "-t", "1s", "-w", "2").finish()
    assert ended.exit_code == ended.documented_exit_code, ended.said
    run, totals = ended.result["run"], ended.result["totals"]
    assert (run["end"], run["duration_s"], run["workers"], totals["users_peak"]) == ("completed", 1.0, 2, 4)
    assert totals["requests"] == ended.result["scenarios"][0]["iterations"] > 100
    assert re.search(r"own nap +\d", ended.stdout)
    assert ended.stderr == ""


def test_the_document_alone_is_on_standard_output_if_asked_for(swell: Start) -> None:
    ended = swell(WORKS + 'print("from the script")\n', "-u", "1", "-t", "0.5s", json_path="-").finish()
    assert json.loads(ended.stdout)["run"]["end"] == "completed"
    assert "own nap" in ended.stderr
    assert "from the script" in ended.stderr


def test_quiet_says_nothing_but_what_users_print(swell: Start) -> None:
    chatty = WORKS.replace("time.sleep", "print('hello from a user'); time.sleep")
    ended = swell(chatty, "-u", "1", "-t", "0.5s", "--quiet").finish()
    assert set(ended.stdout.splitlines()) == {"hello from a user"}
    assert ended.stderr == ""


def test_without_a_terminal_there_is_a_line_every_few_seconds(swell: Start) -> None:
    run = swell(WORKS, "-u", "2", "-t", "6s", "-w", "1")
    run.wait_until(lambda: "0:05/0:06  2 users" in run.said, "the line after 5 s")
    assert run.finish().result["run"]["end"] == "completed"


def test_a_worker_is_called_what_it_is(swell: Start) -> None:
    run = swell(WORKS.replace("work(self):", "work(self):\n            print('at work')"), "-u", "2", "-w", "2")
    run.wait_until(lambda: "at work" in run.said, "work")
    assert all("swell worker-process" in " ".join(worker.cmdline()) for worker in run.workers())
    run.signal(signal.SIGTERM)
    assert run.finish().result["run"]["end"] == "stopped"


def test_nothing_is_left_behind(swell: Start) -> None:
    run = swell(WORKS, "-u", "2", "-t", "0.5s", "-w", "2")
    run.wait_until(lambda: len(run.workers()) == 2, "two workers")
    workers = run.workers()
    command = workers[0].cmdline()
    workplace = Path(command[command.index("--directory") + 1]).parent
    assert workplace.is_dir()
    assert run.finish().result["run"]["end"] == "completed"
    assert not workplace.exists()
    assert not any(worker.is_running() for worker in workers)


def test_an_interrupt_before_the_beginning_ends_it_too(swell: Start) -> None:
    slow = 'import time\nfrom swell import setup\n@setup\ndef prepare():\n    print("preparing", flush=True)\n'
    run = swell(slow + "    time.sleep(60)\n" + "\n".join(line[4:] for line in WORKS.splitlines()), "-u", "2")
    run.wait_until(lambda: "preparing" in run.said, "the setup")
    run.signal_group(signal.SIGINT)
    assert run.finish(10).exit_code == 130


HOOKED = """
    import sys, time
    from swell import StopUser, User, constant, events, setup, task

    PLACE = "worker" if "worker-process" in sys.orig_argv else "controller"

    def listen(name):
        def listener(**arguments):
            print(PLACE, name, *sorted(arguments), flush=True)
            if name == "report_to_master":
                arguments["data"]["sold"] = 3
            if name == "worker_report":
                print("got", arguments["data"], flush=True)
            if name == "spawning_complete":
                print(arguments["user_count"], "users", flush=True)
                raise ValueError("a listener that fails")
        getattr(events, name).add_listener(listener)

    for name in ("init", "test_start", "spawning_complete", "test_stopping", "test_stop", "quitting", "quit",
                 "report_to_master", "worker_report", "worker_connect"):
        listen(name)

    @setup
    def prepare():
        return {"answer": 42}

    class Member(User):
        wait_time = constant(0.05)
        turns = 0

        @task
        def work(self):
            assert self.shared == {"answer": 42}
            self.turns += 1
            if self.turns > 20:
                raise StopUser
    """


def test_hooks_are_called_in_order_where_they_belong(swell: Start) -> None:
    ended = swell(HOOKED, "-u", "1", "-w", "1").finish()
    lines = ended.stdout.splitlines()
    controller = list(dict.fromkeys(line.split()[1] for line in lines if line.startswith("controller ")))
    worker = list(dict.fromkeys(line.split()[1] for line in lines if line.startswith("worker ")))
    assert [name for name in controller if not name.startswith("worker_")] == [
        *("init", "test_start", "spawning_complete", "test_stopping", "test_stop", "quitting", "quit")
    ]
    assert {"worker_connect", "worker_report"} <= set(controller)
    assert [name for name in worker if name != "report_to_master"] == [
        *("init", "test_start", "test_stopping", "test_stop", "quitting")
    ]
    assert "got {'sold': 3}" in lines
    assert "1 users" in lines
    assert "a listener that fails" in ended.stderr
    assert ended.result["exceptions"] == []
    assert ended.result["run"]["end_text"] == "all users have stopped"


def test_a_hook_that_holds_the_controller_up_is_named(swell: Start) -> None:
    stalling = (
        WORKS
        + """
    from swell import events

    @events.spawning_complete.add_listener
    def think_hard(user_count, **_):
        end = time.monotonic() + 1.7
        while time.monotonic() < end:
            pass
    """
    )
    ended = swell(stalling, "-u", "2", "-t", "3s", "-w", "1").finish()
    assert "spawning_complete" in ended.reasons["controller_stalled"]
    assert sum(point["requests"] > 0 for point in ended.result["timeline"]) >= 3


def test_what_a_script_sets_as_exit_code_is_the_exit_code(swell: Start) -> None:
    script = (
        WORKS
        + """
    from swell import events

    @events.quitting.add_listener
    def judge(environment, **_):
        environment.process_exit_code = 17
    """
    )
    assert swell(script, "-u", "1", "-t", "0.3s").finish().exit_code == 17


def test_a_script_can_end_the_run(swell: Start) -> None:
    script = (
        WORKS
        + """
    from swell import events

    @events.spawning_complete.add_listener
    def enough(user_count, **_):
        seen[0].quit()

    seen = []

    @events.init.add_listener
    def remember(environment, **_):
        seen.append(environment.runner)
    """
    )
    ended = swell(script, "-u", "1").finish(15)
    assert (ended.result["run"]["end"], ended.result["run"]["end_text"]) == ("stopped", "the script asked for it")


def test_a_flood_of_output_is_bounded_and_counted(swell: Start) -> None:
    flooding = WORKS.replace("time.sleep(0.001)", "print('flood\\n' * 5_000); time.sleep(0.001)")
    ended = swell(flooding, "-u", "1", "-t", "1s", "-w", "1").finish()
    shown = ended.stdout.splitlines().count("flood")
    lost = ended.result["generator"]["output_lost"]
    assert shown + lost >= 5_000 * ended.result["totals"]["requests"]
    assert 0 < shown < 30_000 < lost


def test_logs_of_users_come_from_the_level_asked_for(swell: Start) -> None:
    logging = WORKS.replace("time.sleep(0.001)", "log.info('noted'); log.warning('warned')").replace(
        "import time", "import logging\n    log = logging.getLogger('shop')"
    )
    ended = swell(logging, "-u", "1", "-t", "0.5s", "--log-level", "WARNING").finish()
    assert set(ended.stderr.splitlines()) == {"WARNING shop: warned"}


def test_a_script_that_fails_in_a_worker_only_is_said_with_its_traceback(swell: Start) -> None:
    script = 'import sys\nif "worker-process" in sys.orig_argv:\n    raise LookupError("only here")\n'
    ended = swell(script + "\n".join(line[4:] for line in WORKS.splitlines()), "-u", "1", "-t", "1s").finish()
    assert ended.exit_code == 2
    assert "script.py:3" in ended.stderr
    assert "LookupError: only here" in ended.stderr
    assert ended.result == {}


def test_a_worker_that_dies_before_the_beginning_is_said_with_its_last_words(swell: Start) -> None:
    script = 'import os, sys\nif "worker-process" in sys.orig_argv:\n    os.write(2, b"out of luck")\n    os._exit(9)\n'
    ended = swell(script + "\n".join(line[4:] for line in WORKS.splitlines()), "-u", "1", "-t", "1s").finish()
    assert ended.exit_code == 4
    assert ended.stderr == "swell: worker 0 ended with exit code 9\nout of luck\n"


def test_the_mix_of_scenarios_follows_the_weights_while_users_are_started(swell: Start) -> None:
    script = """
    from swell import User, constant, task

    class Reader(User):
        weight = 3
        wait_time = constant(60)

        @task
        def start(self):
            with self.measure("start", type(self).__name__):
                pass

    class Writer(Reader):
        weight = 1
    """
    ended = swell(script, "-u", "80", "-r", "40", "-t", "2.5s", "-w", "2").finish()
    started = {series["name"]: series["requests"] for series in ended.result["series"]}
    assert started == {"Reader": 60, "Writer": 20}
    by_second = [point["requests"] for point in ended.result["timeline"]]
    assert all(abs(count - 40) <= 4 for count in by_second[:2]), by_second


def test_a_reader_that_goes_away_does_not_end_the_run(tmp_path: Path) -> None:
    chatty = WORKS.replace("time.sleep", "print('hello', '\\udcff'); time.sleep")
    (tmp_path / "script.py").write_text(textwrap.dedent(chatty))
    command = f"{SWELL} run script.py -u 2 -t 1.5s --json result.json | head -n 1; exit ${{PIPESTATUS[0]}}"
    run = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("hello ?\n", "")
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["run"]["end"], result["run"]["duration_s"]) == ("completed", 1.5)
    assert run.returncode in (0, 5)


class TerminalRun:
    """A run on a terminal of its own."""

    def __init__(self, folder: Path, script: str, *options: str) -> None:
        SwellRun(folder, script, "--help").finish()
        self.result_path = folder / "result.json"
        self._ours, theirs = pty.openpty()
        self.modes = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _ON_TERMINAL, str(SWELL), "run", "script.py", "--json", "result.json", *options],
            cwd=folder,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "40"},
            start_new_session=True,
        )
        self._theirs = theirs
        self.shown = ""
        self._looked_at = 0

    def read_until(self, pattern: str, timeout_s: float = 15.0) -> None:
        """Read on until something is shown that was not there before."""
        deadline_s = time.monotonic() + timeout_s
        os.set_blocking(self._ours, False)
        while not re.search(pattern, self.shown[self._looked_at :]):
            assert time.monotonic() < deadline_s, f"{pattern} was not shown:\n{self.shown}"
            self._read()
            time.sleep(0.02)
        self._looked_at = len(self.shown)

    def _read(self) -> None:
        try:
            self.shown += os.read(self._ours, 65_536).decode(errors="replace")
        except BlockingIOError:
            pass

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def close(self) -> None:
        """As when its window is closed."""
        os.close(self._theirs)
        os.close(self._ours)

    def finish(self) -> int:
        deadline_s = time.monotonic() + 20
        while self.process.poll() is None:
            assert time.monotonic() < deadline_s, self.shown
            self._read()
            time.sleep(0.01)
        self._read()
        assert termios.tcgetattr(self._theirs) == self.modes
        return self.process.returncode


_ON_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.timeout(60)
def test_on_a_terminal_keys_change_the_users_and_what_users_print_stays_above_the_view(tmp_path: Path) -> None:
    chatty = WORKS.replace("time.sleep(0.001)", "self.turns == 3 and print('third'); self.turns += 1").replace(
        "wait_time", "turns = 0\n        wait_time"
    )
    run = TerminalRun(tmp_path, chatty, "-u", "2", "-w", "1")
    run.read_until(r"2/2")
    run.type("wW")
    run.read_until(r"13/13")
    run.type("xs")
    run.read_until(r"12/12")
    run.type("\x03")
    assert run.finish() in (0, 5)  # a noisy machine may make any run late, and so invalid
    result = json.loads(run.result_path.read_text())
    assert [revision["users"] for revision in result["run"]["revisions"]] == [3, 13, 12]
    assert result["run"]["end"] == "stopped"
    assert "third" in run.shown
    assert re.search(r"verdict +(valid|degraded|invalid)", re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", run.shown))


@pytest.mark.timeout(60)
def test_a_terminal_that_is_closed_ends_the_run_with_its_result(tmp_path: Path) -> None:
    run = TerminalRun(tmp_path, WORKS, "-u", "2", "-w", "1")
    run.read_until(r"2/2")
    run.close()
    assert run.process.wait(20) in (0, 5)
    result = json.loads(run.result_path.read_text())
    assert result["run"]["end"] == "stopped"
    assert result["totals"]["requests"] > 0
