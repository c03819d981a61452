"""What a threshold is made of, and how it is written: `GET /login: p99.9 < 1s over 30s after 1m abort`.

`parser.py` reads one; `str` of it can be read again, and gives the same.
"""

from __future__ import annotations

import dataclasses
import enum
import operator
import re
from collections.abc import Callable
from decimal import Decimal

from swell.segment import Kind, Sort
from swell.stats.thresholds.tags import Tags
from swell.stats.thresholds.words import quoted

TRANSACTION = "transaction"


class Dimension(enum.Enum):
    """What a figure is measured in, and so which units its limit may have."""

    DURATION = "a duration"
    SHARE = "a share"
    RATE = "a rate"
    COUNT = "a count"
    VALUE = "a value of the script's own"


UNITS: dict[Dimension, dict[str, float]] = {
    Dimension.DURATION: {"us": 0.001, "µs": 0.001, "μs": 0.001, "ms": 1.0, "s": 1_000.0, "m": 60_000.0},
    Dimension.SHARE: {"%": 1.0},
    Dimension.RATE: {"/s": 1.0, "/m": 1 / 60, "/h": 1 / 3_600},
    Dimension.COUNT: {"": 1.0},
    Dimension.VALUE: {"": 1.0},
}
"""Each unit in terms of the one that the result shows: ms, %, /s."""
SHOWN_UNITS = {Dimension.DURATION: "ms", Dimension.SHARE: "%", Dimension.RATE: "/s"}


class Figure(enum.Enum):
    """What is asked of the calls, or of a measure, that a threshold is about."""

    QUANTILE = "p"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    ERRORS = "errors"
    """The share of calls that failed."""
    RPS = "rps"
    FAILURES_PER_S = "failures_per_s"
    REQUESTS = "requests"
    FAILURES = "failures"
    USERS = "users"
    """The most at a time."""
    DROPPED = "dropped"
    MISSED = "missed"
    ITERATIONS = "iterations"
    EXCEPTIONS = "exceptions"
    """Raised by the script."""
    PASSED = "passed"
    """The share of a check that passed, of a rate that was true."""
    SUM = "sum"
    """Of a counter."""
    SUM_PER_S = "sum_per_s"
    LAST = "last"
    """Of a gauge."""


DURATIONS = (Figure.QUANTILE, Figure.MEAN, Figure.MIN, Figure.MAX)
OF_SCENARIOS = (Figure.USERS, Figure.DROPPED, Figure.MISSED, Figure.ITERATIONS)
"""Figures that only whole scenarios have."""
RUNNING_TOTALS = (Figure.DROPPED, Figure.MISSED, Figure.ITERATIONS, Figure.EXCEPTIONS)
"""Figures of which only the whole run's is known."""
GROWING = (Figure.REQUESTS, Figure.FAILURES, Figure.SUM, Figure.EXCEPTIONS, *OF_SCENARIOS)
"""Figures that never fall while a run goes on."""
ON_ERRORS = (Figure.ERRORS, Figure.FAILURES, Figure.FAILURES_PER_S)
DIMENSIONS = {
    **dict.fromkeys(DURATIONS, Dimension.DURATION),
    **dict.fromkeys((Figure.ERRORS, Figure.PASSED), Dimension.SHARE),
    **dict.fromkeys((Figure.RPS, Figure.FAILURES_PER_S, Figure.SUM_PER_S), Dimension.RATE),
    **dict.fromkeys((Figure.REQUESTS, Figure.FAILURES, Figure.EXCEPTIONS, *OF_SCENARIOS), Dimension.COUNT),
    **dict.fromkeys((Figure.SUM, Figure.LAST), Dimension.VALUE),
}


class Duration(enum.Enum):
    """Which of a call's durations; the word that stands before the quantile."""

    RESPONSE = "response"
    SERVICE = "service"
    FAILED = "failed"
    ALL = "all"
    LAG = "lag"
    CONNECT = "connect"
    FIRST_BYTE = "first_byte"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The histograms that hold it."""
        return KINDS[self]


KINDS = {
    Duration.RESPONSE: (Kind.RESPONSE,),
    Duration.SERVICE: (Kind.SERVICE,),
    Duration.FAILED: (Kind.FAILED_RESPONSE,),
    Duration.ALL: (Kind.RESPONSE, Kind.FAILED_RESPONSE),
    Duration.LAG: (Kind.LAG,),
    Duration.CONNECT: (Kind.CONNECT,),
    Duration.FIRST_BYTE: (Kind.FIRST_BYTE,),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Measure:
    """A check or a measure of the script's own, by its name."""

    sort: Sort
    name: str

    def __str__(self) -> str:
        return f"{self.sort.name.lower()} {quoted(self.name)}"


