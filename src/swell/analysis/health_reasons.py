"""The reasons that lie in the health of worker processes: CPU, the event loop, file descriptors, ports."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator

from swell.analysis.evidence import Evidence, listed
from swell.document import Reason, ReasonCode
from swell.result import HealthSpan, WorkerResult

SATURATED_CPU = 0.95
SATURATED_S = 3.0
STALLED_MS = 100.0
THROTTLED_SHARE = 0.05
"""A quota that held a worker up for less of the time is not what kept it from more."""
ROUNDING_S = 0.05
"""Reports are sealed at the second, give or take."""


@dataclasses.dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring spans of one worker that show the same trouble."""

    worker: WorkerResult
    spans: tuple[HealthSpan, ...]

    @property
    def from_s(self) -> float:
        """Its start."""
        return self.spans[0].from_s

    @property
    def to_s(self) -> float:
        """Its end."""
        return self.spans[-1].to_s


def stretches(workers: Iterable[WorkerResult], troubled: Callable[[HealthSpan], bool]) -> list[Stretch]:
    """All stretches of trouble, worker by worker."""
    found = []
    for worker in workers:
        current: list[HealthSpan] = []
        for span in worker.health:
            if troubled(span):
                current.append(span)
            elif current:
                found.append(Stretch(worker, tuple(current)))
                current = []
        if current:
            found.append(Stretch(worker, tuple(current)))
    return found


def generator_saturated(evidence: Evidence) -> Iterator[Reason]:
    """A worker had no CPU left, of a core or of what its quota and other processes leave it."""
    busy = stretches(evidence.result.workers, lambda span: max(span.health.cpu, span.health.busy) > SATURATED_CPU)
    saturated = [stretch for stretch in busy if stretch.to_s - stretch.from_s >= SATURATED_S - ROUNDING_S]
    if not saturated:
        return
    cpu = max(span.health.cpu for stretch in saturated for span in stretch.spans)
    throttled = max(span.health.throttled for stretch in saturated for span in stretch.spans)
    names = sorted({f"{stretch.worker.worker}" for stretch in saturated}, key=int)
    who = f"worker {names[0]}" if len(names) == 1 else f"{len(names)} of {_workers(evidence)} workers"
    text = f"{who} used up to {100 * cpu:.0f} % of a core"
    if throttled > THROTTLED_SHARE:
        text += f", and the CPU quota held it up for {100 * throttled:.0f} % of a second"
    elif cpu <= SATURATED_CPU:
        text += ", all that other processes left of it"
    if evidence.closed and evidence.ends.clock == "kernel":
        text += ": throughput is the generator's limit; latencies hold"
    else:
        text += ": throughput and latencies are the generator's too"
    if evidence.shortfall:
        text += f"; {evidence.shortfall}"
    yield _reason(ReasonCode.GENERATOR_SATURATED, text, saturated)


def loop_stalled(evidence: Evidence) -> Iterator[Reason]:
    """Something in user code held up every user of a worker."""
    stalled = stretches(evidence.result.workers, lambda span: span.health.loop_lag_max_ms > STALLED_MS)
    spans = [(span, stretch.worker) for stretch in stalled for span in stretch.spans]
    longest: dict[str, tuple[float, WorkerResult]] = {}
    for span, worker in spans:
        by, lag_ms = span.health.stalled_by, span.health.loop_lag_max_ms
        if lag_ms > longest.get(by, (0.0, worker))[0]:
            longest[by] = lag_ms, worker
    texts = [
        f"worker {worker.worker} stood still for {lag_ms:.0f} ms" + (f" in {by}" if by else "")
        for by, (lag_ms, worker) in sorted(longest.items(), key=lambda item: -item[1][0])
    ]
    if stalled:
        yield _reason(ReasonCode.LOOP_STALLED, listed(texts), stalled)


def fd_exhausted(evidence: Evidence) -> Iterator[Reason]:
    """Connections were not opened for want of a file descriptor."""
    out = stretches(evidence.result.workers, lambda span: span.health.fd_exhausted > 0)
    if out:
        count = sum(span.health.fd_exhausted for stretch in out for span in stretch.spans)
        limit = max(span.health.fds_limit for stretch in out for span in stretch.spans)
        text = f"{count:,} connections found no file descriptor free (limit {limit:,} a worker)"
        yield _reason(ReasonCode.FD_EXHAUSTED, text, out)


def ports_exhausted(evidence: Evidence) -> Iterator[Reason]:
    """Connections were not opened for want of a local port."""
    out = stretches(evidence.result.workers, lambda span: span.health.ports_exhausted > 0)
    if out:
        count = sum(span.health.ports_exhausted for stretch in out for span in stretch.spans)
        text = f"{count:,} connections found no local port free: give more --source-address"
        yield _reason(ReasonCode.PORTS_EXHAUSTED, text, out)


def spool_failed(evidence: Evidence) -> Iterator[Reason]:
    """Reports were kept in memory only: with their worker they would have been lost."""
    out = stretches(evidence.result.workers, lambda span: span.health.unspooled > 0)
    if out:
        count = sum(span.health.unspooled for stretch in out for span in stretch.spans)
        names = sorted({stretch.worker.worker for stretch in out})
        whose = f"worker {names[0]}" if len(names) == 1 else f"{len(names)} workers"
        text = f"{count:,} reports of {whose} found no room on the disk: had it died, they might be missing"
        yield _reason(ReasonCode.SPOOL_FAILED, text, out)


def _workers(evidence: Evidence) -> int:
    return len({worker.worker for worker in evidence.result.workers})


def _reason(code: ReasonCode, text: str, found: list[Stretch]) -> Reason:
    return Reason(code, text, min(stretch.from_s for stretch in found), max(stretch.to_s for stretch in found))


HEALTH_RULES: tuple[Callable[[Evidence], Iterator[Reason]], ...] = (
    generator_saturated,
    loop_stalled,
    fd_exhausted,
    ports_exhausted,
    spool_failed,
)
