"""How far a difference between two runs strays by chance, judged from how it moves over time.

The two runs are laid over each other, second by second, and it is the difference that is looked at: what both runs do
at the same time because their plan says so (a ramp, a step, data that runs warm) cancels out.

Whether calls depend on each other is asked in several ways, since a weak dependence over a long time is hard to see in
any single one and does the most harm: of the mean logarithm of durations, of the difference itself, of the spread from
second to second, which independent calls keep within the binomial's. Only where nothing is seen are calls taken for
independent, and the variance is the mean of what order statistics and what the seconds say (G. Smyth 2004, Linear
models and empirical Bayes methods, Statistical Applications in Genetics and Molecular Biology 3:1, for the idea of
moderating a variance of few degrees of freedom), but never less than the former.
"""

from __future__ import annotations

import dataclasses
import math

from swell.stats.comparison.cells import ALL, Cells, Floats
from swell.stats.comparison.dependence import exceeds_chance, mean_variance, reach, stretches

SIGN_OF_DEPENDENCE = 1.9
SIGN_IN_A_SHORT_RUN = 2.1
SIGN_IN_ONE_THING = 2.8
SIGN_OF_SCATTER = 3.0
SIGN_OF_COMMON_COURSE = 3.0
"""In standard errors; the simulations of `bench/comparison.py` settled them."""
SHORT_CELLS = 50
"""In a shorter run a false sign of dependence costs almost all that could be found: it has to be clearer."""
LEAST_REACH = 2
LEAST_CELLS = 5
CELLS_OF_TWO = 8
"""From so many cells on there are two degrees of freedom at least: few enough that only a great difference is shown
between runs that change slowly for their length."""


@dataclasses.dataclass(frozen=True, slots=True)
class Footing:
    """What is known of how the calls of a series depend on each other: over how many cells, and whether they scatter
    from cell to cell more than independent ones would."""

    reached: int = 0
    scattered: bool = False

    def joined(self, other: Footing) -> Footing:
        """The more cautious of two."""
        return Footing(max(self.reached, other.reached), self.scattered or other.scattered)


@dataclasses.dataclass(frozen=True, slots=True)
class Spread:
    """The variance of a difference of means, and the degrees of freedom that it is known with."""

    variance: float
    degrees: float


def footing(base: Cells, run: Cells, column: int) -> Footing:
    """How the calls of a column depend on each other, from the mean logarithm of their durations."""
    one, other = _log_course(base, column), _log_course(run, column)
    difference = other - one
    length = len(difference)
    if length < LEAST_CELLS:
        return Footing()
    sign = SIGN_OF_DEPENDENCE if length >= SHORT_CELLS else SIGN_IN_A_SHORT_RUN
    reached = reach([difference], sign)
    if not _run_in_step(one, other):
        reached = max(reached, reach([one, other], sign))
    chance = _log_variance(base, column) + _log_variance(run, column)
    return Footing(reached, chance > 0 and exceeds_chance(_variance(difference) / chance, length - 1, SIGN_OF_SCATTER))


def footing_alone(cells: Cells) -> Footing:
    """What one run shows of it, all calls together: the longer of two knows more."""
    course = _log_course(cells, ALL)
    return Footing(reach([course], SIGN_OF_DEPENDENCE) if len(course) >= LEAST_CELLS else 0)


def spread(difference: Floats, chance: float | None, known: Footing) -> Spread | None:
    """The variance of the mean of a difference; None where there are too few cells. `chance`
    is the variance that a cell would have if calls were independent, where that is known."""
    length = len(difference)
    if length < LEAST_CELLS:
        return None
    reached = max(known.reached, reach([difference], SIGN_IN_ONE_THING))
    ratio = _variance(difference) / chance if chance else 0.0
    if reached or known.scattered or exceeds_chance(ratio, length - 1, SIGN_OF_SCATTER):
        reached = max(reached, LEAST_REACH)
    degrees = max(stretches(length, reached), 2 if length >= CELLS_OF_TWO else 1)
    variance = mean_variance(difference, degrees)
    if chance is None:
        return Spread(variance, degrees)
    least = chance / length
    if reached:
        return Spread(max(variance, least), degrees)
    return Spread((variance + least) / 2, 2 * degrees) if variance > least else Spread(least, math.inf)


def _log_course(cells: Cells, column: int) -> Floats:
    """How far the sum of the logarithms of each cell is from what it would be at the mean of all."""
    timed, sums = cells.timed[:, column], cells.log_sums[:, column]
    if not timed.sum():
        return timed * 0
    course: Floats = (sums - sums.sum() / timed.sum() * timed) / timed.mean()
    return course


def _log_variance(cells: Cells, column: int) -> float:
    """The variance that a cell of the above would have if calls were independent."""
    count = float(cells.timed[:, column].sum())
    if not count:
        return 0.0
    mean = float(cells.log_sums[:, column].sum()) / count
    return max(float(cells.log_squares[column]) / count - mean * mean, 0.0) / (count / len(cells.timed))


def _run_in_step(one: Floats, other: Floats) -> bool:
    """Whether two runs have a course in common."""
    both = _variance(one) * _variance(other)
    return both > 0 and float((one * other).mean()) / math.sqrt(both) > SIGN_OF_COMMON_COURSE / math.sqrt(len(one))


def _variance(series: Floats) -> float:
    return float(series.var(ddof=1))
