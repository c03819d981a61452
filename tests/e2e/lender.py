"""`swell worker`, as a user starts it on another machine: in a process of its own, in a folder where no script is.

worker = SwellWorker(folder, address, "--processes", "2")
ended = worker.finish()     # ended.exit_code, ended.said
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from tests.e2e.command import END_TIMEOUT_S, START_TIMEOUT_S, SWELL, SwellRun


@dataclasses.dataclass(frozen=True, slots=True)
class WorkerEnded:
    """How a supervisor ended, and all that it said."""

    exit_code: int
    said: str


class SwellWorker:
    """A supervisor, started."""

    def __init__(self, folder: Path, address: str, *options: str, environment: Mapping[str, str] | None = None) -> None:
        folder.mkdir()
        self._log = folder / "said"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(SWELL), "worker", address, *options],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self._log.read_text(errors="replace")

    def workers(self) -> list[psutil.Process]:
        """Its worker processes."""
        found = []
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if "worker-process" in child.cmdline():
                        found.append(child)
        return found

    def signal(self, number: signal.Signals) -> None:
        """To the supervisor alone."""
        self.process.send_signal(number)

    def wait_until(self, condition: Callable[[], object], what: str, timeout_s: float = START_TIMEOUT_S) -> None:
        """Look often until `condition` holds."""
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < deadline_s, f"{what} did not come within {timeout_s} s:\n{self.said}"
            time.sleep(0.02)

    def finish(self, timeout_s: float = END_TIMEOUT_S) -> WorkerEnded:
        """Wait for the end."""
        try:
            exit_code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the supervisor did not end within {timeout_s} s:\n{self.said}") from None
        return WorkerEnded(exit_code, self.said)

    def kill(self) -> None:
        """End it at once; its workers die with it. Harmless when it has ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def address_of(run: SwellRun) -> str:
    """Where a run listens that was given port 0."""
    pattern = re.compile(r"listening at (\S+?:\d+)")
    run.wait_until(lambda: pattern.search(run.said), "where it listens")
    found = pattern.search(run.said)
    assert found is not None
    return found[1]
