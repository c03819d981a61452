"""Where a run becomes steady: what comes before is its warm-up, which says little about what comes after.

MSER-5: batches of five seconds are left out from the beginning for as long as the standard error of the mean of what
is kept becomes smaller (K. White 1997, An effective truncation heuristic for bias reduction in simulation output,
Simulation 69, 323-334; K. White, M. Cobb, S. Spratt 2000, A comparison of five steady-state truncation heuristics for
simulation, Proc. Winter Simulation Conference, 755-760). The rule always finds something to leave out, of noise too. So
as little is left out as is nearly as good; the first batch has to lie well outside of what is kept; and an optimum at
half of the run means that there is no steady part.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BATCH = 5
LEAST_BATCHES = 10
SLACK = 0.2
"""So much more than the least standard error, squared, will do: its exact place is that of the least noise."""
OUTSIDE = 1.5
"""The first batch has to lie beyond the range of those kept by so many times its width."""
UNSTEADY = 0.5
"""The same, where half of the run would not be enough."""


def warm_up(signal: Floats) -> int | None:
    """How many values at the beginning are warm-up; 0 if none, None if half of the series would not be enough."""
    batch = max(1, min(BATCH, len(signal) // LEAST_BATCHES))
    count = len(signal) // batch
    if count < LEAST_BATCHES:
        return 0
    means = signal[: count * batch].reshape(count, batch).mean(axis=1)
    half = count // 2
    errors = [
        float(np.square(means[left:] - means[left:].mean()).sum()) / (count - left) ** 2 for left in range(half + 1)
    ]
    if errors.index(min(errors)) == half and _outside(means, half) > UNSTEADY:
        return None
    best = next(left for left, error in enumerate(errors) if error <= (1 + SLACK) * min(errors))
    return best * batch if _outside(means, best) > OUTSIDE else 0


def _outside(means: Floats, left: int) -> float:
    """How far the first lies outside of the range of those kept when so many are left out, in widths of that range."""
    low, high, first = float(means[left:].min()), float(means[left:].max()), float(means[0])
    away = max(low - first, first - high, 0.0)
    return away / (high - low) if high > low else float("inf") if away else 0.0
