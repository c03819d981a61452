"""Intervals for a quantile from the values that lie beside it, and for the ratio of two quantiles.

Of n values, the number below their true quantile q is binomial. Turned round, the true quantile lies between the
values of two ranks (H. David, H. Nagaraja 2003, Order Statistics, §7.1; R. Hyndman, Y. Fan 1996, Sample quantiles in
statistical packages, American Statistician 50, 361-365). Where values depend on each other, n is what it would take of
independent ones to know as much: the interval is that of R. Woodruff (1952), Confidence intervals for medians and
other position measures, JASA 47, 635-646. The binomial is taken as normal on the arcsine scale (F. Anscombe 1948,
Biometrika 35, 246-254), which keeps intervals near the ends in bounds.

The interval of a difference follows from the two intervals, lopsided as they may be: MOVER (G. Zou, A. Donner 2008,
Construction of confidence limits about effect measures, Statistics in Medicine 27, 1693-1702). The difference here is
of logarithms, so that a ratio comes out.

Values are known to a bucket, 0.8 % wide. Within one they are taken for evenly spread, and the interval of a ratio is
widened by RESOLUTION, so that a difference of less than 1 % is never shown: buckets alone could make one of 0.8 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from swell.histogram import BUCKETS, bounds_ns

Floats = npt.NDArray[np.float64]

RESOLUTION = 0.01
FARTHEST = 64.0
"""So many standard errors are beyond doubt."""
HALVINGS = 32

_LOWS_NS = [max(bounds_ns(bucket)[0], 1) for bucket in range(BUCKETS)]
LOG_EDGES: Floats = np.log(np.array([*_LOWS_NS, bounds_ns(BUCKETS - 1)[1]], dtype=np.float64))
"""The logarithm of where each bucket begins, in ns, and of where the last one ends."""
LOG_MIDDLES: Floats = (LOG_EDGES[:-1] + LOG_EDGES[1:]) / 2


class Ecdf:
    """The empirical distribution of a histogram, on a logarithmic scale."""

    def __init__(self, counts: Floats) -> None:
        filled = np.flatnonzero(counts)
        ends = np.cumsum(counts[filled])
        self.total = float(ends[-1]) if len(ends) else 0.0
        self._filled = filled
        self._begins = ends - counts[filled]
        self._ranks = np.column_stack((self._begins, ends)).ravel()
        self._logs = np.column_stack((LOG_EDGES[filled], LOG_EDGES[filled + 1])).ravel()

    def __repr__(self) -> str:
        return f"<Ecdf of {self.total:g} in {len(self._filled)} buckets>"

    def log_at(self, share: float) -> float:
        """The logarithm of the value that `share` of all lie below; infinite at 0 and 1, where nothing bounds it."""
        if share <= 0 or share >= 1:
            return math.copysign(math.inf, share - 0.5)
        return float(np.interp(share * self.total, self._ranks, self._logs))

    def split(self, share: float) -> tuple[int, float]:
        """The bucket in which that value lies, and how much of the bucket is below it."""
        rank = share * self.total
        place = int(np.searchsorted(self._begins, rank, side="right")) - 1
        end = self._ranks[2 * place + 1]
        return int(self._filled[place]), float((rank - self._begins[place]) / (end - self._begins[place]))


class Quantile:
    """A quantile of one run, of which `worth` independent values would tell as much."""

    def __init__(self, ecdf: Ecdf, q: float, worth: float) -> None:
        self.log = ecdf.log_at(q)
        self._ecdf = ecdf
        self._angle = math.asin(math.sqrt(q))
        self._worth = worth

    def log_bound(self, errors: float) -> float:
        """The logarithm of the value so many standard errors above the quantile, or below."""
        angle = self._angle + errors / (2 * math.sqrt(self._worth))
        if 0 < angle < math.pi / 2:
            return self._ecdf.log_at(math.sin(angle) ** 2)
        return math.copysign(math.inf, errors)


def log_ratio_bound(base: Quantile, run: Quantile, errors: float) -> float:
    """The bound of log(run / base) above it by so many standard errors, or below."""
    return (
        run.log
        - base.log
        + math.copysign(
            math.hypot(run.log_bound(errors) - run.log, base.log_bound(-errors) - base.log, RESOLUTION), errors
        )
    )


def least_errors(holds: Callable[[float], bool]) -> float:
    """The least number of standard errors at which an interval holds what it is asked for."""
    if holds(1e-9):
        return 0.0
    near, far = 0.0, FARTHEST
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        near, far = (near, middle) if holds(middle) else (middle, far)
    return near
