"""How the script's archive comes to a machine: in pieces, each asked for by itself, and again where none came.

A supervisor asks with `Fetch` and gets a `Part` for each. It begins with one request under way and has one more with
each part that comes, as long as none is lost: a fast link is filled, a slow one is not flooded. What was asked for
and has not come within a few times what an answer took until now is asked for again.
"""

from __future__ import annotations

import dataclasses
import hashlib

from swell.clock import NS_PER_S
from swell.cluster.messages import Fetch, Part

PACKED_BYTES_MAX = 64 << 20
"""The largest archive there is."""
PART_BYTES = 256 << 10
UNDER_WAY_MAX = 16
PATIENCE_MIN_NS = NS_PER_S
PATIENCE_MAX_NS = 30 * NS_PER_S
PATIENCE_FACTOR = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Archive:
    """A script's archive, ready to be handed out."""

    content: bytes = dataclasses.field(repr=False)
    sha256: str
    script: str
    """The script's path in it."""

    def part(self, asked: Fetch) -> Part | None:
        """The piece that a supervisor asks for; None where there is no such piece."""
        if asked.sha256 != self.sha256 or not 0 <= asked.start < len(self.content):
            return None
        return Part(self.sha256, asked.start, self.content[asked.start : asked.start + PART_BYTES])


@dataclasses.dataclass(slots=True)
class _Request:
    asked_ns: int
    again: bool = False


class ArchiveFetch:
    """One archive on its way here. Ask `due` what to send, at least four times a second and after each part.

    It is over when `whole`, or when there is a `failure`.
    """

    def __init__(self, sha256: str, size_bytes: int) -> None:
        self.sha256 = sha256
        self.failure = ""
        """Why the archive cannot be had."""
        self.refused = 0
        """Parts that were none of this archive's."""
        self.whole = False
        self._parts: dict[int, bytes] = {}
        self._size_bytes = size_bytes
        self._under_way: dict[int, _Request] = {}
        self._next_start = 0
        self._window = 1
        self._patience_ns = PATIENCE_MIN_NS
        if not 0 < size_bytes <= PACKED_BYTES_MAX:
            self.failure = f"the script's archive has {size_bytes:,} bytes; it may have up to {PACKED_BYTES_MAX:,}"

    def __repr__(self) -> str:
        state = self.failure or ("whole" if self.whole else f"{len(self._under_way)} requests under way")
        return f"<ArchiveFetch {self.sha256[:8]}, {self.received_bytes:,} of {self._size_bytes:,} bytes, {state}>"

    @property
    def received_bytes(self) -> int:
        """How much of it is here."""
        return sum(map(len, self._parts.values()))

    def content(self) -> bytes:
        """The archive, once it is whole."""
        assert self.whole
        return b"".join(self._parts[start] for start in sorted(self._parts))

    def due(self, now_ns: int) -> list[Fetch]:
        """What to send now."""
        if self.whole or self.failure:
            return []
        return [Fetch(self.sha256, start) for start in (*self._overdue(now_ns), *self._further(now_ns))]

    def arrived(self, part: Part, now_ns: int) -> None:
        """A part has come, perhaps not for the first time."""
        is_ours = part.sha256 == self.sha256 and 0 <= part.start < self._size_bytes and part.start % PART_BYTES == 0
        if not is_ours or len(part.data) != min(PART_BYTES, self._size_bytes - part.start):
            self.refused += 1
            return
        request = self._under_way.pop(part.start, None)
        if request is None or self.failure:
            return
        self._parts[part.start] = part.data
        self._window = min(self._window + 1, UNDER_WAY_MAX)
        if not request.again:
            self._took(now_ns - request.asked_ns)
        if not self._under_way and self._next_start >= self._size_bytes:
            self._finish()

    def check(self) -> None:
        """Assert what always holds."""
        starts = {*self._parts, *self._under_way}
        assert len(starts) == len(self._parts) + len(self._under_way)
        assert starts == set(range(0, min(self._next_start, self._size_bytes), PART_BYTES))
        assert not self.whole or self.received_bytes == self._size_bytes

    def _overdue(self, now_ns: int) -> list[int]:
        late = [start for start, request in self._under_way.items() if now_ns - request.asked_ns >= self._patience_ns]
        if late:
            self._window = max(self._window // 2, 1)
            self._patience_ns = min(self._patience_ns * 2, PATIENCE_MAX_NS)
        late = sorted(late)[: self._window]
        for start in late:
            self._under_way[start] = _Request(now_ns, again=True)
        return late

    def _further(self, now_ns: int) -> list[int]:
        starts = []
        while len(self._under_way) < self._window and self._next_start < self._size_bytes:
            starts.append(self._next_start)
            self._under_way[self._next_start] = _Request(now_ns)
            self._next_start += PART_BYTES
        return starts

    def _took(self, answer_ns: int) -> None:
        """An answer to a first request tells how long one takes; to a repeated one, nobody knows which it answers."""
        wanted_ns = max(PATIENCE_FACTOR * answer_ns, PATIENCE_MIN_NS)
        self._patience_ns = min(max(wanted_ns, self._patience_ns // 2), PATIENCE_MAX_NS)

    def _finish(self) -> None:
        if hashlib.sha256(b"".join(self._parts[start] for start in sorted(self._parts))).hexdigest() == self.sha256:
            self.whole = True
        else:
            self._parts.clear()
            self.failure = "the script's archive is not the one that was announced: its hash differs"
