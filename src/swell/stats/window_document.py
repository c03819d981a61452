"""A stretch of a run, summed up as the whole run is: exact percentiles, of whole blocks of time."""

from __future__ import annotations

import msgspec

from swell.document import ResultDocument, WindowDocument, WindowTotals
from swell.result import Block, ErrorSeen, RunResult
from swell.stats import counts, packed
from swell.stats.summary import summarise
from swell.stats.users import users_per_second
from swell.stats.windows import Window, window


def summarise_window(result: RunResult, from_s: int, to_s: int) -> ResultDocument:
    """The document of a run as if it had been [from_s, to_s) and nothing else, with the seconds of the run. What is
    known only of the whole run (its end, its plan, its accounting, its verdict, its workers) is that of the run."""
    part = window(result, from_s, to_s)
    blocks = tuple(block for block in result.blocks if part.from_s <= block.from_s < part.to_s)
    cut = msgspec.structs.replace(
        result,
        whole=packed.pack(part.from_s, part.to_s, part.tables),
        blocks=blocks,
        duration_s=_planned_until_s(result, part) - part.from_s,
        errors_seen=_errors_seen(blocks),
    )
    document, whole = summarise(cut), summarise(result)
    users = users_per_second(result)[part.from_s : part.to_s]
    return msgspec.structs.replace(
        whole,
        totals=msgspec.structs.replace(document.totals, users_peak=max(users, default=0)),
        series=document.series,
        errors=document.errors,
        checks=document.checks,
        transactions=document.transactions,
        measures=document.measures,
        exceptions=(),
        timeline=tuple(point for point in whole.timeline if part.from_s <= point.t_s < part.to_s),
    )


def window_document(result: RunResult, from_s: int, to_s: int) -> WindowDocument:
    """The document `swell.window/1`."""
    part, document = window(result, from_s, to_s), summarise_window(result, from_s, to_s)
    totals = {name: getattr(document.totals, name) for name in WindowTotals.__struct_fields__}
    return WindowDocument(
        run=result.run,
        from_s=part.from_s,
        to_s=part.to_s,
        totals=WindowTotals(**totals),
        series=document.series,
        errors=document.errors,
        checks=document.checks,
        transactions=document.transactions,
        measures=document.measures,
        timeline=document.timeline,
    )


def _planned_until_s(result: RunResult, part: Window) -> float:
    """Where a stretch ends that rates are over: the run's own are over its plan, without the drain behind it."""
    return min(float(part.to_s), result.duration_s) if result.duration_s > part.from_s else float(part.to_s)


def _errors_seen(blocks: tuple[Block, ...]) -> tuple[ErrorSeen, ...]:
    """Every error of every series, in the blocks."""
    found: dict[tuple[int, int], ErrorSeen] = {}
    for block in blocks:
        for series, error, count in counts.failures(packed.unpack(block)):
            seen = found.get((series, error), ErrorSeen(series, error, 0, float(block.from_s), float(block.from_s)))
            found[series, error] = ErrorSeen(series, error, seen.count + count, seen.first_s, float(block.from_s))
    return tuple(found.values())
