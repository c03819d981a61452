"""Servers that close connections: what was asked again is counted, and the log agrees to the line."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.account import VISITOR, check_against
from tests.e2e.command import SwellRun
from tests.targets.hostile import hostile
from tests.targets.nginx import nginx

Start = Callable[..., SwellRun]


def test_connections_that_are_closed_all_the_time_lose_no_exchange(swell: Start) -> None:
    with nginx(locations="keepalive_requests 10;") as target:
        ended = swell(VISITOR, "-H", target.url, "-u", "12", "-t", "2s").finish()
        check_against(target, ended)
        log = target.log()
        assert max(line.nth_on_connection for line in log) == 10
        assert len({line.connection for line in log}) > len(log) / 10


def test_requests_that_cross_the_close_of_an_idle_connection_are_retried_and_counted(swell: Start) -> None:
    reader = """
        from swell import HttpUser, between, task

        class Reader(HttpUser):
            wait_time = between(0.018, 0.022)

            @task
            def read(self):
                self.client.get("/124.html")
        """
    with nginx(locations="keepalive_timeout 20ms;") as target:
        ended = swell(reader, "-H", target.url, "-u", "100", "-t", "3s").finish()
        target.stop()
        log, accounting = target.log(), ended.result["accounting"]
        ended.check_sums()
        assert ended.errors() == {}
        assert ended.result["totals"]["requests"] == accounting["answered"] == len(log)
        assert accounting["unanswered"] == accounting["retried"] > 0
        assert max(line.nth_on_connection for line in log) > 1


def test_a_server_that_drops_every_second_request_is_asked_again_each_time_and_once(swell: Start) -> None:
    reader = """
        from swell import HttpUser, constant, task

        class Reader(HttpUser):
            wait_time = constant(0.01)

            @task
            def read(self):
                self.client.get("/close/next")
        """
    with hostile() as target:
        ended = swell(reader, "-H", target.url, "-u", "5", "-t", "2s").finish()
        accounting = ended.result["accounting"]
        ended.check_sums()
        assert ended.exit_code == ended.documented_exit_code
        assert ended.result["totals"]["requests"] == accounting["answered"]
        assert accounting["retried"] == accounting["unanswered"] == accounting["answered"] - 5
        assert len(target.log()) == accounting["answered"] + accounting["unanswered"]
