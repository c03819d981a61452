"""Runs that never took place: results made from a model of a target, for whoever has to tell two of them apart.

A model says how many calls there are a second, how long they take (lognormal), and what happens to that over time: a
level that wanders (autocorrelated), bursts, drift, a load that swings, steps that the plan makes.
"""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from swell.histogram import MAX_NS
from swell.load_plan import spawned
from swell.plan import RunPlan, Scenario
from swell.result import Block, End, RunResult, ScenarioTotals, Series
from swell.stats import packed

Floats = npt.NDArray[np.float64]
Random = np.random.Generator
STARTED_AT = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)
NAMES = ("Reader",)
TALLY_BITS = 51
USERS = 20


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """How a target answers. Levels are logarithms: 0.1 is 10 % slower."""

    seconds: int = 60
    calls_per_s: float = 100.0
    series: int = 1
    median_ms: float = 20.0
    sigma: float = 0.6
    correlation: float = 0.0
    """Of the level, from one second to the next."""
    wander: float = 0.0
    """The standard deviation of the level."""
    swing: float = 0.0
    """The standard deviation of the logarithm of the load, correlated in the same way."""
    random_walk: float = 0.0
    """How far the level goes in a second, and stays."""
    drift: float = 0.0
    """How far it has gone at the end, evenly."""
    steps: float = 0.0
    """The same, in five steps."""
    bursts_per_s: float = 0.0
    burst_s: int = 4
    burst: float = math.log(4)
    failing: float = 0.0
    """The share of calls that fail."""
    failing_wander: float = 0.0
    """The standard deviation of its logarithm, correlated in the same way."""
    tail: float = 1.0
    """By how much calls beyond p90 take longer."""
    rounded_ms: float = 0.0
    warm_up_s: int = 0
    """So long calls are few and slow at first."""
    even: bool = False
    """As many calls in every second, not a Poisson number of them."""


def simulated(target: Target, random: Random) -> RunResult:
    """A run against the target."""
    levels, rates = _levels(target, random), _rates(target, random)
    shares = np.clip(target.failing * np.exp(_wander(target, random, target.failing_wander)), 0, 1)
    per_series = rates / target.series
    parts = [_calls(target, random, number, levels, per_series, shares) for number in range(1, target.series + 1)]
    blocks = _blocks(target.seconds, *(np.concatenate(column) for column in zip(*parts, strict=True)))
    return run_of(blocks, target.seconds, target.series)


def run_of(blocks: tuple[Block, ...], seconds: float, series: int) -> RunResult:
    """The result of a run that did this."""
    whole = packed.pack_plain(0, math.ceil(seconds), packed.add([packed.unpack(block) for block in blocks]))
    plan = RunPlan(
        script="contest.py",
        scenarios=(Scenario(NAMES[0]),),
        host="http://127.0.0.1:8000",
        loads=(spawned(USERS, float(USERS), NAMES),),
        run_time_s=float(seconds),
    )
    return RunResult(
        run="simulated",
        plan=plan,
        started_at=STARTED_AT,
        at_s=float(seconds),
        settled_s=math.ceil(seconds),
        duration_s=float(seconds),
        end=End.COMPLETED,
        series=(Series("", "", "(other)"), *(Series(NAMES[0], "GET", f"/{n}") for n in range(1, series + 1))),
        whole=whole,
        scenarios=(
            ScenarioTotals(NAMES[0], users=np.full(math.ceil(seconds), USERS, packed.U32).tobytes(), users_peak=USERS),
        ),
        blocks=blocks,
    )


def index_of(durations_ns: Floats) -> npt.NDArray[np.int64]:
    """`histogram.index_of`, of many."""
    units = np.clip(durations_ns, 0, MAX_NS).astype(np.int64) >> 3
    shift = np.maximum(np.frexp(units.astype(np.float64))[1] - 8, 0)
    indices: npt.NDArray[np.int64] = shift * 128 + (units >> shift)
    return indices


def _levels(target: Target, random: Random) -> Floats:
    length = target.seconds
    levels = _wander(target, random, target.wander) + np.linspace(0, target.drift, length)
    levels += np.cumsum(random.normal(0, target.random_walk, length)) if target.random_walk else 0
    levels += target.steps * np.floor(np.arange(length) * 5 / length) / 5
    for start in np.flatnonzero(random.random(length) < target.bursts_per_s) if target.bursts_per_s else ():
        levels[start : start + target.burst_s] = target.burst
    levels[: target.warm_up_s] += 1
    return levels


def _rates(target: Target, random: Random) -> Floats:
    rates = target.calls_per_s * np.exp(_wander(target, random, target.swing))
    rates[: target.warm_up_s] /= 4
    return rates


def _wander(target: Target, random: Random, deviation: float) -> Floats:
    """A first-order autoregression in its steady state."""
    found = random.normal(0, deviation, target.seconds) if deviation else np.zeros(target.seconds)
    fresh = math.sqrt(1 - target.correlation**2)
    for second in range(1, target.seconds) if deviation else ():
        found[second] = target.correlation * found[second - 1] + fresh * found[second]
    return found


def _calls(
    target: Target, random: Random, number: int, levels: Floats, rates: Floats, shares: Floats
) -> tuple[npt.NDArray[np.int64], Floats, npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Second, duration in ns, series and failure of each call of a series."""
    counts = np.round(rates).astype(np.int64) if target.even else random.poisson(rates)
    seconds = np.repeat(np.arange(target.seconds), counts)
    normal = random.normal(0, target.sigma, len(seconds))
    median_ms = target.median_ms * (1 + number / 3)
    durations = median_ms * np.exp(levels[seconds] + normal)
    durations = np.where(normal > 1.2816 * target.sigma, durations * target.tail, durations)
    if target.rounded_ms:
        durations = np.maximum(np.round(durations / target.rounded_ms), 1) * target.rounded_ms
    failed = random.random(len(seconds)) < shares[seconds]
    return seconds, durations * 1e6, np.full(len(seconds), number), failed


def _blocks(
    seconds: int,
    second: npt.NDArray[np.int64],
    durations_ns: Floats,
    series: npt.NDArray[np.int64],
    failed: npt.NDArray[np.bool_],
) -> tuple[Block, ...]:
    hist = second << 32 | series << 17 | np.where(failed, 2, 0) << 13 | index_of(durations_ns)
    tally = second << TALLY_BITS | series << 40 | np.where(failed, 500 << 24 | 1 << 4 | 1, 200 << 24)
    nothing = packed.add([])
    hists = _per_second(packed.HIST, hist, seconds, 32)
    tallies = _per_second(packed.TALLY, tally, seconds, TALLY_BITS)
    return tuple(
        packed.pack_plain(at, at + 1, dataclasses.replace(nothing, hist=hist_then, tally=tally_then))
        for at, (hist_then, tally_then) in enumerate(zip(hists, tallies, strict=True))
    )


def _per_second(form: packed.Form, keys: npt.NDArray[np.int64], seconds: int, shift: int) -> Iterator[packed.Table]:
    """Keys below `shift` bits, and how often each occurs, of each second."""
    found, counts = np.unique(keys, return_counts=True)
    ends = np.searchsorted(found, np.arange(seconds + 1) << shift)
    kept = (found & ((1 << shift) - 1)).astype(form.key_type)
    for low, high in itertools.pairwise(ends.tolist()):
        yield packed.Table(form, kept[low:high], (counts[low:high].astype(packed.U64),))
