"""A run on a terminal: keys, what users print, and a terminal or a reader that goes away."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import termios
import textwrap
import time
from pathlib import Path

import pytest

from tests.cli.working import WORKS
from tests.e2e.command import SWELL, SwellRun


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
