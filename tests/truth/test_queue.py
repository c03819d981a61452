"""Poisson arrivals at a server that serves one at a time, each for an exponential time: the queue M/M/1.

A server of 10 ms a request that gets 70 of them a second is busy 70 % of the time, and those who come wait for 33 ms in
the mean. That takes arrivals that are independent of each other and of the answers: users who wait for their answers
before they come again would keep the queue short. What swell reports of the waiting is held against the queue as it
came about, by the server's own log.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from tests.e2e.command import Ended, SwellRun
from tests.truth.quiet import CoreWatch, check_in_quiet
from tests.truth.truth_server import Truth, TruthServer

pytestmark = [pytest.mark.timing, pytest.mark.timeout(120)]

Start = Callable[..., SwellRun]
Serve = Callable[..., TruthServer]
Measured = tuple[Ended, Truth]

GENERATOR_CORE, SERVER_CORE = 0, 1
SERVICE_MS = 10.0
RATE_PER_S = 70
LOAD = ("--rate", f"{RATE_PER_S}/s", "--rate-spread", "poisson", "-u", "40", "--max-users", "500", "-t", "15s")
QUANTILES = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99}
DEVIATIONS = 1.96
"""95 % of all samples of a population have its quantile between the order statistics that lie so far from it."""
SCRIPT = """
    from swell import HttpUser, task

    class Visitor(HttpUser):
        @task
        def read(self):
            self.client.get("/")
    """


def interval_ms(truth: Truth, q: float) -> tuple[float, float]:
    """The confidence interval of a quantile of the queue as it came about, by order statistics."""
    sorted_ns = np.sort(truth.durations_ns)
    count = len(sorted_ns)
    middle, deviation = q * count, DEVIATIONS * math.sqrt(count * q * (1 - q))
    low, high = max(math.floor(middle - deviation), 0), min(math.ceil(middle + deviation), count - 1)
    return float(sorted_ns[low]) / 1e6, float(sorted_ns[high]) / 1e6


def check(measured: Measured) -> None:
    ended, truth = measured
    (account,) = ended.result["arrivals"]
    assert (account["dropped"], account["not_started"]) == (0, 0)
    assert account["started"] == truth.counts.requests == truth.counts.answered > 900
    response_ms = ended.result["totals"]["response_ms"]
    said = {name: response_ms[name] for name in QUANTILES}
    bounds = {name: interval_ms(truth, q) for name, q in QUANTILES.items()}
    print({name: f"{said[name]:.2f} in {low:.2f}..{high:.2f} ms" for name, (low, high) in bounds.items()})
    assert {name: said[name] for name, (low, high) in bounds.items() if not low <= said[name] <= high} == {}
    mean_ms = float(truth.durations_ns.mean()) / 1e6
    assert mean_ms > 1.5 * SERVICE_MS  # there was a queue indeed


def test_what_is_said_of_a_queue_is_what_the_queue_was(swell: Start, truth_server: Serve) -> None:
    def measure(watch: CoreWatch) -> Measured:
        server = truth_server(core=SERVER_CORE, queue_us=1_000 * SERVICE_MS, seed=3)
        with watch:
            prefix = ["taskset", "-c", str(GENERATOR_CORE)]
            ended = swell(SCRIPT, "-H", server.url, "-w", "1", "--seed", "11", *LOAD, prefix=prefix).finish()
        return ended, server.stop()

    check_in_quiet(GENERATOR_CORE, measure, check)
