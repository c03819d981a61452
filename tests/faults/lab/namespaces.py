"""Network namespaces: kernels' worth of network of their own, which a process can be started in.

with namespace("centre") as centre:
    subprocess.Popen([*centre.prefix, "nginx", ...])     # no interface but `lo`
    listener = centre.within(lambda: socket.create_server(("10.9.0.1", 0)))

Their names tell whose they are, so that those of a test run that was killed are removed by the next one. Needs root.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import psutil

Made = TypeVar("Made")

PREFIX = "swell-lab"
PLACE = Path("/run/netns")
CLONE_NEWNET = 0x4000_0000
_numbers = itertools.count(1)


class Namespace:
    """One namespace, with `lo` up. `pid` and `born`: whose it is."""

    def __init__(self, label: str) -> None:
        self.name = f"{PREFIX}.{os.getpid()}.{_birth_of(os.getpid())}.{next(_numbers)}.{label}"
        ip(f"netns add {self.name}", f"-n {self.name} link set lo up")

    def __repr__(self) -> str:
        return f"<Namespace {self.name}>"

    @property
    def prefix(self) -> list[str]:
        """What to put in front of a command that is to run here. It becomes the command: the process id stays."""
        return ["nsenter", f"--net={PLACE / self.name}"]

    def ip(self, *commands: str) -> None:
        """Commands of `ip`, in here."""
        ip(*(f"-n {self.name} {command}" for command in commands))

    def run(self, *words: str, stdin: str = "") -> str:
        """A command in here, to its end; returns what it printed."""
        done = subprocess.run([*self.prefix, *words], input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def within(self, make: Callable[[], Made]) -> Made:
        """What `make` returns when it is called in here, by a thread of its own: a socket, say."""
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._enter_and, make).result()

    def _enter_and(self, make: Callable[[], Made]) -> Made:
        libc = ctypes.CDLL(None, use_errno=True)
        with (PLACE / self.name).open("rb") as place:
            if libc.setns(place.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"setns to {self.name}")
        return make()

    def remove(self) -> None:
        ip(f"netns delete {self.name}")


@contextlib.contextmanager
def namespace(label: str) -> Iterator[Namespace]:
    """A namespace that is removed at the end. Processes in it are not ended."""
    made = Namespace(label)
    try:
        yield made
    finally:
        made.remove()


def ip(*commands: str) -> None:
    """Carry out commands of `ip`, in order."""
    for command in commands:
        done = subprocess.run(["ip", *command.split()], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"ip {command}: {done.stderr}"


def sweep() -> list[str]:
    """Remove the namespaces of test runs that are no more, and end what still runs in them; returns their names."""
    names = [path.name for path in PLACE.glob(f"{PREFIX}.*")] if PLACE.is_dir() else []
    orphaned = [name for name in names if not _owner_lives(name.split("."))]
    for name in orphaned:
        for pid in subprocess.run(
            ["ip", "netns", "pids", name], capture_output=True, text=True, check=False
        ).stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)  # another sweep may be faster
    return orphaned


def _owner_lives(parts: Sequence[str]) -> bool:
    return len(parts) > 2 and parts[2] == _birth_of(int(parts[1]))


def _birth_of(pid: int) -> str:
    """When a process was started: with its id, what no other process has. '' for one that is no more."""
    try:
        return str(round(psutil.Process(pid).create_time() * 100))
    except psutil.NoSuchProcess:
        return ""
