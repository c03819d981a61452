"""A worker is killed in the middle of a run: what its script had checked and measured is in the result."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e.command import SwellRun
from tests.faults.lab.visitors import finished_calls
from tests.faults.test_killed_worker import OPTIONS, worker_of
from tests.targets.nginx import Nginx

Start = Callable[..., SwellRun]

VISITOR = """
    import os
    from swell import HttpUser, check, constant, counter, events, task, transaction, trend

    orders, waits = counter("orders"), trend("waits")

    @events.init.add_listener
    def open_ledger(environment, runner, **_):
        global ledger
        name = getattr(runner, "client_id", "controller")
        ledger = os.open(f"{os.environ['SWELL_LAB_LEDGERS']}/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)

    class Visitor(HttpUser):
        wait_time = constant(0.001)

        @task
        def page(self):
            with transaction("page"):
                page = self.client.get("/124.html")
            if page.status_code != 200:
                return
            check(page, "is HTML", lambda r: "html" in r.headers["content-type"])
            waits.add(3)
            orders.add(0.5)
            os.write(ledger, b".")  # all of it is recorded, whatever happens next
    """
USERS = 10


def test_everything_that_a_killed_worker_had_measured_is_in_the_result(
    swell: Start, target: Nginx, ledgers: Path, attempt: int
) -> None:
    run = swell(VISITOR, "-H", target.url, *OPTIONS, "-t", "1.5s", "-w", "2")
    run.wait_until(target.log, "the first request")
    time.sleep(random.uniform(0, 1.2))
    worker_of(run, f"{attempt % 2}.1").kill()
    result = run.finish().result
    finished = sum(finished_calls(ledgers).values())
    [check], [page] = result["checks"], result["transactions"]
    orders, waits = result["measures"]
    most = finished + USERS  # each user of the dead worker had recorded some of it, at most
    assert finished <= check["passed"] <= most
    assert check["failed"] == 0
    assert finished <= 2 * orders["sum"] == orders["count"] <= waits["count"] == waits["trend"]["count"]
    assert waits["count"] <= check["passed"] <= page["count"] <= result["totals"]["requests"] <= most
    assert [worker["id"] for worker in result["workers"] if worker["lost_at_s"] is not None] == [str(attempt % 2)]
