"""A server that stands still for a while, under a load that does not wait for it: what people would have felt.

100 starts a second are due for T = 10 s, and the server is frozen for about S = 1 s in between. Whoever is due within
the freeze waits for the rest of it, so the share of starts that wait for longer than d is (S - d) / T, and the quantile
q of the response time is S - (1 - q)·T. A generator that waits with the server would send next to nothing meanwhile,
and report next to nothing of it (coordinated omission).
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from tests.e2e.command import Ended, SwellRun
from tests.truth.quiet import CoreWatch, check_in_quiet
from tests.truth.truth_server import TruthServer

pytestmark = [pytest.mark.timing, pytest.mark.timeout(90)]

Start = Callable[..., SwellRun]
Serve = Callable[..., TruthServer]
Measured = tuple[Ended, float]

GENERATOR_CORE, SERVER_CORE = 0, 1
STARTS = 1_000
RUN_S = 10.0
FREEZE_S = 1.0
INTO_THE_RUN_S = 3.5
SHARE = 0.03
"""Of the freeze: so far a quantile may be from the formula."""
QUANTILES = {"p95": 0.95, "p99": 0.99}

ARRIVING = """
    from swell import HttpUser, task

    class Visitor(HttpUser):
        @task
        def read(self):
            self.client.get("/")
    """
PACED = """
    from swell import HttpUser, constant_throughput, task

    class Visitor(HttpUser):
        wait_time = constant_throughput(10)

        @task
        def read(self):
            self.client.get("/")
    """


def freeze(process: psutil.Process) -> float:
    """Stop a process for a while; returns for how long it stood still."""
    process.send_signal(signal.SIGSTOP)
    while process.status() != psutil.STATUS_STOPPED:
        time.sleep(0.0005)
    began_s = time.monotonic()
    time.sleep(FREEZE_S)
    stood_s = time.monotonic() - began_s
    process.send_signal(signal.SIGCONT)
    return stood_s


def run_with_a_freeze(swell: Start, truth_server: Serve, script: str, *load: str) -> Callable[[CoreWatch], Measured]:
    def measure(watch: CoreWatch) -> Measured:
        server = truth_server(core=SERVER_CORE, median_us=500)
        process = psutil.Process(server.pid)
        prefix = ["taskset", "-c", str(GENERATOR_CORE)]
        with watch:
            run = swell(script, "-H", server.url, "-t", f"{RUN_S:g}s", "-w", "1", *load, prefix=prefix)
            run.wait_until(lambda: process.net_connections("tcp")[1:], "the first connection")
            time.sleep(INTO_THE_RUN_S)
            stood_s = freeze(process)
            ended = run.finish()
        counts = server.stop().counts
        assert counts.answered == ended.result["accounting"]["answered"]
        return ended, stood_s

    return measure


def check_all_were_sent_or_counted(result: dict[str, Any]) -> None:
    totals = result["totals"]
    not_started = sum(found["not_started"] for found in result["arrivals"])
    assert totals["requests"] + totals["dropped"] + totals["missed"] + not_started == STARTS
    assert totals["failures"] == 0


def check_quantiles(measured: Measured) -> None:
    ended, stood_s = measured
    check_all_were_sent_or_counted(ended.result)
    response_ms = ended.result["totals"]["response_ms"]
    due_ms = {name: 1e3 * (stood_s - (1 - q) * RUN_S) for name, q in QUANTILES.items()}
    print({name: f"{response_ms[name]:.1f} measured, {due_ms[name]:.1f} ms by the formula" for name in due_ms})
    off_ms = {name: abs(response_ms[name] - due_ms[name]) for name in due_ms}
    assert max(off_ms.values()) <= SHARE * 1e3 * stood_s, off_ms


def test_arrivals_at_a_frozen_server_wait_as_long_as_it_is_frozen(swell: Start, truth_server: Serve) -> None:
    load = ("--rate", "100/s", "-u", "20", "--max-users", "200")
    check_in_quiet(GENERATOR_CORE, run_with_a_freeze(swell, truth_server, ARRIVING, *load), check_quantiles)


def test_so_they_do_where_users_are_started_for_them(swell: Start, truth_server: Serve) -> None:
    load = ("--rate", "100/s", "--max-users", "200")
    check_in_quiet(GENERATOR_CORE, run_with_a_freeze(swell, truth_server, ARRIVING, *load), check_quantiles)


def test_so_do_the_iterations_of_paced_users(swell: Start, truth_server: Serve) -> None:
    load = ("-u", "10", "-r", "100/s")
    check_in_quiet(GENERATOR_CORE, run_with_a_freeze(swell, truth_server, PACED, *load), check_quantiles)


def test_where_there_can_be_no_more_users_what_arrives_meanwhile_is_dropped_and_counted(
    swell: Start, truth_server: Serve
) -> None:
    def check(measured: Measured) -> None:
        ended, stood_s = measured
        check_all_were_sent_or_counted(ended.result)
        dropped = ended.result["totals"]["dropped"]
        assert abs(dropped - (100 * stood_s - 20)) <= 3
        assert "load_not_reached" in ended.reasons

    load = ("--rate", "100/s", "-u", "20", "--max-users", "20")
    check_in_quiet(GENERATOR_CORE, run_with_a_freeze(swell, truth_server, ARRIVING, *load), check)
