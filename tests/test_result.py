"""The result and its document as data: what they hold when nothing is known, and that they travel."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from swell.document import Latency, Reason, ReasonCode, ResultDocument, State, Verdict
from swell.result import OTHER, RunResult
from swell.stats.summary import summarise
from tests.report.sample_results import ended, troubled


@pytest.mark.parametrize("result", [ended(), troubled()])
def test_a_result_can_be_stored_and_read_again(result: RunResult) -> None:
    stored = msgspec.msgpack.encode(result)
    assert msgspec.msgpack.decode(stored, type=RunResult) == result
    assert summarise(msgspec.msgpack.decode(stored, type=RunResult)) == summarise(result)


def test_a_document_can_be_read_again() -> None:
    document = summarise(troubled())
    assert msgspec.json.decode(msgspec.json.encode(document), type=ResultDocument) == document


def test_a_number_without_a_name_is_other() -> None:
    result = ended()
    assert (result.series_of(999).name, result.error_text(999)) == (OTHER, OTHER)
    assert (result.series_of(1).name, result.error_text(1)) == ("/", "HTTP 503")


def test_enums_travel_by_their_value() -> None:
    verdict = Verdict(State.DEGRADED, (Reason(ReasonCode.WORKER_LOST, "gone", 1.0, 2.0, own_fault=True),))
    assert msgspec.to_builtins(verdict) == {
        "state": "degraded",
        "reasons": (
            {
                "code": "worker_lost",
                "text": "gone",
                "from_s": 1.0,
                "to_s": 2.0,
                "own_fault": True,
                "invalidates": False,
            },
        ),
    }


def test_a_latency_block_has_the_keys_of_the_document() -> None:
    assert list(msgspec.structs.asdict(Latency("kernel", 1, *[1.0] * 9))) == [
        *("clock", "count", "min", "mean", "p50", "p75", "p90", "p95", "p99", "p99_9", "max", "few_from"),
    ]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("module", ["swell.result", "swell.document", "swell.stats.merge", "swell.stats.users"])
def test_until_the_first_segment_comes_nothing_needs_numpy(module: str) -> None:
    code = f"import {module}, sys; print(sorted({{'numpy', 'rich', 'zstandard'}} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
