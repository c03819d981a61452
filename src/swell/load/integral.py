"""The exact integral of a curve of rates, and its inverse: how many arrivals by an instant, and when is number n due.

The integral A(t) grows by a straight line where the rate is held and by a parabola where it ramps. Arrival n is due at
inf { t : A(t) > n }: at the beginning of a positive rate for n = 0, after a stretch without arrivals and not before it,
and before the end exactly if n < A(end). So 100/s for 10 s are arrivals 0 .. 999, whatever legs they are spread over.

Floats are taken for what was meant (0.1 is a tenth) and brought to common denominators once: K ticks a second and M
parts of an arrival a second. A leg of d ticks from rate b to rate e then has the area (b + e)·d in units of 1/(2·K·M)
arrivals, and everything that follows is integer arithmetic, with `isqrt` where a ramp wants a root. Instants are
rounded down to the nanosecond, so that what is due before the end stays before it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite, isqrt, lcm

from swell.clock import NS_PER_S
from swell.load.exact import exact
from swell.load_plan import Curve


@dataclass(frozen=True, slots=True)
class _Held:
    """From tick `from_tick` and area `from_area` on, a rate that is held and not 0; without end where it is endless."""

    from_tick: int
    from_area: int
    rate: int
    ticks_per_s: int

    def ns_of(self, area: int) -> int:
        """The instant at which the integral passes `area`."""
        twice = 2 * self.rate
        return NS_PER_S * (twice * self.from_tick + area - self.from_area) // (twice * self.ticks_per_s)

    def parts_before(self, ns: int, part: int) -> int:
        """How many multiples of `part`, 0 among them, lie below the integral at an instant of it."""
        past = ns * self.ticks_per_s - NS_PER_S * self.from_tick
        return -(-(NS_PER_S * self.from_area + 2 * self.rate * past) // (NS_PER_S * part))


@dataclass(frozen=True, slots=True)
class _Ramp:
    """The same with a rate that goes to `end` within `ticks`.

    The area within it after x ticks is 2·b·x + (e - b)·x² / d; solved for x, the root is of b²d² + (e - b)·d·area.
    """

    from_tick: int
    from_area: int
    begin: int
    end: int
    ticks: int
    ticks_per_s: int

    def ns_of(self, area: int) -> int:
        slope = self.end - self.begin
        run = self.begin * self.ticks
        squared = NS_PER_S * NS_PER_S * (run * run + slope * self.ticks * (area - self.from_area))
        if slope > 0:
            whole = NS_PER_S * (slope * self.from_tick - run) + isqrt(squared)
            return whole // (slope * self.ticks_per_s)
        root = isqrt(squared - 1) + 1 if squared else 0  # rounded up: it is taken away
        return (NS_PER_S * (run - slope * self.from_tick) - root) // (-slope * self.ticks_per_s)

    def parts_before(self, ns: int, part: int) -> int:
        past = min(ns * self.ticks_per_s - NS_PER_S * self.from_tick, NS_PER_S * self.ticks)
        scale = NS_PER_S * NS_PER_S * self.ticks
        area = scale * self.from_area + past * (2 * self.begin * NS_PER_S * self.ticks + (self.end - self.begin) * past)
        return -(-area // (scale * part))


class Integral:
    """The integral of a curve that begins at `start_s`, counted in `parts` of an arrival."""

    def __init__(self, curve: Curve, start_s: float = 0.0, parts: int = 1) -> None:
        legs = [(_exact(leg.duration_s), _exact(leg.begin), _exact(leg.end)) for leg in curve.legs]
        start = _exact(start_s)
        self._ticks_per_s = lcm(start.denominator, *(duration.denominator for duration, _, _ in legs))
        scale = lcm(*(rate.denominator for _, *rates in legs for rate in rates))
        self._part = 2 * self._ticks_per_s * scale
        whole = [
            (int(duration * self._ticks_per_s), int(begin * scale) * parts, int(end * scale) * parts)
            for duration, begin, end in legs
        ]
        self._stretches = list(self._drawn(whole, int(start * self._ticks_per_s), curve.endless))
        self._from_areas = [stretch.from_area for stretch in self._stretches]
        self._from_ticks = [stretch.from_tick for stretch in self._stretches]
        self._end_areas = [*self._from_areas[1:], self._area]
        self.end: int | None = None if curve.endless and whole and whole[-1][2] else -(-self._area // self._part)
        """How many parts there are in all: those with a number below; None: without end."""

    def __repr__(self) -> str:
        return f"<Integral of {len(self._stretches)} stretches, {self.end} parts>"

    def ns_of(self, number: int) -> int:
        """When part `number` is due, in ns of the run. It must be one that there is: below `end`, and not negative."""
        area = self._part * number
        return self._stretches[bisect_right(self._from_areas, area) - 1].ns_of(area)

    def by(self, now_ns: int) -> int:
        """How many parts are due at an instant or before."""
        before_ns = now_ns + 1
        at = bisect_left(self._from_ticks, -(-before_ns * self._ticks_per_s // NS_PER_S)) - 1
        if at < 0:
            return 0
        found = self._stretches[at].parts_before(before_ns, self._part)
        if at + 1 == len(self._stretches) and self.end is None:
            return found
        return min(found, -(-self._end_areas[at] // self._part))

    def _drawn(self, legs: list[tuple[int, int, int]], tick: int, endless: bool) -> Iterator[_Held | _Ramp]:
        """The stretches in which something arrives; one without arrivals needs none."""
        self._area = 0
        for ticks, begin, end in legs:
            if ticks and begin != end:
                yield _Ramp(tick, self._area, begin, end, ticks, self._ticks_per_s)
            elif ticks and begin:
                yield _Held(tick, self._area, begin, self._ticks_per_s)
            tick += ticks
            self._area += (begin + end) * ticks
        if endless and legs and legs[-1][2]:
            yield _Held(tick, self._area, legs[-1][2], self._ticks_per_s)


def _exact(value: float) -> Fraction:
    """Raises ValueError for what is no duration and no rate."""
    if not isfinite(value) or value < 0:
        raise ValueError(f"{value} is not a number of 0 or more")
    return exact(value)
