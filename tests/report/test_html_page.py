"""The page of a run: what is on it, what cannot get onto it, and that it stays small."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path

import msgspec
import pytest

from swell.document import (
    ArrivalSummary,
    CheckSummary,
    MeasureSummary,
    ResultDocument,
    ThresholdSummary,
    TransactionSummary,
)
from swell.errors import RunFailed
from swell.load_plan import Closed, Curve, Load
from swell.plan import Revision
from swell.report.html_assets import asset_problems, read_assets
from swell.report.html_bounds import LIMIT_BYTES
from swell.report.html_page import to_html
from swell.result import ErrorSeen, ExportCount, RunResult, Series
from swell.segment import ErrorSample, ErrorSamples, ExceptionCount
from swell.stats.summary import summarise
from tests.report import sample_results
from tests.report.long_results import long_run
from tests.report.page_reader import PageReader

RESULTS = ("running", "ended", "troubled", "without_requests", "hostile", "of_many_series")
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'><!--{{7*7}}&lt;"


def page_of(result: RunResult, document: ResultDocument | None = None) -> PageReader:
    return PageReader(to_html(result, document or summarise(result)))


@functools.cache
def page(name: str) -> PageReader:
    return page_of(getattr(sample_results, name)())


@pytest.mark.parametrize("name", RESULTS)
def test_every_run_has_a_page_whose_markup_closes(name: str) -> None:
    found = page(name)
    assert [attributes["id"] for attributes in found.all("section") if "id" in attributes][:3] == [
        *("time", "latency", "series")
    ]
    assert len(found.all("h1")) == 1
    assert not {"nan", "inf", "None", "Undefined"} & set(found.text.split())


def test_headline_figures_and_tables_are_readable_without_its_script() -> None:
    text = page("ended").text
    for expected in (
        "contest.py → http://127.0.0.1:8000 31 January 2026, 12:00:00 UTC · completed after 10 s · closed model",
        "20 users, started at 20/s",
        "✓ Valid The numbers may be used as they are.",
        "requests 2,024 202.4 per second failed 1.2 % 24 requests median response 9.470 ms of successful calls",
        "series requests failed failed % req/s p50 ms p90 ms p95 ms p99 ms max ms",
        "GET /submit 344 24 7.0 %",
        "HTTP 503 503 GET /submit http://127.0.0.1:8000/submit retry-after: 1",
        "sent 2,000 at least one byte was given to the kernel",
        "The charts need JavaScript",
    ):
        assert expected in text


def test_arrivals_and_places_of_metrics_have_their_account() -> None:
    document = msgspec.structs.replace(
        summarise(sample_results.ended()),
        arrivals=(
            ArrivalSummary(scenarios=("Visitor", EVIL), planned=1_200, started=1_100, dropped=90, not_started=10),
        ),
        exports=(ExportCount("http://collector:4318", 57, failed=3, fault="refused"), ExportCount("scrapes", 12)),
    )
    text = page_of(sample_results.ended(), document).text
    assert f"Visitor, {EVIL} 1,200 1,100 90 10 Planned = started + dropped + not started." in text
    assert "http://collector:4318 57 3 0 refused scrapes 12 0 0" in text
    assert "not started" not in page("ended").text


def test_the_verdict_says_why_and_when() -> None:
    text = page("troubled").text
    assert (
        "✗ Invalid The numbers should not be used. worker_lost worker 1.1 was killed by signal 9 at 5.4 s 0:05" in text
    )
    assert "KeyError: 'status' Traceback (most recent call last):" in text


def test_marks_tell_of_changes_losses_and_caveats_in_order_of_time() -> None:
    result = long_run(3, 0.05, 2)
    assert [(mark[2], mark[3]) for mark in page_of(result).run["marks"]] == [
        ("plan", "revision 1: to 500 users at 20/s"),
        ("plan", "revision 2: to 400 users at 20/s"),
        ("caveat", "load_not_reached: 400 of 479 planned users at 108 s: users left of their own accord"),
        ("loss", "the controller stood still: tick()"),
    ]


def test_what_a_shape_changed_is_told_by_class() -> None:
    loads = tuple(Load(model=Closed(Curve(endless=True)), scenarios=(name,)) for name in ("Reader", "Writer"))
    result = long_run(3, 0.05, 2)
    plan = msgspec.structs.replace(result.plan, loads=loads, shape="Evening")
    revisions = tuple(Revision(number, 9.0, 40, 5.0, number % 2, 0.0, 0) for number in (8, 9))
    found = page_of(msgspec.structs.replace(result, plan=plan, revisions=revisions))
    assert [mark[3] for mark in found.run["marks"]][:3] == [
        "7 revisions that are not kept",
        "revision 8: to 40 users of Reader at 5/s",
        "revision 9: to 40 users of Writer at 5/s",
    ]
    assert "users planned by Evening" in found.text
    assert found.run["planned"][0] is None


def test_quantiles_of_few_samples_are_marked() -> None:
    found = page("ended")
    assert "~397.4" in found.text
    assert "~ , and dashed lines: fewer than 10 samples lie beyond." in found.text
    assert sum(attributes.get("class") == "few" for attributes in found.all("td")) > 5


@pytest.mark.parametrize(
    ("clock", "note"),
    [
        ("kernel", "Timed by the kernel's clock."),
        ("user", "Timed by the user's clock: the generator's own delays are in them."),
        ("mixed", "Timed by the kernel's clock and, where it gave no stamp, by the user's."),
    ],
)
def test_it_says_which_clock_timed_the_calls(clock: str, note: str) -> None:
    result = sample_results.ended()
    document = summarise(result)
    generator = msgspec.structs.replace(document.generator, clock=clock)
    assert note in page_of(result, msgspec.structs.replace(document, generator=generator)).text


def test_thresholds_checks_transactions_and_measures_have_their_tables() -> None:
    result = sample_results.ended()
    document = summarise(result)
    latency = document.totals.response_ms
    text = page_of(
        result,
        msgspec.structs.replace(
            document,
            thresholds=(
                ThresholdSummary("p95 < 300ms", True, 48.63, "ms"),
                ThresholdSummary("errors < 1%", False, 1.2, "%"),
                ThresholdSummary("p99 < 1s", None, None, "ms", "fewer than 10 samples lie beyond"),
            ),
            checks=(CheckSummary(scenario="Contestant", name="has a title", passed=99, failed=1),),
            transactions=(
                TransactionSummary(
                    scenario="Contestant", name="checkout", count=2_000, failures=3, response_ms=latency, failed_ms=None
                ),
            ),
            measures=(
                MeasureSummary(scenario="Contestant", name="sold", sort="counter", count=12, sum=1234.5, per_s=123.45),
                MeasureSummary(scenario="Contestant", name="hits", sort="rate", count=8, share=0.625),
            ),
        ),
    ).text
    assert "✓ passed p95 < 300ms 48.63 ms ✗ failed errors < 1% 1.2 % – too few samples p99 < 1s –" in text
    assert "has a title 99 1 99.0 %" in text
    assert "checkout 2,000 3 9.470" in text
    assert "sold counter 12 1,234.5 (123.45 per second)" in text
    assert "hits rate 8 62.5 %" in text


def hostile_run() -> RunResult:
    """A run in which everything that has a name has an evil one."""
    result = sample_results.troubled()
    replace = msgspec.structs.replace
    return replace(
        result,
        run=EVIL,
        plan=replace(result.plan, script=EVIL, host=EVIL, tags=(EVIL,), script_arguments=(EVIL,)),
        end_text=EVIL,
        series=tuple(Series(EVIL + str(number), EVIL, EVIL, tags=EVIL) for number, _ in enumerate(result.series)),
        errors=tuple(EVIL + str(number) for number, _ in enumerate(result.errors)),
        error_samples=tuple(
            replace(one, samples=(ErrorSample(500, EVIL, EVIL, EVIL),) * 3) for one in result.error_samples
        ),
        exceptions=(ExceptionCount(EVIL, EVIL, 3),),
        scenarios=tuple(replace(one, name=EVIL) for one in result.scenarios),
        workers=tuple(replace(one, host=EVIL, lost_because=EVIL) for one in result.workers),
    )


def test_hostile_names_stay_text() -> None:
    result = hostile_run()
    document = summarise(result)
    thresholds = (ThresholdSummary(EVIL, False, 1.0, EVIL, EVIL),)
    found = page_of(result, msgspec.structs.replace(document, thresholds=thresholds))
    assert len(found.scripts) == 2
    assert found.all("img") == []
    assert [name for _, attributes in found.tags for name in attributes if name.startswith("on")] == []
    assert EVIL in found.text
    assert any(EVIL in mark[3] for mark in found.run["marks"])


def test_only_its_own_script_may_run_and_nothing_may_be_fetched() -> None:
    found = page("ended")
    (policy,) = (one["content"] for one in found.all("meta") if one.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(found.scripts[1].encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'sha256-")
    addresses = [attributes[name] for _, attributes in found.tags for name in ("src", "href") if name in attributes]
    assert {address for address in addresses if not address.startswith("#")} == {"data:,"}
    assert not any("style" in attributes for _, attributes in found.tags)


def test_the_assets_hold_no_end_tag() -> None:
    assets = read_assets()
    assert "</script" not in assets.script.lower()
    assert "<!--" not in assets.script
    assert "</style" not in assets.style.lower()


def test_assets_that_were_not_built_are_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "report.css").touch()
    (problem,) = asset_problems("--html", tmp_path)
    assert str(problem) == (
        "--html: report.js of the page has not been built (`make ui` in the checkout of swell builds them)"
    )
    with pytest.raises(RunFailed, match="make ui"):
        read_assets(tmp_path)


@pytest.mark.timeout(60)
def test_a_long_run_with_a_thousand_of_everything_stays_under_a_megabyte() -> None:
    result = long_run(series=1_000, hours=8.0, errors=1_000, sample_bytes=1_024)
    text = to_html(result, summarise(result))
    found = PageReader(text)
    assert len(text.encode()) < LIMIT_BYTES
    assert "Series 1,000" in found.text
    assert "The 60 series with the most requests and failures open" in found.text
    assert "Samples are shown of the 40 most frequent errors." in found.text
    assert "and 800 errors more, each rarer" in found.text
    assert len(found.run["details"]) == 60
    assert 400 <= len(found.run["all"]["rps"]) <= 600
    assert found.run["edges_s"][-1] == 8 * 3_600


def test_texts_of_any_length_stay_under_a_megabyte() -> None:
    """The worst that names can be: long, and each character five bytes of markup."""
    result = sample_results.of_many_series(1_000)
    long = "&" * 5_000
    replace = msgspec.structs.replace
    worst = replace(
        result,
        series=tuple(Series(long, long, f"{long}{number}", tags=long) for number, _ in enumerate(result.series)),
        errors=tuple(f"{long}{number}" for number in range(1_000)),
        errors_seen=tuple(
            ErrorSeen(series=number, error=number, count=1, first_s=0.0, last_s=1.0) for number in range(1_000)
        ),
        error_samples=tuple(
            ErrorSamples(number, number, (ErrorSample(500, long, long, long),) * 3) for number in range(1_000)
        ),
        exceptions=tuple(ExceptionCount(f"{long}{number}", long, 1) for number in range(100)),
        end_text=long,
    )
    document = summarise(worst)
    measures = tuple(
        MeasureSummary(scenario=long, name=f"{long}{number}", sort="rate", count=1, share=1.0)
        for number in range(1_000)
    )
    thresholds = tuple(ThresholdSummary(f"{long}{number}", None, None, long, long) for number in range(1_000))
    text = to_html(worst, replace(document, measures=measures, thresholds=thresholds))
    assert len(text.encode()) < LIMIT_BYTES
    assert "measures more" in PageReader(text).text
