"""Rows of data in real runs, held against the target's log: who got which row is in the query of each request."""

from __future__ import annotations

import collections
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Ended, SwellRun
from tests.targets.nginx import Nginx, nginx

Start = Callable[..., SwellRun]

USER = """
    from swell import HttpUser, constant, feed, task

    rows = feed({path!r}, name="rows.csv", {options})

    class Visitor(HttpUser):
        wait_time = constant({wait_s})

        @task
        def visit(self):
            row = rows.next()
            self.client.get("/ok", params={{"row": row["n"]}}, name="/ok")
    """


@pytest.fixture
def target() -> Iterator[Nginx]:
    with nginx() as server:
        yield server


@pytest.fixture
def start(swell: Start, tmp_path: Path, target: Nginx) -> Start:
    """`start(rows, 'unique=True', "-u", "10", ...)`: users who take rows of a file, one each time."""

    def run(rows: int, options: str, *words: str, wait_s: float = 0.001) -> SwellRun:
        path = tmp_path / "rows.csv"
        path.write_text("n,name\n" + "".join(f"{n},user {n}\n" for n in range(rows)))
        return swell(USER.format(path=str(path), options=options, wait_s=wait_s), "-H", target.url, *words)

    return run


def rows_in_log(target: Nginx) -> list[int]:
    """The rows in the order in which the target saw them."""
    target.stop()
    return [int(line.target.partition("row=")[2]) for line in target.log()]


def feed_of(ended: Ended) -> dict[str, Any]:
    """The one feed of the result, whose numbers add up."""
    (feed,) = ended.result["feeds"]
    assert feed["handed_out"] == feed["used"] + feed["returned"] + feed["unknown"]
    return dict(feed)


def outcome(ended: Ended) -> tuple[int, str, str]:
    return ended.exit_code, ended.result["run"]["end"], ended.result["run"]["end_text"]


ACCOUNTS = """
    from swell import HttpUser, constant, feed, hold, jump, task, users

    accounts = feed([{"n": n} for n in range(100)], unique=True)

    class Member(HttpUser):
        load = users(jump(100), hold(1))
        wait_time = constant(0.3)

        def on_start(self):
            self.client.get("/ok", params={"row": accounts.next()["n"]}, name="/ok")

        @task
        def rest(self):
            pass
    """


def test_as_many_accounts_as_users_are_enough_on_any_number_of_workers(swell: Start, target: Nginx) -> None:
    ended = swell(ACCOUNTS, "-H", target.url, "-w", "2").finish()
    assert sorted(rows_in_log(target)) == list(range(100))
    assert (feed_of(ended)["used"], feed_of(ended)["ran_out"]) == (100, 0)


def test_each_row_of_a_unique_feed_reaches_the_target_once(start: Start, target: Nginx) -> None:
    ended = start(1_000, "unique=True", "-u", "20", "-r", "1000", "-w", "2").finish()
    assert sorted(rows_in_log(target)) == list(range(1_000))
    assert outcome(ended) == (ended.documented_exit_code, "completed", "all users have stopped")
    feed = feed_of(ended)
    assert (feed["name"], feed["rows"], feed["used"], feed["unknown"]) == ("rows.csv", 1_000, 1_000, 0)
    assert feed["ran_out"] == 20
    assert [feed["name"] for feed in ended.result["run"]["plan"]["feeds"]] == ["rows.csv"]
    assert "ran out" in ended.said


def test_a_killed_worker_takes_rows_with_it_that_nobody_gets_a_second_time(start: Start, target: Nginx) -> None:
    run = start(4_000, "unique=True", "-u", "10", "-r", "1000", "-w", "2", "--stop-timeout", "2", wait_s=0.005)
    run.wait_until(lambda: len(target.log()) > 1_500, "some requests")
    run.workers()[0].kill()
    ended = run.finish()
    seen = collections.Counter(rows_in_log(target))
    feed = feed_of(ended)
    assert max(seen.values()) == 1
    assert feed["unknown"] > 0
    assert feed["used"] + feed["unknown"] == 4_000
    assert 4_000 - feed["unknown"] - 10 <= len(seen) <= 4_000
    assert f"{feed['unknown']:,} may have been used by a worker that died" in " ".join(ended.said.split())


