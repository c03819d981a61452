import msgspec

from swell.document import ArrivalSummary, ScenarioSummary
from swell.load_plan import Curve, Iterations, Leg, Load, Open
from swell.report.final_table import final_report
from swell.report.live_view import live_frame
from swell.report.progress_line import progress_line
from swell.result import RunResult, ScenarioTotals
from swell.stats.summary import summarise
from tests.report import sample_results
from tests.report.expected_text import assert_fits, rendered

WELL = ArrivalSummary(scenarios=("Visitor",), planned=1_000, started=1_000, dropped=0, not_started=0)
BADLY = ArrivalSummary(scenarios=("A", "B"), planned=2_000, started=1_500, dropped=480, not_started=20)
HOSTILE = ArrivalSummary(scenarios=("x\x1b[31m" * 90,), planned=10**12, started=0, dropped=10**12, not_started=0)


def lines(*found: ArrivalSummary, width: int = 100) -> list[str]:
    document = msgspec.structs.replace(summarise(sample_results.ended()), arrivals=found)
    text = rendered(final_report(document, width), width)
    assert_fits(text, width)
    return text.splitlines()


def open_run(dropped: int = 0) -> RunResult:
    """A run as it goes, of 50 arrivals a second for 10 s."""
    result = sample_results.running()
    model = Open(Curve((Leg(10.0, 50, 50),)), max_users=20)
    plan = msgspec.structs.replace(result.plan, loads=(Load(model=model, scenarios=("Contestant",)),), run_time_s=None)
    totals = ScenarioTotals("Contestant", users_now=20, users_peak=20, started=20, dropped=dropped)
    return msgspec.structs.replace(result, plan=plan, scenarios=(totals,))


def test_in_the_end_the_account_of_arrivals_is_shown() -> None:
    assert "arrivals    1,000 planned = 1,000 started + 0 dropped + 0 not started" in lines(WELL)
    found = lines(WELL, BADLY)
    at = next(number for number, line in enumerate(found) if line.startswith("arrivals"))
    assert found[at : at + 2] == [
        "arrivals    Visitor: 1,000 planned = 1,000 started + 0 dropped + 0 not started",
        "            A, B: 2,000 planned = 1,500 started + 480 dropped (24.0 %) + 20 not started (1.0 %)",
    ]


def test_a_plan_of_users_has_none() -> None:
    assert not any(line.startswith("arrivals") for line in lines())


def test_it_fits_whatever_the_classes_are_called() -> None:
    for width in (60, 80, 100):
        assert lines(WELL, HOSTILE, width=width)


def test_while_it_runs_the_planned_rate_and_what_was_dropped_are_shown() -> None:
    frame = rendered(live_frame(open_run(dropped=1_234), 100, 30), 100)
    heads, cells = (line.split() for line in frame.splitlines()[3:5])
    assert dict(zip(heads[1:4], cells, strict=False)) == {"users": "20", "arrivals/s": "50.0", "dropped": "1,234"}
    assert "0:06 / 0:10" in frame
    assert "20 users  1,234 dropped" in progress_line(open_run(dropped=1_234))


def test_in_a_narrow_terminal_the_line_of_the_moment_has_its_percentiles() -> None:
    frame = rendered(live_frame(open_run(dropped=1_234), 80, 30), 80).splitlines()
    assert " ".join(frame[3].split()) == "now users arrivals/s dropped requests/s failed p50 ms p95 ms p99 ms"
    assert len(frame[4]) == len(frame[3]) <= 80


def test_keys_that_do_nothing_are_not_offered() -> None:
    assert rendered(live_frame(open_run(), 100, 30), 100).splitlines()[-1] == "Ctrl-C ends the run"


def test_a_plan_of_iterations_runs_until_all_are_done() -> None:
    model = Iterations(users=5, total=100)
    result = open_run()
    plan = msgspec.structs.replace(result.plan, loads=(Load(model=model, scenarios=("Contestant",)),))
    assert "until all is done" in rendered(live_frame(msgspec.structs.replace(result, plan=plan), 100, 30), 100)


def iterations_of(name: str, done: int, planned: int | None) -> ScenarioSummary:
    return ScenarioSummary(
        name=name, model="iterations", planned=planned, users_peak=5, iterations=done, dropped=0, missed=0
    )


def test_of_a_number_of_iterations_it_is_shown_how_many_were_done() -> None:
    document = summarise(sample_results.ended())
    one = msgspec.structs.replace(document, scenarios=(iterations_of("Visitor", 1_000, 1_000),))
    text = rendered(final_report(one, 100), 100)
    assert "iterations  1,000 of 1,000 planned\n" in text
    two = msgspec.structs.replace(document, scenarios=(*one.scenarios, iterations_of("Editor", 7, 20)))
    text = rendered(final_report(two, 100), 100)
    assert "iterations  Visitor: 1,000 of 1,000 planned\n            Editor: 7 of 20 planned\n" in text
    assert "iterations" not in rendered(final_report(document, 100), 100)
