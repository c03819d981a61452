"""JUnit's XML, which CI systems read: what a run had to meet as test cases.

thresholds   each threshold; skipped where there were too few samples to judge it
checks       each check of the script's; failed if it failed once
requests     each series; failed if a request failed, unless a threshold judges errors in its place
run          whether it ended as planned, whether the script raised, whether the numbers may be used
"""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence

from swell.document import ResultDocument, SeriesSummary, State, ThresholdSummary
from swell.report.figures import count_text, share_text
from swell.report.wording import visible, visible_lines
from swell.result import RunResult
from swell.stats.thresholds.judging import on_errors

MOST_ERRORS = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """A test case. `fault` is why it failed, `skipped` why nobody can tell; without either it passed."""

    group: str
    name: str
    fault: str = ""
    skipped: str = ""
    details: str = ""


def to_junit(result: RunResult, document: ResultDocument) -> bytes:
    """The whole document. Characters that XML cannot hold are shown as escapes."""
    suites = {
        "thresholds": [_threshold(one) for one in document.thresholds],
        "checks": list(_checks(document)),
        "requests": [_series(one, document, judged=on_errors(result.plan)) for one in document.series],
        "run": list(_run(document)),
    }
    root = ET.Element("testsuites", {"name": "swell", **_counts([case for cases in suites.values() for case in cases])})
    root.set("time", f"{document.run.duration_s:.3f}")
    for name, cases in suites.items():
        if cases:
            root.append(_suite(name, cases, document))
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _suite(name: str, cases: Sequence[Case], document: ResultDocument) -> ET.Element:
    suite = ET.Element("testsuite", {"name": name, **_counts(cases)})
    suite.set("time", f"{document.run.duration_s:.3f}")
    suite.set("timestamp", document.run.started_at.removesuffix("Z"))
    for case in cases:
        suite.append(_case(name, case))
    return suite


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    skipped = sum(bool(case.skipped) for case in cases)
    failures = sum(bool(case.fault and not case.skipped) for case in cases)
    return {"tests": str(len(cases)), "failures": str(failures), "errors": "0", "skipped": str(skipped)}


def _case(suite: str, case: Case) -> ET.Element:
    group = ".".join(part for part in ("swell", suite, visible(case.group)) if part)
    found = ET.Element("testcase", {"classname": group, "name": visible(case.name) or suite, "time": "0"})
    if case.skipped:
        ET.SubElement(found, "skipped", {"message": visible(case.skipped)})
    elif case.fault:
        failure = ET.SubElement(found, "failure", {"message": visible(case.fault), "type": suite})
        failure.text = "\n".join(visible_lines(case.details or case.fault))
    elif case.details:
        ET.SubElement(found, "system-out").text = "\n".join(visible_lines(case.details))
    return found


def _threshold(threshold: ThresholdSummary) -> Case:
    value = "no value" if threshold.value is None else f"{threshold.value:.6g} {threshold.unit}".strip()
    if threshold.ok is None:
        return Case("", threshold.expression, skipped=threshold.reason or "too few samples")
    details = f"{value}; {threshold.reason}" if threshold.reason else value
    return Case("", threshold.expression, fault="" if threshold.ok else f"not met: {value}", details=details)


def _checks(document: ResultDocument) -> Iterator[Case]:
    for check in document.checks:
        total = check.passed + check.failed
        counted = f"{count_text(check.failed)} of {count_text(total)} failed"
        yield Case(check.scenario, check.name, fault=counted if check.failed else "", details=counted)


def _series(series: SeriesSummary, document: ResultDocument, *, judged: bool) -> Case:
    name = f"{series.method} {series.name}".strip()
    name = f"{name} [{series.tags}]" if series.tags else name
    counted = (
        f"{count_text(series.failures)} of {count_text(series.requests)} requests failed "
        f"({share_text(series.failures, max(series.requests, 1))})"
    )
    if not series.failures:
        return Case(series.scenario, name)
    errors = [
        f"{count_text(error.count):>9}  {error.error}"
        for error in document.errors
        if (error.scenario, error.method, error.name) == (series.scenario, series.method, series.name)
    ]
    more = [f"(and {len(errors) - MOST_ERRORS} errors more)"] if len(errors) > MOST_ERRORS else []
    details = "\n".join([counted, *map(visible, errors[:MOST_ERRORS]), *more])
    return Case(series.scenario, name, fault="" if judged else counted, details=details)


def _run(document: ResultDocument) -> Iterator[Case]:
    run, verdict = document.run, document.verdict
    ended = run.end in ("completed", "stopped")
    yield Case(
        "", "ended as planned", fault="" if ended else f"{run.end or 'still running'}: {run.end_text}".strip(": ")
    )
    count = sum(exception.count for exception in document.exceptions)
    traces = "\n\n".join(f"{one.count} × {one.message}\n{one.traceback}" for one in document.exceptions)
    yield Case("", "no exception in the script", fault=f"{count:,} exceptions" if count else "", details=traces)
    reasons = "\n".join(f"{reason.code.value}: {reason.text}" for reason in verdict.reasons)
    fault = f"the numbers are {verdict.state.value}" if verdict.state is State.INVALID else ""
    yield Case("", "the numbers may be used", fault=fault, details=reasons)
