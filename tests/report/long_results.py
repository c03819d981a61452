"""A contest's long day: hours of it, any number of series and errors, two workers, changes of plan, an outage.

Its blocks are made as a run leaves them: seconds of the last hour, 10 s before that.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from swell.load_plan import Closed, Curve, Leg, Load
from swell.plan import Revision, RunPlan, Scenario
from swell.result import (
    Block,
    ControllerFacts,
    End,
    ErrorSeen,
    HealthSpan,
    Incident,
    RunResult,
    ScenarioTotals,
    WorkerResult,
)
from swell.result import Series as NamedSeries
from swell.segment import Counters, ErrorSample, ErrorSamples, Health, Kind
from swell.stats import packed
from swell.stats.packed import BYTES, GAUGES, HIST, SUMS, TALLY, U32, U64, Table, Tables
from tests.report.sample_results import NOON

HOUR_S = 3_600
USERS = 400
WORDS = ("problems", "submissions", "leaderboard", "contests", "users", "messages", "ratings", "editorials")


def long_run(series: int = 1_000, hours: float = 8.0, errors: int = 1_000, sample_bytes: int = 1_024) -> RunResult:
    """The day. Each series is called in each block; every tenth fails now and then."""
    duration_s = round(hours * HOUR_S)
    random = np.random.default_rng(7)
    blocks = tuple(
        _block(random, from_s, width_s, series, errors, duration_s) for from_s, width_s in _places(duration_s)
    )
    whole = packed.add([_added(blocks[place : place + 500]) for place in range(0, len(blocks), 500)])
    return RunResult(
        run="5f3c9a1e77b2",
        plan=_plan(duration_s),
        revisions=(Revision(1, duration_s * 0.4, USERS * 5 // 4, 20.0), Revision(2, duration_s * 0.6, USERS, 20.0)),
        started_at=NOON,
        at_s=float(duration_s),
        settled_s=duration_s,
        duration_s=float(duration_s),
        end=End.COMPLETED,
        series=(NamedSeries("", "", "(other)"), *map(_series, range(series))),
        errors=("(other)", *(f"HTTP 503: the judge of queue {number} is busy" for number in range(1, errors + 1))),
        whole=packed.pack(0, duration_s, whole),
        blocks=blocks,
        errors_seen=tuple(_seen(number, series, duration_s) for number in range(1, errors + 1)),
        error_samples=tuple(_samples(number, series, sample_bytes) for number in range(1, errors + 1)),
        scenarios=(_users(duration_s),),
        workers=(_worker(0, duration_s), _worker(1, duration_s)),
        controller=ControllerFacts(stalls=(Incident(duration_s * 0.7, duration_s * 0.7 + 1.4, "tick()"),)),
    )  # fmt: skip


def _places(duration_s: int) -> list[tuple[int, int]]:
    old_s = max(duration_s - HOUR_S, 0) // 10 * 10
    return [*((second, 10) for second in range(0, old_s, 10)), *((second, 1) for second in range(old_s, duration_s))]


def _block(random: np.random.Generator, from_s: int, width_s: int, series: int, errors: int, duration_s: int) -> Block:
    """A busy block: about 300 calls a second, slower while the target is out of breath."""
    at = from_s / duration_s
    slow = 6.0 if 0.5 < at < 0.53 else 1.0 + 0.3 * np.sin(8 * at)
    numbers = np.arange(1, series + 1, dtype=np.uint64)
    counts = random.poisson(300 * width_s / series * min(1.0, at * 10 + 0.02), series).astype(np.uint64)
    numbers, counts = numbers[counts > 0], counts[counts > 0]
    took_ns = (random.lognormal(0, 0.5, len(numbers)) * (4 + numbers % 23) * slow * 1e6).astype(np.uint64)
    failed = (numbers % 10 == 3) & (random.random(len(numbers)) < (0.5 if slow > 5 else 0.01)) & (errors > 0)
    kinds = np.where(failed, int(Kind.FAILED_RESPONSE), int(Kind.RESPONSE)).astype(np.uint64)
    buckets = _buckets(took_ns)
    hist_keys = np.concatenate([numbers << 17 | kinds << 13 | buckets, numbers << 17 | (kinds + 1) << 13 | buckets])
    sum_keys = np.concatenate([numbers << 4 | kinds, numbers << 4 | (kinds + 1)])
    twice, durations = np.tile(counts, 2), np.tile(took_ns, 2)
    order, sum_order = np.argsort(hist_keys), np.argsort(sum_keys)
    error = np.where(failed, numbers % max(errors, 1) + 1, 0).astype(np.uint64)
    status = np.where(failed, 503, 200).astype(np.uint64)
    tally_keys = numbers << 40 | status << 24 | error << 4 | failed.astype(np.uint64)
    tables = Tables(
        Table(HIST, hist_keys[order].astype(U32), (twice[order],)),
        Table(SUMS, sum_keys[sum_order].astype(U32),
              tuple(row[sum_order] for row in (twice * durations, durations, durations))),
        Table(TALLY, tally_keys, (counts,)),
        Table(BYTES, numbers.astype(U32), (counts * 210, counts * 4_300)),
        Table(GAUGES, np.empty(0, U32), tuple(np.empty(0, U64) for _ in GAUGES.reducers)),
    )  # fmt: skip
    return packed.pack(from_s, from_s + width_s, tables)


def _buckets(values_ns: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """`histogram.index_of` of many at once."""
    units = values_ns >> np.uint64(3)
    shifts = np.maximum(np.frexp(units.astype(float))[1] - 8, 0).astype(np.uint64)
    return shifts * np.uint64(128) + (units >> shifts)


def _added(blocks: tuple[Block, ...]) -> Tables:
    return packed.add([packed.unpack(block) for block in blocks])


def _plan(duration_s: int) -> RunPlan:
    curve = Curve((Leg(duration_s / 10, 0, USERS), Leg(duration_s * 0.9, USERS, USERS)))
    return RunPlan(
        script="contest.py",
        scenarios=(Scenario("Contestant"),),
        host="https://test.example.com",
        loads=(Load(model=Closed(curve), scenarios=("Contestant",)),),
        workers=2,
    )


def _series(number: int) -> NamedSeries:
    return NamedSeries("Contestant", _method(number), _name(number))


def _method(number: int) -> str:
    return "POST" if number % 5 == 2 else "GET"


def _name(number: int) -> str:
    return f"/{WORDS[number % len(WORDS)]}/:id" + (f"/{number // len(WORDS)}" if number >= len(WORDS) else "")


def _seen(number: int, series: int, duration_s: int) -> ErrorSeen:
    return ErrorSeen(number % series + 1, number, 5_000 // number + 1, duration_s * 0.5, duration_s * 0.53)


def _samples(number: int, series: int, body_bytes: int) -> ErrorSamples:
    body = (f'{{"error": "the judge is busy", "queue": {number}}} ' * 40)[:body_bytes]
    headers = "content-type: application/json\nretry-after: 1\nserver: nginx"
    sample = ErrorSample(503, f"https://test.example.com/submit?n={number}", headers, body)
    return ErrorSamples(number % series + 1, number, (sample,) * 3)


def _users(duration_s: int) -> ScenarioTotals:
    users = np.minimum(np.arange(duration_s) * 10 / duration_s, 1) * USERS
    users[round(duration_s * 0.4) : round(duration_s * 0.6)] = USERS * 5 // 4
    peak = int(users.max(initial=0))
    return ScenarioTotals(
        "Contestant", users=users.astype(U32).tobytes(), users_peak=peak, started=peak, iterations=9_999
    )


def _worker(number: int, duration_s: int) -> WorkerResult:
    step_s = max(duration_s / 1_800, 1.0)
    spans = tuple(
        HealthSpan(
            place * step_s,
            (place + 1) * step_s,
            Health(cpu=0.4 + 0.1 * number + 0.05 * np.sin(place / 9), loop_lag_p99_ms=0.3, fds=220, gc_pause_max_ms=1.5,
                   loop_lag_max_ms=2 + place % 7, schedule_lag_p99_ms=0.2, rss_bytes=84_000_000),
        )
        for place in range(int(duration_s / step_s))
    )  # fmt: skip
    counters = Counters(sent=4_000_000, answered=3_999_900, unanswered=100)
    return WorkerResult(
        worker=number, incarnation=1, host="load-1", reported_s=float(duration_s), final=True, counters=counters,
        health=spans,
    )  # fmt: skip