def test_without_unique_what_a_killed_worker_held_goes_to_others(start: Start, target: Nginx) -> None:
    run = start(4_000, 'order="once"', "-u", "10", "-r", "1000", "-w", "2", "--stop-timeout", "2", wait_s=0.005)
    run.wait_until(lambda: len(target.log()) > 1_500, "some requests")
    run.workers()[0].kill()
    ended = run.finish()
    feed = feed_of(ended)
    seen = rows_in_log(target)
    assert (feed["used"], feed["unknown"]) == (4_000, 0)
    assert feed["returned"] > 0
    assert len(set(seen)) >= 4_000 - 10  # those that it had taken and not sent yet
    assert len(seen) - len(set(seen)) <= feed["returned"]


def test_a_circular_feed_on_one_worker_comes_in_the_order_of_the_file(start: Start, target: Nginx) -> None:
    ended = start(7, "", "-u", "1", "-w", "1", "-t", "1s").finish()
    seen = rows_in_log(target)
    assert len(seen) > 20
    assert seen == [turn % 7 for turn in range(len(seen))]
    assert feed_of(ended)["used"] == len(seen)
    assert feed_of(ended)["ran_out"] == 0


def test_a_random_feed_has_the_same_order_with_the_same_seed(start: Start, target: Nginx) -> None:
    words = ("-u", "1", "-w", "1", "-t", "1s", "--seed", "5")
    start(50, 'order="random"', *words).finish()
    first = [line.target for line in target.log()]
    start(50, 'order="random"', *words).finish()
    second = [line.target for line in target.log()][len(first) :]
    both = min(len(first), len(second))
    assert both > 60
    assert first[:both] == second[:both]
    assert len(set(first[:50])) == 50
    assert first[:50] != first[50:100]


def test_a_feed_may_end_the_run_when_it_has_run_out(start: Start, target: Nginx) -> None:
    ended = start(100, 'when_out="error"', "-u", "4", "-r", "1000", "-w", "2").finish()
    assert outcome(ended) == (4, "failed", "rows.csv has run out: all 100 rows are handed out")
    assert "rows.csv has run out" in ended.said
    seen = rows_in_log(target)
    assert len(seen) == len(set(seen)) == feed_of(ended)["used"]


def test_users_stop_when_rows_have_run_out_and_others_go_on(swell: Start, target: Nginx) -> None:
    script = """
        from swell import HttpUser, constant, feed, task

        codes = feed([{"code": number} for number in range(5)], when_out="stop")

        class Buyer(HttpUser):
            wait_time = constant(0.01)

            @task
            def buy(self):
                self.client.get("/ok", params={"row": next(codes)["code"]}, name="buy")

        class Reader(HttpUser):
            wait_time = constant(0.1)

            @task
            def read(self):
                self.client.get("/hello.txt", name="read")
        """
    ended = swell(script, "-H", target.url, "-u", "4", "-r", "1000", "-w", "2", "-t", "2s").finish()
    assert ended.series("buy")["requests"] == 5
    assert ended.series("read")["requests"] >= 20
    assert (feed_of(ended)["name"], feed_of(ended)["used"], feed_of(ended)["ran_out"]) == ("list", 5, 2)


def test_rows_of_json_lines_keep_their_types_all_the_way(swell: Start, tmp_path: Path, target: Nginx) -> None:
    rows = [{"n": 1, "tags": ["a", None], "price": 1.5}, {"n": 2, "tags": [], "price": 2}]
    (tmp_path / "rows.ndjson").write_text("\n".join(map(json.dumps, rows)))
    script = f"""
        from swell import HttpUser, feed, task

        rows = feed({str(tmp_path / "rows.ndjson")!r}, order="once")
        expected = {rows!r}

        class Visitor(HttpUser):
            @task
            def visit(self):
                row = next(rows)
                assert row in expected and [type(value) for value in row.values()][1:] == [list, type(row["price"])]
                self.client.post("/echo", json=row)
        """
    ended = swell(script, "-H", target.url, "-u", "1", "-w", "1").finish()
    assert ended.result["exceptions"] == []
    assert ended.result["totals"]["requests"] == 2
