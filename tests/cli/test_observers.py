"""Those who look at a running run: one that fails ends neither the others nor the run."""

from __future__ import annotations

import dataclasses
import errno
import socket

import msgspec
import pytest

from swell.cli.observers import Observers
from swell.cli.otlp_push import OtlpPush
from swell.cli.prometheus_endpoint import PrometheusEndpoint, listen
from swell.cli.threshold_watch import ThresholdWatch
from swell.errors import Problem
from swell.report import metrics
from swell.result import ExportCount, RunResult
from tests.report import sample_results


@dataclasses.dataclass
class Onlooker:
    """One who fails with `error` at each look, from the `fails_from`th on."""

    name: str
    error: BaseException | None = None
    fails_from: int = 0
    looks: int = 0
    ends: int = 0
    told: list[str] = dataclasses.field(default_factory=list)

    def observe(self, result: RunResult) -> None:
        self.looks += 1
        if self.error is not None and self.looks > self.fails_from:
            raise self.error

    def ended(self, result: RunResult) -> None:
        self.ends += 1
        if self.error is not None:
            raise self.error

    def failed(self, why: str) -> None:
        self.told.append(why)


def test_one_that_fails_is_told_once_and_retired_and_the_others_go_on() -> None:
    frail = Onlooker("the frail one", ValueError("a\nlong\tstory"), fails_from=1)
    strong = Onlooker("the strong one")
    notes: list[str] = []
    observers = Observers([frail, strong], notes.append)
    assert repr(observers) == "<Observers: the frail one, the strong one>"
    for _ in range(4):
        observers.show(sample_results.running())
    assert (frail.looks, strong.looks) == (2, 4)
    assert frail.told == ["ValueError: a long story"]
    assert notes == ["the frail one failed, and the run goes on: ValueError: a long story"]
    assert repr(observers) == "<Observers: the strong one>"


def test_the_end_is_shown_to_all_of_them() -> None:
    frail, strong = Onlooker("the frail one", KeyError("x")), Onlooker("the strong one")
    notes: list[str] = []
    observers = Observers([frail, strong], notes.append)
    observers.show(sample_results.running())
    observers.ended(sample_results.ended())
    assert (frail.ends, strong.ends) == (1, 1)
    assert notes == ["the frail one failed, and the run goes on: KeyError: 'x'"] * 2


def test_who_ends_the_program_is_not_held_back() -> None:
    observers = Observers([Onlooker("the frail one", KeyboardInterrupt())], [].append)
    with pytest.raises(KeyboardInterrupt):
        observers.show(sample_results.running())


def test_a_demand_that_nobody_could_judge_is_not_met() -> None:
    watch = ThresholdWatch(sample_results.plan(thresholds=("p95 < 9s", "errors < 50%")), None)
    watch.failed("ValueError: no")
    assert [(summary.expression, summary.ok, summary.reason) for summary in watch.latest] == [
        ("p95 < 9s", False, "could not be judged: ValueError: no"),
        ("errors < 50%", False, "could not be judged: ValueError: no"),
    ]


def test_thresholds_that_failed_while_the_run_went_on_are_judged_at_its_end() -> None:
    plan = sample_results.plan(thresholds=("p95 < 9s",))
    watch = ThresholdWatch(plan, None)
    watch.observe(sample_results.running())
    watch.failed("ValueError: no")
    watch.ended(msgspec.structs.replace(sample_results.ended(), plan=plan))
    assert [(summary.ok, summary.reason) for summary in watch.latest] == [(True, "")]


@pytest.fixture
def _broken_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    def families(_: RunResult) -> None:
        raise ZeroDivisionError("no metrics")

    monkeypatch.setattr(metrics, "families", families)


@pytest.mark.usefixtures("_broken_metrics")
def test_a_push_that_cannot_be_made_is_counted_and_the_first_is_said() -> None:
    notes: list[str] = []
    push = OtlpPush("http://127.0.0.1:1", "run", sample_results.plan(), notes.append)
    push.ended(sample_results.ended())
    push.ended(sample_results.ended())
    url, why = "http://127.0.0.1:1/v1/metrics", "ZeroDivisionError: no metrics"
    assert push.count() == ExportCount(url, sent=0, failed=2, fault=why)
    assert notes == [f"a push to {url} failed, and the run goes on: {why}"]


def test_a_push_that_fails_says_why_and_not_how_often_it_was_tried() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    push = OtlpPush(url, "run", sample_results.plan(), [].append)
    push.ended(sample_results.ended())
    assert push.count().fault == f"[Errno {errno.ECONNREFUSED}] Connection refused"


@pytest.mark.usefixtures("_broken_metrics")
def test_a_scrape_that_cannot_be_answered_is_counted_and_the_first_is_said() -> None:
    listener = listen(("127.0.0.1", 0), "--prometheus")
    assert not isinstance(listener, Problem)
    notes: list[str] = []
    endpoint = PrometheusEndpoint(listener, notes.append)
    endpoint.observe(sample_results.running())
    said: list[str] = []
    for _ in range(2):
        body = endpoint.answer(
            {"PATH_INFO": "/metrics", "REQUEST_METHOD": "GET"}, lambda status, _: said.append(status)
        )
        assert list(body) == [b"ZeroDivisionError: no metrics\n"]
    endpoint.ended(sample_results.ended())
    assert said == ["500 Internal Server Error"] * 2
    count = endpoint.count()
    assert (count.sent, count.failed, count.fault) == (0, 2, "ZeroDivisionError: no metrics")
    assert len(notes) == 1
