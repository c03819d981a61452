"""Many verdicts at once: the level that each is held to, so that the chance of any wrong one stays small.

S. Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 65-70.
It holds whatever the verdicts have to do with each other, as those on p95 and p99 have.
"""

from __future__ import annotations

from collections.abc import Sequence


def levels(ps: Sequence[float], level: float) -> list[float]:
    """What each p is held against: `level / m` for the least of m, `level / (m - 1)` for the next, and so on up to the
    first that is above its level, and that one's level for all the rest. A p at or below its level is a difference."""
    found = [0.0] * len(ps)
    held = 0.0
    stopped = False
    for place, index in enumerate(sorted(range(len(ps)), key=lambda index: ps[index])):
        if not stopped:
            held = level / (len(ps) - place)
            stopped = ps[index] > held
        found[index] = held
    return found
