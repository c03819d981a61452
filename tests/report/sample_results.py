"""Results as runs leave them, for whoever shows one: ordinary, empty, huge, hostile, troubled."""

from __future__ import annotations

import datetime
import math
import struct
from collections.abc import Iterable, Sequence

import msgspec

from swell.plan import RunPlan, Scenario
from swell.result import End, RunResult
from swell.segment import (
    MEASURES_FROM,
    VALUE_SCALE,
    Counters,
    ErrorSample,
    ErrorSamples,
    ExceptionCount,
    Health,
    ScenarioCount,
    Segment,
    SeriesName,
    Sort,
)
from swell.stats.merge import RunMerge
from tests.plans import plan_with
from tests.stats.segments import MS, Call, segment

NOON = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)
PATHS = ("/", "/login", "/problems", "/problems/:id", "/leaderboard")
BUSY_SAMPLE = ErrorSample(503, "http://127.0.0.1:8000/submit", "retry-after: 1", '{"error": "the judge is busy"}')
WELL = Health(cpu=0.42, loop_lag_p99_ms=0.3, loop_lag_max_ms=2.1, gc_pause_max_ms=1.5, fds=57)
STALLED = Health(cpu=0.99, loop_lag_p99_ms=80, loop_lag_max_ms=340, stalled_by="contest.py:9 Contestant.read", fds=57)
TRACEBACK = """Traceback (most recent call last):
  File "contest.py", line 17, in submit
    if r.json()["status"] != "accepted":
KeyError: 'status'
"""


def plan(users: int = 20, spawn_rate_per_s: float = 20.0, **changed: object) -> RunPlan:
    """A plan for the contest, 20 users for 10 s."""
    base = plan_with(
        users,
        spawn_rate_per_s,
        script="contest.py",
        scenarios=(Scenario("Contestant"),),
        host="http://127.0.0.1:8000",
        run_time_s=10.0,
    )
    return msgspec.structs.replace(base, **changed)


def response_ns(number: int, scale_ms: float) -> int:
    """Durations like a server's: most near the median, a long tail, the same every time."""
    share = (number * 0.618_033_988_749 + 0.011) % 1
    return round(scale_ms * math.exp(0.5 * math.log(share / (1 - share))) * MS)


