"""The document `swell.comparison/1`: two runs side by side, with a verdict on each thing that can be compared.

Durations are in milliseconds, rates per second, failures a share of calls from 0 to 1. Keys may be added under /1.
"""

from __future__ import annotations

import enum

import msgspec

SCHEMA = "swell.comparison/1"


class Thing(enum.Enum):
    """What is compared."""

    THROUGHPUT = "throughput"
    FAILURES = "failures"
    P50 = "p50"
    P95 = "p95"
    P99 = "p99"


class Finding(enum.Enum):
    """What a comparison has shown. More failures and less throughput count as slower."""

    FASTER = "faster"
    SLOWER = "slower"
    NO_DIFFERENCE = "no_difference_shown"
    TOO_FEW = "too_few_samples"


class Estimate(msgspec.Struct, frozen=True):
    """A value, and the interval that holds the true one with a confidence of 98 %; a bound is null where there is
    none."""

    value: float
    low: float | None
    high: float | None


class ThingCompared(msgspec.Struct, frozen=True, kw_only=True):
    """One thing of one series. What could not be said is null."""

    thing: Thing
    unit: str
    base: Estimate | None
    run: Estimate | None
    change: Estimate | None
    """run / base, with the interval at the level that its verdict was found at; of failures, run − base."""
    verdict: Finding
    p: float | None = None
    """How probable so great a difference is between runs of the same thing, before the correction for many verdicts."""
    level: float | None = None
    """What `p` was held against: 0.02 as Holm corrects it."""
    reason: str = ""
    """Why there are too few samples."""


class SeriesCompared(msgspec.Struct, frozen=True, kw_only=True):
    """One series, or all calls (where scenario, method and name are empty)."""

    scenario: str = ""
    method: str = ""
    name: str = ""
    tags: str = ""
    sort: str = "call"
    """call, or transaction"""
    base_calls: int
    run_calls: int
    only_in: str | None = None
    """base, or run, where the other has no such series."""
    things: tuple[ThingCompared, ...] = ()


class RunCompared(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two runs."""

    id: str
    name: str
    script: str
    target: str
    started_at: str
    duration_s: float
    state: str
    """Its own verdict: valid, degraded or invalid."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """The seconds of both runs that were compared."""

    from_s: int
    to_s: int
    step_s: int
    """How long the stretches are that were looked at: 1 s, longer ones of long runs."""
    warm_up_s: int
    warm_up: str
    """How it was found, or why there is none."""
    left_out: tuple[str, ...] = ()
    """What else was left out."""


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """What `--fail-if-slower` has found."""

    limit: float
    """0.05: up to 5 % slower passes."""
    failed: bool
    because: tuple[str, ...]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The whole document."""

    schema: str = SCHEMA
    level: float
    """How probable it is at most that any verdict of difference is wrong."""
    verdicts: int
    """How many things were tested."""
    base: RunCompared
    run: RunCompared
    warnings: tuple[str, ...]
    span: Span
    all: SeriesCompared
    series: tuple[SeriesCompared, ...]
    gate: Gate | None = None
