"""A user's own stream of random numbers in one int: for the choice of tasks and for waits.

An idle user should not pay 2.9 kB for a `random.Random`, and what an author draws from `self.random` should not change
which task comes next. The stream is a 64-bit linear congruential generator with Knuth's MMIX constants, of which only
the upper 53 bits are used; its start is a hash of (seed, user number, purpose), so users start far apart on its cycle.
"""

from __future__ import annotations

import hashlib

_FACTOR = 6_364_136_223_846_793_005
_STEP = 1_442_695_040_888_963_407
_MASK = (1 << 64) - 1
_UNIT = 2.0**-53


def stable_hash(seed: int, number: int, purpose: str) -> int:
    """64 bits that depend on nothing else: not on the process, the worker, or `PYTHONHASHSEED`."""
    digest = hashlib.blake2b(f"{seed}/{number}/{purpose}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


class Draws:
    """Numbers in [0, 1), the same for the same seed and user."""

    __slots__ = ("_state",)

    def __init__(self, seed: int, number: int) -> None:
        self._state = stable_hash(seed, number, "draws")

    def __repr__(self) -> str:
        return f"<Draws at {self._state:#018x}>"

    def restart(self, seed: int) -> None:
        """Go on as the stream of a seed of 64 bits, which is not near that of another stream."""
        self._state = seed

    def next(self) -> float:
        """The next number, 0 <= x < 1."""
        self._state = state = (self._state * _FACTOR + _STEP) & _MASK
        return (state >> 11) * _UNIT
