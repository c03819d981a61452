"""The live view, frame by frame."""

from __future__ import annotations

import io
import re

import msgspec
import pytest
from rich.console import Console

from swell.document import ThresholdSummary
from swell.load_plan import Closed, Curve, Load
from swell.plan import Revision
from swell.report.live_view import LiveView, live_frame
from swell.result import RunResult
from tests.report import sample_results
from tests.report.expected_text import assert_expected, assert_fits, rendered

RESULTS = ("running", "ended", "troubled", "without_requests", "hostile", "of_many_series")


def frame(result: RunResult, width: int = 100, height: int = 30) -> str:
    return rendered(live_frame(result, width, height), width, height)


@pytest.mark.parametrize(
    ("name", "width"),
    [("running", 100), ("running", 80), ("running", 160), ("troubled", 100), ("without_requests", 80)],
)
def test_a_frame_reads_as_expected(name: str, width: int) -> None:
    assert_expected(f"live_{name}_{width}", frame(getattr(sample_results, name)(), width))


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("width", [60, 80, 100, 160, 300])
def test_a_frame_fits_whatever_the_width(name: str, width: int) -> None:
    assert_fits(frame(getattr(sample_results, name)(), width), width)


@pytest.mark.parametrize("height", [17, 24, 30, 60, 200])
@pytest.mark.parametrize("scenarios", [1, 3])
def test_a_frame_never_grows_out_of_the_terminal(height: int, scenarios: int) -> None:
    text = frame(sample_results.of_many_series(1_000, scenarios), 100, height)
    assert len(text.splitlines()) <= height
    shown = len(re.findall("^GET /items/", text, re.MULTILINE))
    assert f"(and {1_000 - shown:,} more)" in text
    assert shown >= height - 17 - scenarios


def test_a_run_without_an_end_shows_no_bar() -> None:
    assert frame(sample_results.running(run_time_s=None)).splitlines()[1] == "0:06, until it is stopped"


def test_a_shape_is_named_as_what_plans_the_users() -> None:
    loads = tuple(Load(model=Closed(Curve(endless=True)), scenarios=(name,)) for name in ("Reader", "Writer"))
    found = sample_results.running(run_time_s=None, loads=loads, shape="Evening")
    revisions = (Revision(1, 1.0, 30, 100.0, 0, 0.0, 0), Revision(2, 1.0, 10, 100.0, 1, 0.0, 0))
    lines = frame(msgspec.structs.replace(found, revisions=revisions)).splitlines()
    assert lines[0] == "contest.py → http://127.0.0.1:8000 · planned by Evening"
    assert lines[1] == "0:06, until Evening ends it"
    assert "20/40" in lines[4]
    assert lines[-1] == "Ctrl-C ends the run"


def test_lost_workers_and_stalls_are_named() -> None:
    line = next(line for line in frame(sample_results.troubled()).splitlines() if line.startswith("generator"))
    assert (
        line == "generator  1 worker · CPU 99 % · loop lag 340.0 ms in contest.py:9 Contestant.read · 57 fds · 1 lost"
    )


def test_frames_replace_each_other_and_lines_said_go_above_them() -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=100, height=30, force_terminal=True, color_system=None, markup=False)
    with LiveView(console) as view:
        view.show(sample_results.running(3.2))
        view.say("worker 0: [red]hello\x1b[31m")
        view.show(sample_results.running(4.2))
    written = screen.getvalue()
    assert r"worker 0: [red]hello\x1b[31m" in written
    assert written.index("0:03 / 0:10") < written.index("hello") < written.index("0:04 / 0:10")
    assert repr(view) == "<LiveView, hidden>"


THRESHOLDS = [
    ThresholdSummary("p95 < 300ms", True, 120.04, "ms"),
    *(ThresholdSummary(f"GET /{number}: p99 < 1s", True, float(number), "ms") for number in range(5)),
    ThresholdSummary("[b]errors[/b]: errors < 1% " + "abort " * 40, False, 1.2, "%"),
    ThresholdSummary("rps > 100/s over 30s", None, None, "/s", "no full window of 30s so far"),
]


def test_thresholds_are_shown_and_of_many_first_those_that_are_not_met() -> None:
    size = 100, 30
    text = rendered(live_frame(sample_results.running(), *size, thresholds=THRESHOLDS), *size)
    assert_fits(text, size[0])
    lines = text.splitlines()
    place = lines.index("✓ p95 < 300ms  120 ms")
    assert lines[place + 1 : place + 3] == ["✓ GET /0: p99 < 1s  0 ms", "✓ GET /1: p99 < 1s  1 ms"]
    assert lines[place + 3].startswith("✗ [b]errors[/b]: errors < 1% abort ")
    assert lines[place + 4 : place + 7] == [
        "? rps > 100/s over 30s  (no full window of 30s so far)",
        "(and 3 thresholds more)",
        "",
    ]


@pytest.mark.parametrize("height", [24, 30, 60])
def test_with_thresholds_a_frame_never_grows_out_of_the_terminal(height: int) -> None:
    frame = live_frame(sample_results.of_many_series(), 100, height, thresholds=THRESHOLDS)
    assert len(rendered(frame, 100, height).splitlines()) <= height
