"""What was run, and where: the plan's facts for the page, in words."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from importlib.metadata import version

from swell.document import ResultDocument
from swell.plan import RunPlan
from swell.report.figures import count_text, seconds_text
from swell.report.html_bounds import Bounds, clipped
from swell.report.load_wording import load_text

Fact = tuple[str, str]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalRow:
    """What became of the arrivals of a load."""

    name: str
    planned: str
    started: str
    dropped: str
    not_started: str
    is_short: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ExportRow:
    """Where metrics went, and how often they got there."""

    to: str
    sent: str
    failed: str
    skipped: str
    fault: str
    trouble: bool


def facts(document: ResultDocument, bounds: Bounds) -> list[Fact]:
    """Name and value of each fact that is not its default."""
    found = [*_run_facts(document), *_plan_facts(document.run.plan)]
    shown = [(name, clipped(value, bounds.text_characters)) for name, value in found if value]
    return shown[: bounds.texts]


def started_text(document: ResultDocument) -> str:
    """31 January 2026, 12:00:00 UTC."""
    started = started_at(document)
    return f"{started.day} {started:%B %Y, %H:%M:%S} UTC"


def started_at(document: ResultDocument) -> datetime.datetime:
    """When the run began."""
    return datetime.datetime.fromisoformat(document.run.started_at).astimezone(datetime.UTC)


def load_texts(plan: RunPlan, bounds: Bounds) -> list[str]:
    """Every load of the plan; with the classes that it is for, where there are several."""
    if plan.shape:
        return [clipped(f"users planned by {plan.shape}", bounds.text_characters)]
    texts = []
    for load in plan.loads[: bounds.texts]:
        of = f"{', '.join(load.scenarios)}: " if len(plan.loads) > 1 else ""
        texts.append(clipped(of + load_text(load), bounds.text_characters))
    if more := len(plan.loads) - len(texts):
        texts.append(f"and {more:,} loads more")
    return texts


def arrival_rows(document: ResultDocument, bounds: Bounds) -> Iterator[ArrivalRow]:
    """The account of each load of arrivals or sessions."""
    for found in document.arrivals[: bounds.texts]:
        yield ArrivalRow(
            name=clipped(", ".join(found.scenarios), bounds.name_characters),
            planned=f"{found.planned:,}",
            started=f"{found.started:,}",
            dropped=f"{found.dropped:,}",
            not_started=f"{found.not_started:,}",
            is_short=found.dropped + found.not_started > 0,
        )


def export_rows(document: ResultDocument, bounds: Bounds) -> Iterator[ExportRow]:
    """Each place that the run's metrics went to."""
    for found in document.exports[: bounds.texts]:
        yield ExportRow(
            to=clipped(found.to, bounds.name_characters),
            sent=f"{found.sent:,}",
            failed=f"{found.failed:,}",
            skipped=f"{found.skipped:,}",
            fault=clipped(found.fault, bounds.text_characters),
            trouble=found.failed + found.skipped > 0,
        )


def made_by() -> str:
    """The version of this swell."""
    return version("swell")


def _run_facts(document: ResultDocument) -> Iterator[Fact]:
    run = document.run
    yield "run", run.id
    yield "script", run.script
    yield "target", run.target
    yield "started", started_text(document)
    hosts = sorted({worker.host for worker in document.workers if worker.host})
    yield "workers", f"{run.workers:,}" + (f" on {', '.join(hosts)}" if hosts else "")
    yield "swell", made_by()


def _plan_facts(plan: RunPlan) -> Iterator[Fact]:
    yield "run time", seconds_text(plan.run_time_s) if plan.run_time_s is not None else ""
    yield "stop timeout", seconds_text(plan.stop_timeout_s)
    yield "seed", str(plan.seed)
    yield "classes", ", ".join(_scenario_text(one.name, one.weight, one.fixed_count) for one in plan.scenarios)
    yield "tags", ", ".join(plan.tags)
    yield "without tags", ", ".join(plan.exclude_tags)
    yield "options of the script", " ".join(plan.script_arguments)
    yield "request id header", plan.request_id_header
    yield "resolve", ", ".join(plan.resolve)
    yield "source addresses", ", ".join(plan.source_addresses)


def _scenario_text(name: str, weight: float, fixed_count: int) -> str:
    if fixed_count:
        return f"{name} ({count_text(fixed_count)} fixed)"
    return name if weight == 1 else f"{name} (weight {weight:g})"
