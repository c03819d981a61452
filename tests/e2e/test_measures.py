"""What a script checks and measures itself, in real runs: each number is known beforehand, and is in the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.command import Ended, SwellRun
from tests.targets.nginx import Nginx, nginx

Start = Callable[..., SwellRun]

USERS, TURNS = 6, 20
SHOP = f"""
    from swell import (
        HttpUser, StopUser, check, constant, counter, gauge, rate, task, transaction, trend
    )

    orders, queue, hits, waits = counter("orders"), gauge("queue"), rate("cache hits"), trend("wait")

    class Shopper(HttpUser):
        turns = 0

        @task
        def checkout(self):
            with transaction("checkout"):
                page = self.client.get("/124.html", tags={{"page": "basket"}})
                check(page, "is HTML", lambda r: "html" in r.headers["content-type"])
                with transaction("pay"):
                    self.client.post("/echo", data="x")
                    if self.turns % 4 == 0:
                        self.client.get("/status/500")
            with self.client.get("/124.html", catch_response=True) as page:
                check(page, "has a cookie", lambda r: r.cookies["session"], fail=self.turns % 5 == 0)
            orders.add(0.1)
            hits.add(self.turns % 2)
            waits.add(self.turns)
            self.turns += 1
            queue.set(self.turns)
            if self.turns == {TURNS}:
                raise StopUser
    """


@pytest.fixture
def target() -> Iterator[Nginx]:
    with nginx() as server:
        yield server


def without_latencies(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if not key.endswith("_ms") and value is not None}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_check_transaction_and_value_is_in_the_result(swell: Start, target: Nginx, workers: str) -> None:
    ended = swell(SHOP, "-H", target.url, "-u", str(USERS), "-r", "100", "-t", "10s", "-w", workers).finish()
    ended.check_sums()
    turns = USERS * TURNS
    result, of_shopper = ended.result, {"scenario": "Shopper"}
    assert result["checks"] == [
        {**of_shopper, "name": "has a cookie", "passed": 0, "failed": turns},
        {**of_shopper, "name": "is HTML", "passed": turns, "failed": 0},
    ]
    assert [without_latencies(row) for row in result["transactions"]] == [
        {**of_shopper, "name": "checkout", "count": turns, "failures": turns // 4},
        {**of_shopper, "name": "pay", "count": turns, "failures": turns // 4},
    ]
    duration_s = result["run"]["duration_s"]
    hits, orders, queue, wait = sorted(result["measures"], key=lambda row: row["name"])
    assert without_latencies(hits) == {**of_shopper, "name": "cache hits", "sort": "rate", "count": turns, "share": 0.5}
    assert orders["sum"] == turns / 10
    assert orders["per_s"] == pytest.approx(turns / 10 / duration_s)
    assert (queue["last"], queue["min"], queue["max"], queue["count"]) == (TURNS, 1, TURNS, turns)
    found = wait["trend"]
    assert (found["clock"], found["count"], found["min"], found["max"]) == ("script", turns, 0, TURNS - 1)
    assert found["mean"] == pytest.approx((TURNS - 1) / 2)
    assert result["limits"]["measures"] == {"cap": 1000, "beyond": 0}
    check_calls(ended, target, turns)


def check_calls(ended: Ended, target: Nginx, turns: int) -> None:
    """None of it is a call; a check failed those that it was to fail."""
    target.stop()
    result = ended.result
    assert result["totals"]["requests"] == len(target.log()) == 3 * turns + turns // 4
    assert result["totals"]["failures"] == turns // 4 + turns // 5
    assert {(row["name"], row["tags"]): row["requests"] for row in result["series"]} == {
        ("/124.html", ""): turns,
        ("/124.html", "page=basket"): turns,
        ("/echo", ""): turns,
        ("/status/500", ""): turns // 4,
    }
    assert ended.errors() == {
        ("/124.html", "check: has a cookie"): turns // 5,
        ("/status/500", "HTTP 500"): turns // 4,
    }
    [exception] = result["exceptions"]
    assert (exception["count"], exception["message"]) == (turns, "KeyError: 'session'")
    for shown in ("checkout", "has a cookie", "counter  orders", "/124.html [page=basket]"):
        assert shown in ended.stdout


def test_a_transaction_lasts_as_long_as_its_calls_by_the_kernels_clock(swell: Start, target: Nginx) -> None:
    """The user pauses within the block, and works; neither is in its duration."""
    script = """
        import time
        from swell import HttpUser, StopUser, task, transaction

        class Reader(HttpUser):
            @task
            def read(self):
                for _ in range(10):
                    with transaction("two pages"):
                        self.client.get("/124.html")
                        time.sleep(0.02)
                        self.client.get("/124.html")
                        sum(range(300_000))
                raise StopUser
        """
    ended = swell(script, "-H", target.url, "-u", "5", "-t", "10s").finish()
    [both], [page] = ended.result["transactions"], ended.result["series"]
    assert (both["count"], page["requests"]) == (50, 100)
    assert both["response_ms"]["clock"] == "kernel"
    assert both["response_ms"]["mean"] == pytest.approx(2 * page["response_ms"]["mean"], rel=1e-9)


def test_what_a_run_measures_beyond_what_can_be_held_is_said(swell: Start, target: Nginx) -> None:
    script = """
        from swell import HttpUser, StopUser, check, task, trend

        class Careless(HttpUser):
            @task
            def measure(self):
                for number in range(1_003):
                    check(number, f"is {number}", True)
                for value in (-1, float("nan"), float("inf"), 1e300):
                    trend("wait").add(value)
                raise StopUser
        """
    ended = swell(script, "-H", target.url, "-t", "5s").finish()
    limits = ended.result["limits"]
    assert (len(ended.result["checks"]), limits["measures"]["beyond"], limits["values_refused"]) == (1_000, 3, 4)
    assert "3 values of checks and measures beyond the first 1,000: left out" in ended.stdout
    assert "4 values that no measure can hold: left out" in ended.stdout
    assert ended.said.count("trend('wait') cannot hold -1") == 1
