"""A run as one HTML page that needs nothing else: no network, no other file.

Headline, figures and tables are in the page's markup; its script adds charts, sorting and filtering. Whatever came
from a target or a script goes through the templates' escaping, and a content security policy names the one script
that may run.
"""

from __future__ import annotations

import functools
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from swell.document import ResultDocument
from swell.errors import RunFailed
from swell.report.failure_sections import error_groups
from swell.report.html_assets import Assets, read_assets
from swell.report.html_bounds import LEVELS, LIMIT_BYTES, Bounds, clipped
from swell.report.html_charts import charts
from swell.report.html_failures import error_rows, exception_rows
from swell.report.html_json import script_json
from swell.report.html_marks import marks
from swell.report.html_measures import (
    check_rows,
    feed_notes,
    feed_rows,
    loss_notes,
    measure_rows,
    trace_rows,
    transaction_rows,
)
from swell.report.html_plan import arrival_rows, export_rows, facts, load_texts, made_by, started_text
from swell.report.html_sections import (
    account_rows,
    duration_text,
    generator_figures,
    key_figures,
    latency_rows,
    reason_rows,
    scenario_rows,
    threshold_rows,
)
from swell.report.html_series import chosen, detailed, rows_of, strip_scale
from swell.report.html_workers import worker_notes, worker_rows
from swell.report.trust_sections import STATE_TEXTS
from swell.result import RunResult

View = dict[str, Any]
"""What the templates are given."""


def to_html(result: RunResult, document: ResultDocument) -> str:
    """The page, under a megabyte of UTF-8. Raises RunFailed where its script and style have not been built."""
    assets = read_assets()
    for bounds in LEVELS:
        page = _rendered(result, document, assets, bounds)
        if len(page.encode()) < LIMIT_BYTES:
            return page
    raise RunFailed(f"the page of run {document.run.id} does not fit into {LIMIT_BYTES:,} bytes")


def _rendered(result: RunResult, document: ResultDocument, assets: Assets, bounds: Bounds) -> str:
    view = _view(result, document, bounds)
    return _templates().get_template("page.html").render(
        view,
        policy=assets.policy,
        script=Markup(assets.script),  # swell's own
        style=Markup(assets.style),
    )  # fmt: skip


@functools.cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("swell.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _view(result: RunResult, document: ResultDocument, bounds: Bounds) -> View:
    shown_marks, marks_hidden = marks(result, document, bounds)
    series = chosen(document.series, bounds)
    opening = detailed(series, bounds)
    scale = strip_scale(series)
    errors, errors_hidden = error_rows(document, bounds)
    exceptions, exceptions_hidden = exception_rows(document, bounds)
    drawn = charts(result, document, shown_marks, opening, bounds)
    return {
        **_head(document, bounds),
        "marks": shown_marks,
        "marks_hidden": marks_hidden,
        "latency": latency_rows(document),
        "clock": document.generator.clock,
        "series": list(rows_of(series, opening, scale, bounds)),
        "series_hidden": len(document.series) - len(series),
        "opening": len(opening),
        "scale": scale,
        "several_scenarios": len({row.scenario for row in series}) > 1,
        "errors": errors,
        "errors_hidden": errors_hidden,
        "error_groups": len(error_groups(document.errors)),
        "exceptions": exceptions,
        "exceptions_hidden": exceptions_hidden,
        "checks": list(check_rows(document, bounds)),
        "transactions": list(transaction_rows(document, bounds)),
        "measures": list(measure_rows(document, bounds)),
        "traces": list(trace_rows(document, bounds)),
        "feeds": list(feed_rows(document, bounds)),
        "loss_notes": [*loss_notes(document.limits), *feed_notes(document)],
        "account": list(account_rows(document)),
        "document": document,
        "limits": document.limits,
        "generator": list(generator_figures(document)),
        "workers": list(worker_rows(result, document, bounds)),
        "worker_notes": list(worker_notes(document)),
        "workers_hidden": max(len(document.workers) - bounds.workers, 0),
        "facts": facts(document, bounds),
        "scenarios": scenario_rows(document, bounds),
        "arrivals": list(arrival_rows(document, bounds)),
        "exports": list(export_rows(document, bounds)),
        "bounds": bounds,
        "charts": drawn,
        "chart_data": script_json(drawn.data),
        "version": made_by(),
    }


def _head(document: ResultDocument, bounds: Bounds) -> View:
    run, verdict = document.run, document.verdict
    return {
        "run_script": clipped(run.script.rpartition("/")[2], bounds.name_characters),
        "target": clipped(run.target, bounds.name_characters),
        "started": started_text(document),
        "duration": duration_text(document),
        "end_text": clipped(run.end_text, bounds.text_characters),
        "loads": load_texts(run.plan, bounds),
        "models": sorted({scenario.model for scenario in document.scenarios}),
        "state": verdict.state.value,
        "state_text": STATE_TEXTS[verdict.state],
        "reasons": list(reason_rows(verdict.reasons, bounds)),
        "reasons_hidden": max(len(verdict.reasons) - bounds.texts, 0),
        "thresholds": list(threshold_rows(document.thresholds, bounds)),
        "thresholds_hidden": max(len(document.thresholds) - bounds.texts, 0),
        "figures": list(key_figures(document)),
    }
