"""Whole numbers second by second, in chunks of a minute that are replaced and never changed.

Whoever keeps a copy of a long run sees by their identity which minutes have changed since.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from itertools import chain

CHUNK_S = 60
Chunk = tuple[int, ...]
"""The numbers of a minute."""

EMPTY: Chunk = (0,) * CHUNK_S


class PerSecond:
    """A number for each second, 0 where nothing was added."""

    def __init__(self, chunks: Mapping[int, Chunk] | None = None) -> None:
        self._chunks = dict(chunks or {})
        self._pairs: dict[int, bytes] = {}
        """The chunks as `pairs` gives them out, but for those that have changed since."""

    def __repr__(self) -> str:
        return f"<PerSecond in {len(self._chunks)} chunks>"

    def add(self, second: int, amount: int) -> None:
        """Add to the number of a second."""
        minute, place = divmod(second, CHUNK_S)
        numbers = list(self._chunks.get(minute, EMPTY))
        numbers[place] += amount
        self._chunks[minute] = tuple(numbers)
        self._pairs.pop(minute, None)

    def items(self) -> Iterator[tuple[int, int]]:
        """Second and number wherever it is not 0, in order."""
        for minute, chunk in sorted(self._chunks.items()):
            yield from ((second, number) for second, number in enumerate(chunk, minute * CHUNK_S) if number)

    def pairs(self) -> bytes:
        """The same as u64, one after the other."""
        for minute, chunk in self._chunks.items():
            if minute not in self._pairs:
                filled = ((second, number) for second, number in enumerate(chunk, minute * CHUNK_S) if number)
                self._pairs[minute] = array("Q", chain.from_iterable(filled)).tobytes()
        return b"".join(self._pairs[minute] for minute in sorted(self._chunks))

    def until(self, second: int) -> Iterator[int]:
        """The numbers of all seconds before this one, from 0 on."""
        for minute in range(-(-second // CHUNK_S)):
            yield from self._chunks.get(minute, EMPTY)[: second - minute * CHUNK_S]

    def chunks(self) -> dict[int, Chunk]:
        """The chunks by their minutes, in order of time."""
        return dict(sorted(self._chunks.items()))

    def keep_latest(self, chunks: int) -> None:
        """Forget all but the latest chunks, once there are twice as many."""
        if len(self._chunks) > 2 * chunks:
            self._chunks = dict(sorted(self._chunks.items())[-chunks:])
            self._pairs = {minute: self._pairs[minute] for minute in self._chunks if minute in self._pairs}
