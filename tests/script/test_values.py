"""`counter`, `gauge`, `rate`, `trend`: from any user's code to the recorder, and what is refused."""

from __future__ import annotations

import logging
import math
from fractions import Fraction
from typing import Any

import pytest

from swell import StopUser, User, counter, gauge, rate, task, trend
from swell.script import values
from swell.script.current import bind_recorder
from swell.segment import Outcome, Sort
from tests.script.seats import MemoryRecorder, Stage

orders, depth, hits, waits = counter("orders"), gauge("depth"), rate("hits"), trend("waits")


class Shopper(User):
    @task
    def buy(self) -> None:
        orders.add()
        orders.add(2.5)
        depth.set(-3)
        hits.add(True)
        hits.add("")
        waits.add(Fraction(1, 4))
        raise StopUser


def test_each_is_recorded_for_the_scenario_of_the_user_whose_code_it_is() -> None:
    recorder = Stage(Shopper).run().recorder
    assert [(one.sort, one.name, one.value, one.outcome) for one in recorder.values] == [
        (Sort.COUNTER, "orders", 1.0, Outcome(0)),
        (Sort.COUNTER, "orders", 2.5, Outcome(0)),
        (Sort.GAUGE, "depth", -3.0, Outcome(0)),
        (Sort.RATE, "hits", 0.0, Outcome(0)),
        (Sort.RATE, "hits", 0.0, Outcome.FAILED),
        (Sort.TREND, "waits", 0.25, Outcome(0)),
    ]
    assert {(one.scenario, one.at_s) for one in recorder.values} == {("Shopper", 1_000.0)}


def test_outside_of_a_user_they_go_to_the_process_and_outside_of_a_run_nowhere() -> None:
    orders.add(3)
    recorder = MemoryRecorder()
    bind_recorder(recorder, Stage(User).clock)
    orders.add(4)
    assert [(one.name, one.scenario, one.value) for one in recorder.values] == [("orders", "", 4.0)]


@pytest.mark.parametrize("value", [-1, math.nan, math.inf, 10**400, 1e10])
def test_a_value_that_a_measure_cannot_hold_is_left_out_and_shown_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    monkeypatch.setattr(values, "_warned", set())
    recorder = MemoryRecorder()
    bind_recorder(recorder, Stage(User).clock)
    with caplog.at_level(logging.WARNING, "swell.script"):
        for _ in range(3):
            waits.add(value)
        if not -2 < value < 1e11:
            depth.set(value)
    refused = [record.message for record in caplog.records]
    assert refused[0] == f"trend('waits') cannot hold {value!r}: such values are left out"
    assert len(refused) == 1 + (not -2 < value < 1e11)
    assert recorder.values == []


@pytest.mark.parametrize("value", ["many", None, [1]])
def test_what_is_no_number_is_the_authors_fault(value: Any) -> None:
    bind_recorder(MemoryRecorder(), Stage(User).clock)
    with pytest.raises((TypeError, ValueError)):
        orders.add(value)


@pytest.mark.parametrize("make", [counter, gauge, rate, trend])
def test_a_measure_has_a_name_and_shows_it(make: Any) -> None:
    assert repr(make("it")) == f"{make.__name__}('it')"
    with pytest.raises(ValueError, match=f"{make.__name__}\\(''\\): it needs a name"):
        make("")
    with pytest.raises(TypeError, match="its name is a text"):
        make(3)
