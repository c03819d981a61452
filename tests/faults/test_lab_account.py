"""The checks of the fault tests can fail: each is shown a log or a result in which what it looks for is the case."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import pytest

from tests.faults.lab.account import faults_of_account
from tests.faults.lab.sightings import Sighting, away_s, back_after_s, faults_of_load, most_at_once

INCARNATION = {"sent": 3, "answered": 2, "unanswered": 1, "unaccounted": 0, "lost_at_s": None}


def seen(*said: tuple[float, str, int]) -> list[Sighting]:
    """A log: instant, incarnation, user."""
    return [
        Sighting(place, at_s, f"run/{incarnation}/{place}", incarnation, user, "")
        for place, (at_s, incarnation, user) in enumerate(said)
    ]


def result(workers: Mapping[str, Mapping[str, int]], **accounting: int) -> dict[str, Any]:
    rows = []
    for name, changed in workers.items():
        number, _, incarnation = name.partition(".")
        rows.append({"id": number, "incarnation": int(incarnation), **INCARNATION, **changed})
    sums = {key: sum(row[key] for row in rows) for key in ("sent", "answered", "unanswered", "unaccounted")}
    reasons = [{"code": "unaccounted"}] if sums["unaccounted"] else []
    return {
        "workers": rows,
        "accounting": {**sums, "retried": 0, "not_sent": 0, **accounting},
        "totals": {"requests": sums["sent"]},
        "verdict": {"reasons": reasons},
    }


MOVED = seen((0, "0.1", 0), (0.2, "1.1", 1), (0.2, "0.1", 0), (0.4, "1.1", 0), (0.4, "1.1", 1))


def test_a_user_who_moves_and_comes_back_is_no_fault() -> None:
    back = [dataclasses.replace(one, place=5 + one.place) for one in seen((0.7, "0.1", 0), (0.8, "0.1", 0))]
    assert faults_of_load([*MOVED, *back], users=2) == []
    assert most_at_once(MOVED) == 2


def test_a_user_who_is_active_as_two_workers_is_found() -> None:
    twice = [*MOVED, *(dataclasses.replace(one, place=5) for one in seen((0.45, "0.1", 0)))]
    assert faults_of_load(twice, users=2) == [
        "3 users at once, of 2 planned",
        "user 0 is active as 1.1's, and 50 ms on as 0.1's",
    ]


def test_a_user_beyond_the_plan_is_found() -> None:
    assert faults_of_load(MOVED, users=1) == ["2 users at once, of 1 planned"]


def test_an_arrival_that_is_started_twice_is_found() -> None:
    started = [dataclasses.replace(one, arrival=str(one.place // 4)) for one in MOVED[:2] + MOVED[3:4]]
    assert faults_of_load(started, users=1) == ["arrival 0 is started by 0.1 and 1.1 and 1.1"]


def test_an_account_that_holds_has_no_faults() -> None:
    assert faults_of_account(result({"0.1": {}, "1.1": {"sent": 4, "answered": 3}}), MOVED, {"0.1": 2, "1.1": 3}) == []


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"answered": 1}, "0.1: 2 finished, 1 answered, 0 unaccounted for"),
        ({"answered": 3}, "0.1: 3 answered, 2 in the target's log"),
        ({"sent": 1}, "0.1: 2 in the target's log, 1 sent, 0 unaccounted for"),
    ],
)
def test_a_count_that_does_not_fit_is_found(changed: dict[str, int], fault: str) -> None:
    assert faults_of_account(result({"0.1": changed}), seen((0, "0.1", 0), (0, "0.1", 1)), {"0.1": 2}) == [fault]


def test_what_is_said_to_be_unaccounted_for_may_be_missing_and_not_much_more() -> None:
    log = seen(*((0, "0.1", user) for user in range(14)))
    said = result({"0.1": {"sent": 1, "answered": 1, "unanswered": 0, "unaccounted": 10}})
    assert faults_of_account(said, log, {"0.1": 14}) == []
    unsaid = said | {"verdict": {"reasons": []}}
    assert faults_of_account(unsaid, [*log, *seen((0, "0.1", 0))], {"0.1": 15}) == [
        "the target has seen run/0.1/0 more than once",
        "0.1: 15 finished, 1 answered, 10 unaccounted for",
        "0.1: 15 in the target's log, 1 sent, 10 unaccounted for",
        "something is unaccounted for, and the verdict does not say so",
    ]


def test_a_request_that_came_twice_or_from_nobody_is_found() -> None:
    log = seen((0, "0.1", 0), (0, "0.1", 1), (0, "7.1", 1))
    log[1] = dataclasses.replace(log[1], request_id=log[0].request_id)
    said = result({"0.1": {}})
    strangers = "the target has seen 7.1, of whom the result knows nothing"
    assert faults_of_account(said, log, {}) == ["the target has seen run/0.1/0 more than once", strangers]
    assert faults_of_account(result({"0.1": {}}, retried=1), log, {}) == [strangers]


def test_how_long_a_user_was_away_counts_once_all_have_come() -> None:
    log = seen((0, "0.1", 0), (4, "0.1", 0), (5, "1.1", 1), (7, "0.1", 0), (8, "1.1", 1))
    assert away_s(log, users=2) == 3
    assert away_s(log[:4], users=2) == 3
    assert away_s(log, users=3) == math.inf


def test_the_load_is_back_when_the_last_user_is() -> None:
    log = seen(*((0.5 * turn, "0.1", 0) for turn in range(20)), (0, "0.1", 1), (0.5, "0.1", 1))
    assert back_after_s(log, users=2, fault_s=0.6, until_s=9.5) == math.inf
    back = [*log, *seen(*((0.5 * turn, "1.1", 1) for turn in range(8, 20)))]
    assert back_after_s(back, users=2, fault_s=0.6, until_s=9.5) == pytest.approx(3.4)
    assert back_after_s(back, users=1, fault_s=0.6, until_s=9.5) == 0.0
    assert back_after_s(back, users=2, fault_s=5.0, until_s=9.5) == 0.0
