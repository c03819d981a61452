"""Keeps what goes wrong in one that only looks on from ending the run."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

LONGEST = 300


class Contained:
    """A block whose exceptions go to `tell`, in words of one line, and no further."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):  # one is killed, and interrupted, by others
            return False
        self._tell(" ".join(f"{type(error).__name__}: {error}".split())[:LONGEST])
        return True
