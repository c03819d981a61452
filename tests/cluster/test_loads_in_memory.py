"""Loads of every model carried out by all acting code, with users of a script whose calls take no time: the same plan
on any number of workers gives the same starts, and the same counts, bucket for bucket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest

from swell import StopUser, User, constant, task
from swell.cluster.controller_steps import StopWanted
from swell.load_plan import Curve, Iterations, Leg, Load, Open, Sessions, Spread
from swell.result import End, RunResult
from swell.script.environment import Environment
from swell.script.factory import ClassFactory
from swell.stats.arrivals import arrivals
from swell.user import Seat
from tests.cluster.simulated import plan_of_loads
from tests.cluster.test_in_memory import MemoryCluster

MS = 1_000_000
RATES = Curve((Leg(0.5, 0, 400), Leg(0.5, 400, 100)))
WORKERS = (1, 2, 5)
Run = Callable[..., RunResult]


class Visitor(User):
    """Makes a call that takes as long as its choices say, from when it was due."""

    def call(self, name: str) -> None:
        seat = self._seat
        took_ns = round((1 + 99 * self._life.draws.next()) * MS)
        begun_ns = seat.intended_ns or seat.clock.now_ns()
        series = seat.recorder.series(seat.scenario, "GET", name)
        seat.recorder.record(begun_ns + took_ns, took_ns, took_ns, 0, 0, -1, 1, 2, series, 0, 200, 0)

    @task(3)
    def read(self) -> None:
        self.call("/read")

    @task(2)
    def write(self) -> None:
        self.call("/write")


class Guest(Visitor):
    """The same, with a wait between two."""

    wait_time = constant(0.02)


class Sharer(Visitor):
    """The same, so many times."""


class Leaver(Visitor):
    """Goes away by itself now and then."""

    @task
    def go(self) -> None:
        self.call("/go")
        raise StopUser


CLASSES = [Visitor, Guest, Sharer, Leaver]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Carries loads out; the starts are kept in `cluster.starts`."""
    clusters: list[MemoryCluster] = []

    def carry_out(*loads: Load, workers: int, stop_after_s: float | None = None) -> RunResult:
        folder = tmp_path / str(len(clusters))
        folder.mkdir()
        plan = plan_of_loads(*loads, workers=workers)
        cluster = MemoryCluster(plan, folder, factory=ClassFactory(CLASSES, Environment(user_classes=CLASSES)))
        clusters.append(cluster)
        if stop_after_s is not None:
            gevent.spawn_later(stop_after_s, cluster.controller.tell, StopWanted(End.STOPPED))
        return cluster.run()[1]

    yield carry_out
    for cluster in clusters:
        cluster.close()


@pytest.mark.parametrize("spread", Spread)
def test_arrivals_are_the_same_on_any_number_of_workers(run: Run, spread: Spread) -> None:
    load = Load(model=Open(RATES, max_users=250, users=10, spread=spread), scenarios=("Visitor",))
    found = [run(load, workers=workers) for workers in WORKERS]
    for result in found:
        (account,) = arrivals(result)
        assert (account.dropped, account.not_started) == (0, 0)
        assert account.started == account.planned > 150
    assert same_counts(found)


def test_sessions_are_the_same_on_any_number_of_workers(run: Run) -> None:
    load = Load(model=Sessions(RATES, max_users=250, iterations=1, spread=Spread.POISSON), scenarios=("Guest",))
    found = [run(load, workers=workers) for workers in WORKERS]
    assert [arrivals(result)[0].not_started for result in found] == [0, 0, 0]
    assert same_counts(found)


def same_counts(found: list[RunResult]) -> bool:
    """Whether all have the same counts, second by second; their series may be numbered differently."""
    tables = [Counter(_rows(result)) for result in found]
    return all(table == tables[0] for table in tables)


def _rows(result: RunResult) -> Iterator[tuple[object, ...]]:
    from swell.stats import packed

    for block in result.blocks:
        tables = packed.unpack(block)
        for key, count in zip(tables.hist.keys.tolist(), tables.hist.rows[0].tolist(), strict=True):
            series = result.series_of(key >> 17)
            yield block.from_s, series.scenario, series.name, key & 0x1FFFF, count
        for key, *row in zip(tables.sums.keys.tolist(), *(row.tolist() for row in tables.sums.rows), strict=True):
            series = result.series_of(key >> 4)
            yield block.from_s, series.scenario, series.name, key & 15, *row


@pytest.mark.parametrize("workers", WORKERS)
def test_iterations_are_as_many_as_were_asked_for(run: Run, workers: int) -> None:
    shared = Load(model=Iterations(users=7, total=500), scenarios=("Sharer",))
    each = Load(model=Iterations(users=7, each=30), scenarios=("Visitor",))
    result = run(shared, each, workers=workers)
    assert (result.end, result.end_text) == (End.COMPLETED, "")
    assert {one.name: (one.started, one.iterations) for one in result.scenarios} == {
        "Sharer": (7, 500),
        "Visitor": (7, 210),
    }


def test_loads_of_all_models_go_on_side_by_side(run: Run) -> None:
    loads = (
        Load(model=Open(RATES, max_users=50, users=3), scenarios=("Visitor",)),
        Load(model=Sessions(RATES, max_users=150, lives_s=0.1), scenarios=("Guest",), start_s=0.2),
        Load(model=Iterations(users=3, total=100), scenarios=("Sharer",)),
    )
    result = run(*loads, workers=2)
    assert result.end is End.COMPLETED
    assert [found.not_started for found in arrivals(result)] == [0, 0]
    assert [one.iterations for one in result.scenarios if one.name == "Sharer"] == [100]


def test_users_that_go_away_are_replaced_by_new_ones(run: Run) -> None:
    load = Load(model=Open(RATES, max_users=250, users=5), scenarios=("Leaver",))
    result = run(load, workers=2)
    (account,) = arrivals(result)
    assert account.started == account.planned
    assert result.scenarios[0].started > 5


def test_a_stop_while_users_get_ready_ends_the_run_with_what_they_have_done(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_start(user: Visitor) -> None:
        user.call("/login")
        seat: Seat = user._seat
        while not seat.leaving:
            seat.clock.sleep_until_ns(seat.clock.now_ns() + 10_000 * MS)

    monkeypatch.setattr(Visitor, "on_start", on_start)
    result = run(Load(model=Open(RATES, max_users=250, users=4), scenarios=("Visitor",)), workers=2, stop_after_s=0.5)
    assert (result.end, result.duration_s) == (End.STOPPED, 0.0)
    assert sum(count for *_, count in _rows(result) if isinstance(count, int)) > 0
    assert arrivals(result)[0].planned == 0