def contest_calls(second: int, per_second: int = 100) -> list[Call]:
    """What the contest's users do in a second; some submissions fail in the seconds from 4 to 6."""
    calls = []
    for number in range(per_second):
        place = number % (len(PATHS) + 1) + 1
        took_ns = response_ns(second * per_second + number, 3.0 * place)
        calls.append(Call(second, place, took_ns + MS // 5, took_ns))
        if place == len(PATHS) + 1 and 4 <= second <= 6 and number % 4 == 1:
            calls.append(Call(second, place, 2 * took_ns, 2 * took_ns, status=503, error=1, failed=True))
    return calls


def new_merge(run_plan: RunPlan, workers: int = 2) -> RunMerge:
    """A run that has begun."""
    merge = RunMerge("run", run_plan, NOON)
    for worker in range(workers):
        merge.worker_joined(worker, 1, host="here", capacity=1.0, at_s=0.0)
    return merge


def contest_segments(seconds: int = 10, health: Health = WELL) -> Iterable[Segment]:
    """The reports of two workers, of which the first makes all the failures."""
    for worker in range(2):
        sent = 0
        for second in range(seconds):
            calls = contest_calls(second)
            calls = [call for call in calls if not (call.failed and worker)]
            sent += len(calls)
            yield segment(
                second + 1,
                calls,
                worker=worker,
                series=[*enumerate(PATHS, 1), (len(PATHS) + 1, "/submit")] if not second else (),
                errors=[(1, "HTTP 503")] if not second else (),
                error_samples=[ErrorSamples(6, 1, (BUSY_SAMPLE,))] if second == 4 and not worker else (),
                positions=(sent - len(calls), sent),
                counters=Counters(sent=sent, answered=sent),
                users=10,
                health=health,
            )


def running(at_s: float = 6.4, **changed: object) -> RunResult:
    """The contest while it runs."""
    merge = new_merge(plan(**changed))
    for one in contest_segments(int(at_s)):
        merge.apply(one)
    return merge.snapshot(at_s)


def ended(end: End = End.COMPLETED, text: str = "", exceptions: Sequence[ExceptionCount] = ()) -> RunResult:
    """The contest, carried through, with failures."""
    merge = new_merge(plan())
    for one in contest_segments():
        merge.apply(one)
    for worker in range(2):
        counters = Counters(sent=1_000, answered=1_000, redirected=12)
        merge.apply(
            segment(11, worker=worker, sealed_s=10.2, final=True, users=0, started=10, counters=counters,
                    exceptions=exceptions if not worker else ())
        )  # fmt: skip
    merge.ended(10.0, end, text)
    merge.close()
    return merge.snapshot()


def troubled() -> RunResult:
    """A run in which a worker died, another had no CPU left, and a task of the script raised."""
    merge = new_merge(plan(users=30))
    for one in contest_segments(health=STALLED):
        if one.worker == 0 or one.sequence <= 5:
            merge.apply(one)
    merge.worker_lost(1, 1, at_s=5.4, because="was killed by signal 9")
    last = segment(
        11,
        worker=0,
        sealed_s=10.2,
        final=True,
        users=0,
        started=10,
        exceptions=[ExceptionCount("KeyError: 'status'", TRACEBACK, 17), ExceptionCount("ValueError: bad", "", 1)],
        counters=Counters(sent=1_030, answered=1_018, unanswered=12, not_sent=3, retried=1),
    )
    merge.apply(last)
    merge.ended(10.0, End.STOPPED, "interrupted")
    merge.close()
    return merge.snapshot()


def without_requests() -> RunResult:
    """A run that ended before anything happened."""
    merge = new_merge(plan(run_time_s=None), workers=1)
    merge.ended(0.0, End.STOPPED)
    merge.close()
    return merge.snapshot()


HOSTILE = (
    "/[red]not red[/red]/[/]",
    "/\x1b[31mescape\x1b[0m/\r\n/tab\t/bell\a",
    "/問題/一覧/" + "日本語" * 30,
    "/emoji/👩‍👩‍👧‍👦/:smile:",
    "/right-to-left/\u202egnp.exe",
    "/surrogate/\ud800",
    "/long/" + "x" * 3_000 + "/the/end",
    "",
)


def hostile() -> RunResult:
    """Names, errors, samples and exceptions that a terminal could choke on."""
    merge = new_merge(plan(script="[bold]script\x1b[31m.py", host="http://[::1]:8000/[blue]"), workers=1)
    calls = [
        Call(0, number, took_ns, took_ns, failed=failed, error=number if failed else 0, status=500 if failed else 200)
        for number in range(1, len(HOSTILE) + 1)
        for took_ns, failed in ((12_345, False), (185_000 * MS, False), (3 * MS, True))
    ]
    names = list(enumerate(HOSTILE, 1))
    sample = ErrorSample(500, HOSTILE[1], HOSTILE[0], HOSTILE[2])
    merge.apply(
        segment(
            1,
            calls,
            series=names,
            errors=names,
            error_samples=[ErrorSamples(number, number, (sample,)) for number, _ in names],
            exceptions=[ExceptionCount(name, f"Traceback\n{name}", 1) for name in HOSTILE],
            users=1,
            final=True,
        )
    )
    merge.ended(1.0, End.COMPLETED, HOSTILE[0])
    merge.close()
    return merge.snapshot()


def of_many_series(series: int = 1_000, scenarios: int = 1) -> RunResult:
    """A run over many URLs."""
    merge = new_merge(plan(scenarios=tuple(Scenario(f"Visitor{number}") for number in range(scenarios))), workers=1)
    calls = [
        Call(0, number, number * MS, number * MS) for number in range(1, series + 1) for _ in range(1 + number % 7)
    ]
    names = [
        SeriesName(number, f"Visitor{number % scenarios}", "GET", f"/items/{number}") for number in range(1, series + 1)
    ]
    made = segment(1, calls, counters=Counters(sent=len(calls), answered=len(calls)), final=True)
    users = tuple(ScenarioCount(f"Visitor{number}", 0, 20 // scenarios) for number in range(scenarios))
    merge.apply(msgspec.structs.replace(made, series=tuple(names), scenarios=users))
    merge.ended(1.0, End.COMPLETED)
    merge.close()
    return merge.snapshot()


def measured() -> RunResult:
    """A run under way whose script has measured something of every sort, and made no call."""
    merge = new_merge(plan())
    sorts = (Sort.CHECK, Sort.TRANSACTION, Sort.COUNTER, Sort.GAUGE, Sort.RATE, Sort.TREND)
    check, transaction, counter, gauge, rate, trend = (MEASURES_FROM + number for number in range(1, 7))
    calls = [
        *(Call(0, check, status=0, failed=failed) for failed in [False] * 6 + [True] * 3),
        *(Call(0, transaction, status=0, failed=failed) for failed in (False, False, True)),
        Call(0, counter, status=0, bytes_out=7, bytes_in=VALUE_SCALE // 2),
        Call(0, gauge, status=0),
        *(Call(0, rate, status=0, failed=failed) for failed in (False, True)),
        *(Call(0, trend, status=0, response_ns=value * VALUE_SCALE) for value in (5, 40)),
    ]
    names = ("has a title", "checkout", "orders", "queue", "cached", "depth")
    series = tuple(
        SeriesName(MEASURES_FROM + number, "Contestant", "", name, sort)
        for number, (name, sort) in enumerate(zip(names, sorts, strict=True), 1)
    )
    block = segment(1, calls, users=3)
    seconds = msgspec.structs.replace(
        block.seconds[0], gauge_keys=struct.pack("<I", gauge), gauges=struct.pack("<Qddd", 1_000, -3.5, -10.0, 4.0)
    )
    merge.apply(msgspec.structs.replace(block, seconds=(seconds,), series=series))
    return merge.snapshot(1.2)
