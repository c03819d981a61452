"""Whether a run's numbers may be used: every reason for a caveat, each with its limit.

*degraded*: the numbers need a caveat. *invalid*: they should not be used: more than 1 % of the exchanges are
unaccounted for, or planned starts were late by over 10 % of the median response, and over 1 ms, in the median. A
reason's `own_fault` says that load was lost, or not reached, through the generator itself: then the exit code is 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from swell.analysis.evidence import Evidence, listed
from swell.analysis.health_reasons import HEALTH_RULES
from swell.analysis.load_reasons import LOAD_RULES
from swell.document import Reason, ReasonCode, State, Verdict
from swell.histogram import Histogram
from swell.result import Incident, RunResult, WorkerResult
from swell.segment import Kind
from swell.stats import packed
from swell.stats.accounting import unaccounted
from swell.stats.latency import FEW
from swell.stats.windows import Window

UNACCOUNTED_INVALID_SHARE = 0.01
SCHEDULE_LAG_P99_MS = 10.0
SCHEDULE_LAG_P50_INVALID_SHARE = 0.1
SCHEDULE_LAG_P50_INVALID_MS = 1.0
"""Lateness under this is the loop's own grain: it says nothing, however fast the target answers."""
PLANNED_SHARE = 0.01
"""Where fewer of the calls than this were planned starts, these do not make all the others useless."""
UNSTAMPED_SHARE = 0.001
CONTROLLER_STALL_S = 1.0


def judge(result: RunResult) -> Verdict:
    """The verdict on a run, finished or not."""
    evidence = Evidence(result)
    reasons = tuple(reason for rule in RULES for reason in rule(evidence))
    if any(reason.invalidates for reason in reasons):
        return Verdict(State.INVALID, reasons)
    return Verdict(State.DEGRADED if reasons else State.VALID, reasons)


def worker_lost(evidence: Evidence) -> Iterator[Reason]:
    """A worker died or fell silent."""
    lost = [worker for worker in evidence.result.workers if worker.lost_at_s is not None]
    if lost:
        texts = [
            f"worker {_name(worker)} {worker.lost_because or 'was lost'} at {worker.lost_at_s:.1f} s" for worker in lost
        ]
        at_s = [worker.lost_at_s or 0.0 for worker in lost]
        yield Reason(ReasonCode.WORKER_LOST, listed(texts), min(at_s), max(at_s), own_fault=True)


def _name(worker: WorkerResult) -> str:
    return f"{worker.worker}.{worker.incarnation}"


def unaccounted_for(evidence: Evidence) -> Iterator[Reason]:
    """Exchanges of which nobody can tell how they ended."""
    count, sent = evidence.accounting.unaccounted, evidence.accounting.sent
    if count:
        share = count / max(sent, count)
        from_s, to_s = evidence.span_of_workers(unaccounted)
        yield Reason(
            ReasonCode.UNACCOUNTED,
            f"{count:,} exchanges are unaccounted for, {100 * share:.2f} % of what was sent",
            from_s,
            to_s,
            own_fault=True,
            invalidates=share > UNACCOUNTED_INVALID_SHARE,
        )


def schedule_late(evidence: Evidence) -> Iterator[Reason]:
    """Planned starts came late."""
    lag, response = evidence.lag, evidence.response
    if not lag.total:
        return
    p50_ms, p99_ms = lag.quantile_ns(0.5) / 1e6, lag.quantile_ns(0.99) / 1e6
    response_p50_ms = response.quantile_ns(0.5) / 1e6
    limit_ms = max(SCHEDULE_LAG_P50_INVALID_SHARE * response_p50_ms, SCHEDULE_LAG_P50_INVALID_MS)
    invalid = response.total > 0 and p50_ms > limit_ms and lag.total >= PLANNED_SHARE * response.total
    if not invalid and _believable_p99_ms(lag) <= SCHEDULE_LAG_P99_MS:
        return
    text = f"planned starts were late by {p50_ms:.3g} ms in the median, {p99_ms:.3g} ms at p99"
    if invalid:
        text += f", against a median response of {response_p50_ms:.3g} ms"
    yield Reason(ReasonCode.SCHEDULE_LATE, text, *_late_span(evidence.result), invalidates=invalid)


