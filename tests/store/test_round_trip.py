"""A run that was stored page by page is read as the result that its controller had."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swell.plan import Revision
from swell.result import End
from swell.stats.merge import RunMerge
from swell.store.reader import open_store
from swell.store.writer import Heading, Page, RunWriter
from tests.report.sample_results import contest_segments, new_merge, plan
from tests.stats.segments import Call, segment
from tests.stats.worker_runs import NOON, PLAN, SECONDS, WorkerRun, runs

HEADING = Heading(run="run", swell="0.1.0")


def page(merge: RunMerge, at_s: float) -> Page:
    return Page(journal=merge.journal(), at_s=at_s)


@given(runs, st.randoms(), st.integers(1, 5))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_page_is_read_as_the_result_that_it_was(
    tmp_path: Path, workers: tuple[WorkerRun, ...], random: Random, every: int
) -> None:
    path = tmp_path / "runs.db"
    segments = [one for worker in workers for one in worker.segments]
    random.shuffle(segments)
    merge = RunMerge("run", PLAN, NOON)
    writer = RunWriter(path, HEADING)
    for place, one in enumerate(segments):
        merge.apply(one)
        if place == 2:
            merge.revised(Revision(1, 1.0, 5, 2.0))
            merge.worker_lost(1, 1, at_s=2.0, because="was killed")
        if place % every == 0:
            writer.write(page(merge, SECONDS + 1.0))
            with open_store(path) as store:
                assert store.load("run") == merge.snapshot(SECONDS + 1.0)
    merge.ended(float(SECONDS), End.COMPLETED)
    merge.close()
    writer.write(page(merge, merge.snapshot().at_s))
    writer.close()
    with open_store(path) as store:
        assert store.load("run") == merge.snapshot()


def test_a_run_of_several_hours_is_read_as_it_was_with_its_wider_blocks(tmp_path: Path) -> None:
    merge, path = RunMerge("run", PLAN, NOON), tmp_path / "runs.db"
    writer = RunWriter(path, HEADING)
    for sequence, second in enumerate(range(0, 12_000, 40), 1):
        calls = [Call(second), Call(second + 7, failed=True, error=1)]
        merge.apply(segment(sequence, calls, series=[(1, "/")], errors=[(1, "HTTP 503")], sealed_s=second + 8.0))
        if sequence % 30 == 0:
            writer.write(page(merge, second + 8.0))
    result = merge.snapshot(12_000.0)
    writer.write(page(merge, 12_000.0))
    writer.close()
    assert {block.to_s - block.from_s for block in result.blocks} == {1, 10}
    with open_store(path) as store:
        assert store.load("run") == result
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM block").fetchone() == (len(result.blocks),)


def test_revisions_that_are_forgotten_go_from_the_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swell.stats.revisions.REVISIONS_CAP", 5)
    merge, path = RunMerge("run", PLAN, NOON), tmp_path / "runs.db"
    writer = RunWriter(path, HEADING)
    for number in range(1, 20):
        merge.revised(Revision(number, float(number), number, 2.0, from_users=0))
        if number % 4 == 0:
            writer.write(page(merge, float(number)))
    writer.write(page(merge, 19.0))
    writer.close()
    with open_store(path) as store:
        result = store.load("run")
    assert result == merge.snapshot(19.0)
    assert [revision.number for revision in result.revisions] == [15, 16, 17, 18, 19]


def test_only_what_has_changed_is_written(tmp_path: Path) -> None:
    merge, path = new_merge(plan()), tmp_path / "runs.db"
    writer = RunWriter(path, HEADING)
    segments = sorted(contest_segments(), key=lambda one: one.sequence)
    for one in segments[:-2]:
        merge.apply(one)
    writer.write(page(merge, 9.0))
    for one in segments[-2:]:
        merge.apply(one)
    statements: list[str] = []
    connection = writer._connection
    assert connection is not None
    connection.set_trace_callback(statements.append)
    writer.write(page(merge, 10.0))
    writer.close()
    tables = sorted(
        {statement.split()[statement.split().index("INTO") + 1] for statement in statements if "INTO" in statement}
    )
    assert tables == ["block", "worker", "worker_calls", "worker_health"]
    assert sum("INTO block" in statement for statement in statements) == 1


@pytest.mark.parametrize("breaks", [1, 2, 3])
def test_a_page_that_could_not_be_written_is_made_up_for(tmp_path: Path, breaks: int) -> None:
    merge, path = new_merge(plan()), tmp_path / "runs.db"
    writer = RunWriter(path, HEADING)
    for place, one in enumerate(sorted(contest_segments(), key=lambda one: one.sequence)):
        merge.apply(one)
        if place % 4 == breaks:
            writer._disconnect()
        writer.write(page(merge, 10.0))
    writer.close()
    with open_store(path) as store:
        assert store.load("run") == merge.snapshot(10.0)


def test_a_file_that_was_removed_meanwhile_is_written_anew(tmp_path: Path) -> None:
    merge, path = new_merge(plan()), tmp_path / "runs.db"
    writer = RunWriter(path, HEADING)
    segments = list(contest_segments())
    for one in segments:
        merge.apply(one)
        if one.sequence == 5:
            writer.write(page(merge, 10.0))
            for file in tmp_path.iterdir():
                file.unlink()
    writer.write(page(merge, 10.0))
    with open_store(path) as store:
        assert store.load("run") == merge.snapshot(10.0)
        assert store.find("run").state == "running"
    writer.close()
