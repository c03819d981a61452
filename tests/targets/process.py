"""A target in a process of its own: nothing that a test does to its own process, patching included, touches it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

REPOSITORY = Path(__file__).parents[2]
STOP_TIMEOUT_S = 5
Entry = TypeVar("Entry", bound=msgspec.Struct)


class TargetProcess:
    """Runs `python -m module args...`, which prints one line when it is ready and ends when its stdin does.

    So it also ends, at once, with a test run that is killed.
    """

    def __init__(self, module: str, *args: str, pass_fds: Sequence[int] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *args],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            pass_fds=pass_fds,
        )
        self.first_line = self._stdout.readline().decode().rstrip("\n")
        if not self.first_line:
            self.stop()
            raise RuntimeError(f"{module} ended with {self._process.returncode} before it was ready")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def _stdout(self) -> Any:
        return self._process.stdout

    def last_line(self) -> str:
        """Lets go of it, and returns the line that it prints at that."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return str(self._stdout.readline().decode().rstrip("\n"))

    def stop(self) -> None:
        """Ends it, gently at first. Harmless when it has ended already."""
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()


@contextlib.contextmanager
def target_process(module: str, *args: str) -> Iterator[TargetProcess]:
    process = TargetProcess(module, *args)
    try:
        yield process
    finally:
        process.stop()


def announce(line: str) -> None:
    """In the target's process: says that it is ready."""
    print(line, flush=True)


def exit_at_end_of_stdin() -> None:
    """In the target's main thread: waits for the test to let go, then ends, whatever other threads are doing."""
    while os.read(0, 4096):
        pass
    os._exit(0)


class TargetLog:
    """The target's side of a log file: one JSON object a line, each written whole, at once and by one call."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, entry: msgspec.Struct) -> None:
        os.write(self._fd, msgspec.json.encode(entry) + b"\n")


def read_log(path: Path, kind: type[Entry]) -> list[Entry]:
    """The test's side: every entry written so far; one that is being written is not one yet."""
    written = path.read_bytes() if path.exists() else b""
    return msgspec.json.Decoder(kind).decode_lines(written[: written.rfind(b"\n") + 1])