def _believable_p99_ms(lag: Histogram) -> float:
    """The p99, or below a thousand starts the highest quantile that ten lie beyond: three late ones prove nothing."""
    return lag.quantile_ns(min(0.99, max(1 - FEW / lag.total, 0.0))) / 1e6


def _late_span(result: RunResult) -> tuple[float | None, float | None]:
    windows = (Window(block.from_s, block.to_s, packed.unpack(block)) for block in result.blocks)
    late = [found for found in windows if found.histogram((Kind.LAG,)).quantile_ns(0.99) > SCHEDULE_LAG_P99_MS * 1e6]
    return (float(late[0].from_s), float(late[-1].to_s)) if late else (None, None)


def unstamped(evidence: Evidence) -> Iterator[Reason]:
    """Responses that the kernel did not stamp."""
    count = sum(worker.counters.unstamped for worker in evidence.result.workers)
    answered = max(evidence.accounting.answered, count)
    if count and count / answered > UNSTAMPED_SHARE:
        text = f"{count:,} of {answered:,} responses carry no kernel stamp: the user's clock timed them"
        yield Reason(ReasonCode.UNSTAMPED, text, *evidence.span_of_workers(lambda worker: worker.counters.unstamped))


def samples_lost(evidence: Evidence) -> Iterator[Reason]:
    """Calls that were done and could not be recorded."""
    count = sum(worker.counters.samples_lost for worker in evidence.result.workers)
    if count:
        text = f"{count:,} calls could not be recorded: they are in no table"
        from_s, to_s = evidence.span_of_workers(lambda worker: worker.counters.samples_lost)
        yield Reason(ReasonCode.SAMPLES_LOST, text, from_s, to_s, own_fault=True)


def controller_stalled(evidence: Evidence) -> Iterator[Reason]:
    """Code in the controller held it up."""
    stalls = [stall for stall in evidence.result.controller.stalls if stall.to_s - stall.from_s > CONTROLLER_STALL_S]
    texts = [f"the controller stood still for {stall.to_s - stall.from_s:.1f} s in {stall.what}" for stall in stalls]
    texts += texts[-1:] * evidence.result.controller.stalls_beyond
    yield from _of_incidents(ReasonCode.CONTROLLER_STALLED, stalls, texts)


def store_failed(evidence: Evidence) -> Iterator[Reason]:
    """The run could not be stored as it went on."""
    failures = evidence.result.controller.store_failures
    texts = [f"the run could not be stored: {failure.what}" for failure in failures]
    yield from _of_incidents(ReasonCode.STORE_FAILED, failures, texts)


def controller_restarted(evidence: Evidence) -> Iterator[Reason]:
    """The controller died and came back."""
    restarts = evidence.result.controller.restarts
    texts = [f"the controller was gone from {restart.from_s:.1f} s to {restart.to_s:.1f} s" for restart in restarts]
    yield from _of_incidents(ReasonCode.CONTROLLER_RESTARTED, restarts, texts)


def _of_incidents(
    code: ReasonCode, incidents: list[Incident] | tuple[Incident, ...], texts: list[str]
) -> Iterator[Reason]:
    if incidents:
        from_s, to_s = (min(found.from_s for found in incidents), max(found.to_s for found in incidents))
        yield Reason(code, listed(texts), from_s, to_s)


RULES: tuple[Callable[[Evidence], Iterator[Reason]], ...] = (
    worker_lost,
    unaccounted_for,
    samples_lost,
    *LOAD_RULES,
    schedule_late,
    *HEALTH_RULES,
    unstamped,
    controller_stalled,
    store_failed,
    controller_restarted,
)
