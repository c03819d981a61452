"""When arrival n of a curve of rates is due: one numbering of all arrivals, whoever carries which of them out.

Evenly spread, arrival n is due when the integral of the rate passes n. As a Poisson stream it is due when the integral
passes the sum of n + 1 unit exponentials: the same curve, run through by a stream of rate 1 (the time change theorem;
E. Çinlar, "Introduction to Stochastic Processes", 1975, ch. 4.7). Both are pure functions of n: every worker computes
the same instants, and of them only its own.
"""

from __future__ import annotations

from functools import cached_property

from swell.load.exponentials import PARTS, Exponentials
from swell.load.integral import Integral
from swell.load.shares import Share
from swell.load.stream import seed_of
from swell.load_plan import Curve, Load, Open, Sessions, Spread

_ARRIVALS = -1


class Starts:
    """When arrival n of a curve of rates is due."""

    def __init__(self, curve: Curve, spread: Spread, seed: int, start_s: float = 0.0) -> None:
        """The curve begins at `start_s` of the run. Raises ValueError for what is no duration and no rate."""
        is_poisson = spread is Spread.POISSON
        self._integral = Integral(curve, start_s, parts=PARTS if is_poisson else 1)
        self._sums = Exponentials(seed) if is_poisson else None

    def __repr__(self) -> str:
        return f"<Starts: {self._integral!r}, {self._sums or 'even'}>"

    @cached_property
    def total(self) -> int | None:
        """How many there are in all; None: without end."""
        end = self._integral.end
        return end if self._sums is None or end is None else self._sums.below(end)

    def due_ns(self, number: int) -> int | None:
        """When arrival `number` is due, in ns of the run; None beyond the last. It never falls from one to the next."""
        reached = number if self._sums is None else self._sums.sum_to(number)
        end = self._integral.end
        return self._integral.ns_of(reached) if end is None or reached < end else None

    def due_by(self, now_ns: int) -> int:
        """How many are due at an instant of the run or before."""
        reached = self._integral.by(now_ns)
        return reached if self._sums is None else self._sums.below(reached)

    def next_due(self, share: Share, number: int) -> tuple[int, int] | None:
        """The first of the share from `number` on, with the instant at which it is due; None where there is none."""
        mine = share.next_mine(number)
        due_ns = self.due_ns(mine) if mine is not None else None
        return None if mine is None or due_ns is None else (mine, due_ns)


def starts_of(load: Load, number: int, seed: int) -> Starts | None:
    """The arrivals of load `number` of a run with this seed; None where its model has none.

    Loads side by side have streams of their own, which no user's random numbers follow.
    """
    if not isinstance(load.model, Open | Sessions):
        return None
    own_seed = seed_of(seed_of(seed, _ARRIVALS), number)
    return Starts(load.model.curve, load.model.spread, own_seed, load.start_s)
