"""A worker is killed while arrivals come: those that nobody started are counted, and none is started twice."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable

import pytest

from tests.e2e.command import SwellRun
from tests.targets.nginx import Nginx

Start = Callable[..., SwellRun]


def test_arrivals_of_a_dead_worker_are_not_started_and_its_replacement_goes_on(swell: Start, target: Nginx) -> None:
    script = """
        from swell import HttpUser, arrivals, hold, jump, task

        class Visitor(HttpUser):
            load = arrivals(jump(200), hold("6s"), users=10, max_users=100)

            @task
            def look(self):
                self.client.get("/ok")
        """
    run = swell(script, "-H", target.url, "-w", "2", "--no-store")
    run.wait_until(lambda: len(target.log()) > 300, "some arrivals")
    run.workers()[0].kill()
    ended = run.finish()
    target.stop()
    assert ended.exit_code == 5
    (account,) = ended.result["arrivals"]
    assert account["planned"] == 1_200 == account["started"] + account["dropped"] + account["not_started"]
    assert 10 < account["not_started"] < 400
    came = len(target.log())
    assert account["started"] <= came <= 1_200
    assert "load_not_reached" in ended.reasons
    per_second = collections.Counter(int(line.time_s) for line in target.log())
    whole = sorted(per_second)[1:-1]
    assert per_second[whole[-1]] == pytest.approx(200, abs=20)


def test_iterations_of_a_dead_worker_are_done_by_its_replacement(swell: Start, target: Nginx) -> None:
    script = """
        from swell import HttpUser, constant, iterations, task

        class Sharer(HttpUser):
            wait_time = constant(0.02)
            load = iterations(total=1000, users=10)

            @task
            def look(self):
                self.client.get("/ok")
        """
    run = swell(script, "-H", target.url, "-w", "2", "--no-store")
    run.wait_until(lambda: len(target.log()) > 200, "some iterations")
    time.sleep(0.3)
    run.workers()[0].kill()
    ended = run.finish()
    target.stop()
    assert [one["iterations"] for one in ended.result["scenarios"]] == [1_000]
    assert 1_000 <= len(target.log()) <= 1_000 + 2 * 250  # what was done since its last report is done again
    assert ended.result["run"]["end"] == "completed"
