"""Arrivals of open and partly open loads: how many are wanted now, and in the end what became of each; iterations."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from swell.document import ArrivalSummary, ResultDocument, ScenarioSummary
from swell.report.figures import count_text, rate_text, share_text
from swell.report.labelled import Labelled
from swell.report.wording import visible
from swell.result import RunResult
from swell.stats.arrivals import arrivals, planned_rate_per_s

ITERATIONS = "iterations"
"""The model of a load that is a number of iterations."""


def arrival_section(document: ResultDocument) -> Iterator[RenderableType]:
    """The account of each load of arrivals."""
    if document.arrivals:
        named = len(document.arrivals) > 1
        yield Labelled("arrivals", [_line(found, named=named) for found in document.arrivals])


def iteration_section(document: ResultDocument) -> Iterator[RenderableType]:
    """How many iterations were done, of scenarios that have a number of them to do."""
    found = [row for row in document.scenarios if row.model == ITERATIONS and row.planned is not None]
    if found:
        yield Labelled("iterations", [_done(row, named=len(document.scenarios) > 1) for row in found])


def arrival_cells(result: RunResult) -> dict[str, Text]:
    """What the plan wants at the moment, and what has been dropped so far; nothing where no load is of arrivals."""
    found = arrivals(result)
    if not found:
        return {}
    dropped = sum(summary.dropped for summary in found)
    return {
        "arrivals/s": Text(rate_text(planned_rate_per_s(result.plan, result.at_s)), style="bold"),
        "dropped": Text(count_text(dropped), style="bold red" if dropped else ""),
    }


def _done(found: ScenarioSummary, *, named: bool) -> Text:
    line = Text(visible(f"{found.name}: ") if named else "")
    planned = found.planned or 0
    text = f"{count_text(found.iterations)} of {count_text(planned)} planned"
    return line.append(text, "yellow" if found.iterations < planned else "")


def _line(found: ArrivalSummary, *, named: bool) -> Text:
    line = Text(visible(f"{', '.join(found.scenarios)}: ") if named else "")
    line.append(f"{count_text(found.planned)} planned = {count_text(found.started)} started")
    for count, name, style in ((found.dropped, "dropped", "yellow"), (found.not_started, "not started", "red")):
        share = f" ({share_text(count, found.planned)})" if count else ""
        line.append(f" + {count_text(count)} {name}{share}", style if count else "")
    return line
