"""Random streams that follow from (seed, n) and from nothing else: not from the worker, the order or the time."""

from __future__ import annotations

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


def seed_of(run_seed: int, number: int) -> int:
    """The 64-bit seed of user (or start) `number` in a run; neighbours have nothing in common.

    Two rounds of SplitMix64's output function (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
    OOPSLA 2014) over the counter.
    """
    return _mixed((_mixed(run_seed & _MASK) + _GOLDEN * (number + 1)) & _MASK)


def _mixed(value: int) -> int:
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
