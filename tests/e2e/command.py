"""The installed command, as a user runs it: in a process of its own, on a script, its JSON document read at the end.

run = SwellRun(folder, SCRIPT, "-H", nginx.url, "-u", "10", "-t", "2s")
ended = run.finish()        # ended.exit_code, ended.result["totals"]["requests"], ended.stderr
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

SWELL = Path(sys.executable).with_name("swell")
START_TIMEOUT_S = 15.0
END_TIMEOUT_S = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended, and all that it said. `took_s` is from its call to its exit."""

    exit_code: int
    stdout: str
    stderr: str
    result: dict[str, Any]
    """The document; empty where none was written."""
    took_s: float

    @property
    def said(self) -> str:
        """Both streams."""
        return self.stdout + self.stderr

    @property
    def reasons(self) -> dict[str, str]:
        """The verdict's reasons: code and text."""
        return {reason["code"]: reason["text"] for reason in self.result["verdict"]["reasons"]}

    @property
    def documented_exit_code(self) -> int:
        """What the exit code has to be by the document: a noisy machine may make any run late, and so invalid."""
        verdict = self.result["verdict"]
        if verdict["state"] == "invalid" or any(reason["own_fault"] for reason in verdict["reasons"]):
            return 5
        return int(self.result["totals"]["failures"] > 0)

    def check_sums(self) -> None:
        """What must hold of every account in which no worker was lost."""
        accounting, totals, series = (self.result[key] for key in ("accounting", "totals", "series"))
        assert accounting["sent"] == accounting["answered"] + accounting["unanswered"]
        assert accounting["unaccounted"] == 0
        for key in ("sent", "answered", "unanswered"):
            assert accounting[key] == sum(worker[key] for worker in self.result["workers"])
        assert totals["requests"] == sum(one["requests"] for one in series)
        assert totals["failures"] == sum(one["failures"] for one in series)
        assert totals["failures"] == sum(error["count"] for error in self.result["errors"])

    def series(self, name: str) -> dict[str, Any]:
        """The one series of that name."""
        (found,) = (series for series in self.result["series"] if series["name"] == name)
        return found

    def errors(self) -> dict[tuple[str, str], int]:
        """How often each (series name, error text) was counted."""
        return {(error["name"], error["error"]): error["count"] for error in self.result["errors"]}


class SwellRun:
    """`swell run` on a script, started. It leads a process group of its own, as under a shell."""

    def __init__(
        self,
        folder: Path,
        script: str,
        *options: str,
        prefix: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        json_path: str | None = None,
    ) -> None:
        self._folder = folder
        self._began_s = time.monotonic()
        self._json_path = folder / "result.json"
        (folder / "script.py").write_text(textwrap.dedent(script))
        command = [*prefix, str(SWELL), "run", "script.py", "--json", json_path or str(self._json_path), *options]
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    @property
    def folder(self) -> Path:
        """Where it runs."""
        return self._folder

    @property
    def pid(self) -> int:
        """The controller's, also the process group's."""
        return self.process.pid

    @property
    def said(self) -> str:
        """Both streams, so far."""
        return self._text("stdout") + self._text("stderr")

    def workers(self) -> list[psutil.Process]:
        """The worker processes that run."""
        found = []
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if "worker-process" in child.cmdline():
                        found.append(child)
        return found

    def wait_until(self, condition: Callable[[], object], what: str, timeout_s: float = START_TIMEOUT_S) -> None:
        """Look often until `condition` holds. Fails when the run has ended, or after the time-out."""
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            assert self.process.poll() is None, f"the run ended before {what}:\n{self.said}"
            assert time.monotonic() < deadline_s, f"{what} did not come within {timeout_s} s:\n{self.said}"
            time.sleep(0.02)

    def signal(self, number: signal.Signals) -> None:
        """To the controller alone."""
        self.process.send_signal(number)

    def signal_group(self, number: signal.Signals) -> None:
        """To controller and workers, as a terminal does."""
        os.killpg(self.pid, number)

    def finish(self, timeout_s: float = END_TIMEOUT_S) -> Ended:
        """Wait for the end."""
        try:
            exit_code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the run did not end within {timeout_s} s:\n{self.said}") from None
        took_s = time.monotonic() - self._began_s
        result = json.loads(self._json_path.read_text()) if self._json_path.exists() else {}
        return Ended(exit_code, self._text("stdout"), self._text("stderr"), result, took_s)

    def kill(self) -> None:
        """End controller and workers at once. Harmless when they have ended."""
        if self.process.poll() is None:
            for worker in self.workers():
                with contextlib.suppress(psutil.NoSuchProcess):
                    worker.kill()
            self.process.kill()
            self.process.wait()

    def _text(self, name: str) -> str:
        return (self._folder / name).read_text(errors="replace")
