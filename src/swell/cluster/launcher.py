"""Starts worker processes on this machine, and sees them end.

A process is spawned without forking this one's memory, with SIGINT blocked from its first instant: Ctrl-C reaches the
whole foreground group, but only the controller answers. So is SIGTERM, until it can be answered: whoever is asked to
leave while it starts has not died of it. Its output goes into a pipe whose last lines are kept, for
what it says before it can speak over the link. Its end is seen through the loop's child watcher (SIGCHLD), at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gevent
from gevent.os import make_nonblocking, nb_read

from swell.cluster.worker_steps import FENCED_EXIT_CODE
from swell.errors import RunFailed

_SIGINT, _SIGKILL, _SIGTERM = 2, 9, 15  # the module `signal` is the command line's alone
OUTPUT_BYTES_KEPT = 16_384

Ended = Callable[[int, int, str, str], None]
"""(worker, incarnation, because, output)"""


@dataclass(slots=True)
class Process:
    """A worker process."""

    worker: int
    incarnation: int
    pid: int
    watcher: Any = None
    reader: gevent.Greenlet | None = None
    output: bytearray = field(default_factory=bytearray)


class Launcher:
    """The worker processes of one run."""

    def __init__(
        self,
        command: Callable[[int, int], list[str]],
        environment: Mapping[str, str],
        told: bytes = b"",
    ) -> None:
        """`told`: what each process can read from its standard input, where no other process can see it."""
        self._command = command
        self._told = told
        self._environment = dict(environment)
        self._on_end: Ended | None = None
        self._ends: list[tuple[int, int, str, str]] = []
        self._loop = gevent.get_hub().loop
        self._loop.install_sigchld()
        self._running: dict[tuple[int, int], Process] = {}
        self._launched: set[tuple[int, int]] = set()

    def __repr__(self) -> str:
        return f"<Launcher of {', '.join(str(process.pid) for process in self._running.values()) or 'no process'}>"

    def attend(self, on_end: Ended) -> None:
        """Tell `on_end` of each end, those that have been seen already included."""
        self._on_end = on_end
        self._tell_ends()

    def pids(self) -> dict[tuple[int, int], int]:
        """The processes that run, by worker and incarnation."""
        return {key: process.pid for key, process in self._running.items()}

    def launch(self, worker: int, incarnation: int) -> None:
        """Start a process, unless it has been. Raises RunFailed when the system does not let it."""
        if (worker, incarnation) in self._launched:
            return
        self._launched.add((worker, incarnation))
        try:
            pid, reading = self._spawn(self._command(worker, incarnation))
        except OSError as exc:
            raise RunFailed(f"cannot start a worker process: {exc.strerror}") from exc
        process = self._running[worker, incarnation] = Process(worker, incarnation, pid)
        process.watcher = self._loop.child(pid)
        process.watcher.start(self._on_sigchld, process)
        process.reader = gevent.spawn(self._read, process, reading)

    def _spawn(self, command: list[str]) -> tuple[int, int]:
        """A process, and the pipe that it writes to."""
        reading, writing = os.pipe()
        try:
            telling = self._open_input()
            try:
                actions = [(os.POSIX_SPAWN_DUP2, telling, 0), *((os.POSIX_SPAWN_DUP2, writing, fd) for fd in (1, 2))]
                pid = os.posix_spawn(
                    sys.executable, command, self._environment, file_actions=actions, setsigmask=[_SIGINT, _SIGTERM]
                )
            finally:
                os.close(telling)
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        return pid, reading

    def _open_input(self) -> int:
        if not self._told:
            return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        reading, writing = os.pipe()
        with open(writing, "wb") as pipe:
            pipe.write(self._told)  # it is short: the pipe has room for all of it
        return reading

    def terminate(self, worker: int, incarnation: int) -> None:
        """Ask a process to leave (SIGTERM)."""
        process = self._running.get((worker, incarnation))
        if process is not None:
            os.kill(process.pid, _SIGTERM)

    def kill(self, worker: int, incarnation: int) -> None:
        """End a process at once; `on_end` follows. Nothing happens if it has ended."""
        process = self._running.get((worker, incarnation))
        if process is not None:
            os.kill(process.pid, _SIGKILL)

    def kill_all(self) -> None:
        """End all processes at once."""
        for worker, incarnation in list(self._running):
            self.kill(worker, incarnation)

    def wait_ended(self, timeout_s: float) -> bool:
        """Let others run until no process is left; False when that took too long."""
        with gevent.Timeout(timeout_s, False):
            while self._running:
                gevent.sleep(0.005)
        return not self._running

    def _read(self, process: Process, reading: int) -> None:
        make_nonblocking(reading)
        try:
            while content := nb_read(reading, 65_536):
                process.output += content
                del process.output[:-OUTPUT_BYTES_KEPT]
        except OSError:
            pass
        finally:
            os.close(reading)

    def _on_sigchld(self, process: Process) -> None:
        """Runs in the hub."""
        status = process.watcher.rstatus
        process.watcher.stop()
        process.watcher.close()
        gevent.spawn(self._end, process, how_it_ended(status))

    def _end(self, process: Process, because: str) -> None:
        if process.reader is not None:
            process.reader.join(timeout=0.2)  # a grandchild may hold the pipe open
        del self._running[process.worker, process.incarnation]
        output = process.output.decode(errors="replace").strip()
        self._ends.append((process.worker, process.incarnation, because, output))
        self._tell_ends()

    def _tell_ends(self) -> None:
        while self._ends and self._on_end is not None:
            self._on_end(*self._ends.pop(0))


def how_it_ended(status: int) -> str:
    """A wait status in words."""
    if os.WIFSIGNALED(status):
        return f"was killed by signal {os.WTERMSIG(status)}"
    if os.WEXITSTATUS(status) == FENCED_EXIT_CODE:
        return "lost its lease"
    return f"ended with exit code {os.WEXITSTATUS(status)}"


def python_command(directory: Path, *words: str) -> list[str]:
    """The command line `swell worker-process ...` under this Python, whose working directory is on no path."""
    return [sys.executable, "-P", "-m", "swell", "worker-process", "--directory", str(directory), *words]