@dataclasses.dataclass(frozen=True, slots=True)
class Metric:
    """The number that is compared. `percent` is that of a quantile: 99.9."""

    figure: Figure
    percent: float = 0.0
    duration: Duration = Duration.RESPONSE
    measure: Measure | None = None

    @property
    def dimension(self) -> Dimension:
        """What it is measured in."""
        return Dimension.VALUE if self.measure and self.figure in DURATIONS else DIMENSIONS[self.figure]

    @property
    def unit(self) -> str:
        """The unit in which its value is shown."""
        return SHOWN_UNITS.get(self.dimension, "")

    @property
    def q(self) -> float:
        """The quantile, from 0 to 1."""
        return float(Decimal(repr(self.percent)) / 100)

    def __str__(self) -> str:
        figure = f"p{plain(self.percent)}" if self.figure is Figure.QUANTILE else self.figure.value
        if self.measure:
            return f"{self.measure} {figure}" if self.figure in DURATIONS else str(self.measure)
        return figure if self.duration is Duration.RESPONSE else f"{self.duration.value} {figure}"


class Comparison(enum.Enum):
    """How the value has to stand to the limit."""

    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    EQUAL = "=="
    UNEQUAL = "!="

    def holds(self, value: float, limit: float) -> bool:
        """Whether the demand is met."""
        return OPERATORS[self](value, limit)

    def badness(self, value: float, limit: float) -> float:
        """The greater, the worse the value for the demand."""
        if self in (Comparison.LESS, Comparison.AT_MOST):
            return value
        if self in (Comparison.MORE, Comparison.AT_LEAST):
            return -value
        return abs(value - limit) if self is Comparison.EQUAL else -abs(value - limit)


OPERATORS: dict[Comparison, Callable[[float, float], bool]] = {
    Comparison.LESS: operator.lt,
    Comparison.AT_MOST: operator.le,
    Comparison.MORE: operator.gt,
    Comparison.AT_LEAST: operator.ge,
    Comparison.EQUAL: operator.eq,
    Comparison.UNEQUAL: operator.ne,
}


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """What a value is compared with: an amount in a unit, or so many percent of the baseline's value."""

    amount: float
    unit: str = ""
    of_baseline: bool = False

    def value(self, dimension: Dimension, baseline: float | None = None) -> float:
        """The limit in the unit of the result."""
        if self.of_baseline:
            assert baseline is not None
            return self.amount / 100 * baseline
        return self.amount * UNITS[dimension][self.unit]

    def __str__(self) -> str:
        return f"{plain(self.amount)}%" + " of baseline" if self.of_baseline else f"{plain(self.amount)}{self.unit}"


@dataclasses.dataclass(frozen=True, slots=True)
class Selector:
    """What stands before the colon: a scenario, `METHOD name` or a name; of calls, or of transactions; or tags."""

    text: str = ""
    """'' where tags alone say which calls."""
    transaction: bool = False
    tags: Tags | None = None

    def __str__(self) -> str:
        text = self.text if NEEDS_NO_QUOTES.fullmatch(self.text) else quoted(self.text)
        if self.tags:
            return f"{text} {self.tags}" if self.text else str(self.tags)
        return f"{TRANSACTION} {text}" if self.transaction else text


@dataclasses.dataclass(frozen=True, slots=True)
class Threshold:
    """A demand on a run."""

    metric: Metric
    comparison: Comparison
    limit: Limit
    selector: Selector | None = None
    over_s: int | None = None
    """Each full window of so many seconds has to meet it."""
    after_s: int = 0
    """What was before then does not count."""
    abort: bool = False
    """The run ends as soon as it is not met."""

    @property
    def on_errors(self) -> bool:
        """Whether it judges failed calls, so that these alone are no reason for an exit code."""
        return self.metric.figure in ON_ERRORS and not (self.selector and self.selector.transaction)

    def __str__(self) -> str:
        parts = [f"{self.metric} {self.comparison.value} {self.limit}"]
        if self.over_s is not None:
            parts.append(f"over {clause_duration(self.over_s)}")
        if self.after_s:
            parts.append(f"after {clause_duration(self.after_s)}")
        if self.abort:
            parts.append("abort")
        text = " ".join(parts)
        return f"{self.selector}: {text}" if self.selector else text


NEEDS_NO_QUOTES = re.compile(rf"(?!{TRANSACTION}\b)(?!.*: )(?!\[)[^\s\"\\]+(?: (?!\[)[^\s\"\\]+)*(?<!:)")


def plain(number: float) -> str:
    """A number with all its digits and no exponent, as short as it can be."""
    return format(Decimal(repr(number)).normalize() + 0, "f")


def clause_duration(seconds: int) -> str:
    """Seconds as a clause has them: 45s, 1m30s, 2h."""
    parts = ((seconds // 3_600, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"
