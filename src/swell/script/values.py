"""`counter`, `gauge`, `rate` and `trend`: what a script counts and measures itself, beside its calls.

Each is made once, at the top of the script, and used by any user: what it is given goes to the scenario of the user
whose code that is. Outside of a run nothing is recorded.
"""

from __future__ import annotations

import logging
import math

from swell.script.current import Desk, desk_here
from swell.script.names import name_of_measure
from swell.segment import Outcome, Sort

_FAILED = int(Outcome.FAILED)
_warned: set[tuple[Sort, str]] = set()
"""Measures of which a refused value has been shown."""


class Measure:
    """A measure by name. Two of one name and kind are the same."""

    __slots__ = ("name",)
    _sort: Sort

    def __init__(self, name: str) -> None:
        self.name = name_of_measure(type(self).__name__.lower(), name)

    def __repr__(self) -> str:
        return f"{type(self).__name__.lower()}({self.name!r})"

    def _record(self, value: float, outcome: int = 0) -> None:
        desk = desk_here()
        if desk is not None and not record_value(desk, self._sort, self.name, value, outcome):
            self._warn(value)

    def _warn(self, value: float) -> None:
        key = self._sort, self.name
        if key not in _warned:
            _warned.add(key)
            logging.getLogger("swell.script").warning("%r cannot hold %r: such values are left out", self, value)


class Counter(Measure):
    """Amounts that add up: orders placed, bytes saved."""

    __slots__ = ()
    _sort = Sort.COUNTER

    def add(self, amount: float = 1) -> None:
        """Add an amount of 0 or more, up to 9 thousand million at a time; a millionth is the least that counts."""
        self._record(amount)


class Gauge(Measure):
    """Something that has one value at a time, of which the last counts: a queue's length, a version."""

    __slots__ = ()
    _sort = Sort.GAUGE

    def set(self, value: float) -> None:
        """It has this value from now on; any number."""
        self._record(value)


class Rate(Measure):
    """How much of something is true: cache hits, orders that were accepted at once."""

    __slots__ = ()
    _sort = Sort.RATE

    def add(self, is_true: object) -> None:
        """One more case, and whether it is true."""
        self._record(0, 0 if is_true else _FAILED)


class Trend(Measure):
    """Values whose distribution counts: milliseconds, bytes, a position in a queue."""

    __slots__ = ()
    _sort = Sort.TREND

    def add(self, value: float) -> None:
        """One more value, 0 or more, up to 9 thousand million. Percentiles have at most 0.4 % error from 0.001 on."""
        self._record(value)


def record_value(desk: Desk, sort: Sort, name: str, value: float, outcome: int) -> bool:
    """Record a value of a measure at a desk; False if such a measure cannot hold it."""
    try:
        value = float(value)
    except OverflowError:
        value = math.inf
    number = desk.recorder.measure(sort, desk.scenario, name)
    return desk.recorder.measured(desk.clock.now_ns(), number, sort, value, outcome)


def counter(name: str) -> Counter:
    """Amounts that add up, under this name: `counter("orders").add(2)`."""
    return Counter(name)


def gauge(name: str) -> Gauge:
    """A value of which the last counts: `gauge("queue").set(17)`."""
    return Gauge(name)


def rate(name: str) -> Rate:
    """How much of something is true: `rate("cache hits").add(r.headers.get("x-cache") == "hit")`."""
    return Rate(name)


def trend(name: str) -> Trend:
    """Values whose distribution counts: `trend("time in the queue").add(r.json()["waited_ms"])`."""
    return Trend(name)
