"""JUnit's XML, read by a parser that CI systems use."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml

from swell.document import CheckSummary, ResultDocument, ThresholdSummary
from swell.report.junit_xml import to_junit
from swell.result import End, RunResult
from swell.segment import ExceptionCount
from swell.stats.summary import summarise
from tests.report import sample_results
from tests.report.sample_results import ended

RESULTS = ("running", "ended", "troubled", "without_requests", "hostile", "of_many_series")
THRESHOLDS = (
    ThresholdSummary("p95 < 300ms", True, 120.04, "ms"),
    ThresholdSummary("errors < 1%", False, 1.17, "%"),
    ThresholdSummary("GET /x: p99 < 1s", None, None, "ms", "fewer than 10 samples beyond"),
)
CHECKS = (
    CheckSummary(scenario="Contestant", name="has a title", passed=97, failed=3),
    CheckSummary(scenario="Contestant", name="is fresh", passed=100, failed=0),
)


def with_demands(result: RunResult) -> ResultDocument:
    return msgspec.structs.replace(summarise(result), thresholds=THRESHOLDS, checks=CHECKS)


def outcomes(data: bytes, suite: str) -> dict[str, str]:
    """What became of each case of a suite, with the message."""
    found = {}
    for one in JUnitXml.fromstring(data):
        for case in one if one.name == suite else ():
            result = case.result[0] if case.result else None
            known = type(result).__name__.lower() if result is not None else "passed"
            found[case.name] = "passed" if known == "systemout" else f"{known} {getattr(result, 'message', '')}".strip()
    return found


def test_a_threshold_passes_fails_or_cannot_be_judged() -> None:
    assert outcomes(to_junit(ended(), with_demands(ended())), "thresholds") == {
        "p95 < 300ms": "passed",
        "errors < 1%": "failure not met: 1.17 %",
        "GET /x: p99 < 1s": "skipped fewer than 10 samples beyond",
    }


def test_a_check_that_failed_once_is_a_failure() -> None:
    assert outcomes(to_junit(ended(), with_demands(ended())), "checks") == {
        "has a title": "failure 3 of 100 failed",
        "is fresh": "passed",
    }


def test_a_series_with_failed_requests_is_a_failure_that_names_the_errors() -> None:
    data = to_junit(ended(), summarise(ended()))
    found = outcomes(data, "requests")
    assert found["GET /submit"] == "failure 24 of 344 requests failed (7.0 %)"
    assert found["GET /"] == "passed"
    assert b"24  HTTP 503" in data


def test_where_a_threshold_judges_errors_requests_that_failed_do_not() -> None:
    result = ended()
    judged = msgspec.structs.replace(result, plan=msgspec.structs.replace(result.plan, thresholds=("errors < 50%",)))
    assert set(outcomes(to_junit(judged, summarise(judged)), "requests").values()) == {"passed"}


def test_a_run_that_went_wrong_is_a_failure() -> None:
    result = ended(End.FAILED, "no workers left", exceptions=[ExceptionCount("KeyError", "line 3", 17)])
    assert outcomes(to_junit(result, summarise(result)), "run") == {
        "ended as planned": "failure failed: no workers left",
        "no exception in the script": "failure 17 exceptions",
        "the numbers may be used": "passed",
    }
    troubled = sample_results.troubled()
    assert outcomes(to_junit(troubled, summarise(troubled)), "run")["the numbers may be used"] == (
        "failure the numbers are invalid"
    )


@pytest.mark.parametrize("name", RESULTS)
def test_the_counts_are_those_of_the_cases(name: str) -> None:
    result = getattr(sample_results, name)()
    root = ET.fromstring(to_junit(result, with_demands(result)))
    for suite in (root, *root.findall("testsuite")):
        assert suite.get("tests") == str(len(list(suite.iter("testcase"))))
        assert suite.get("failures") == str(len(list(suite.iter("failure"))))
        assert suite.get("skipped") == str(len(list(suite.iter("skipped"))))
    assert all(case.get("name") and case.get("classname") for case in root.iter("testcase"))


@given(st.text(), st.text())
def test_any_name_is_well_formed_xml_without_a_control_character(name: str, text: str) -> None:
    check = CheckSummary(scenario=name, name=text, passed=0, failed=1)
    document = msgspec.structs.replace(DOCUMENT, checks=(check,), thresholds=(ThresholdSummary(text, False, 1, "ms"),))
    data = to_junit(RESULT, document)
    ET.fromstring(data)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]", data.decode())


RESULT = ended()
DOCUMENT = summarise(RESULT)
