"""The latencies of a generator with no CPU left, held against the log of the server that it asked.

400 users without a wait want more than one core can give: most of the time an answer has arrived and nobody has read
it yet. What counts is when it arrived. Controller and worker share one core; the server has the other to itself.

The script also times one call in sixteen by its own clock. That shows what the figures would be without the kernel's
stamps: if it agreed with the server's log as well, the test would prove nothing.
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Ended, SwellRun
from tests.truth.quiet import CoreWatch, check_in_quiet
from tests.truth.truth_server import Truth, TruthServer

pytestmark = [pytest.mark.timing, pytest.mark.timeout(90)]

Start = Callable[..., SwellRun]
Serve = Callable[..., TruthServer]
Measured = tuple[Ended, Truth]
Measure = Callable[[CoreWatch], Measured]

USERS = 400
GENERATOR_CORE, SERVER_CORE = 0, 1
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999}
SHARE, GRAIN_MS = 0.02, 0.1
FAKETIME = "/usr/$LIB/faketime/libfaketime.so.1"
"""Where the Debian package puts it; the loader fills in $LIB. Under another name nothing would be faked, and show."""


def script(server: TruthServer) -> str:
    return f"""
        import time
        from swell import HttpUser, User, constant, task

        class Reader(HttpUser):
            def on_start(self):
                self.client.verify = {str(server.ca_file) if server.ca_file else True!r}

            @task(15)
            def read(self):
                self.client.get("/")

            @task
            def read_by_own_clock(self):
                with self.measure("OWN", "by the user's clock"):
                    self.client.get("/")

        class Watch(User):
            fixed_count = 1
            wait_time = constant(0.3)

            @task
            def tell(self):
                print("clock", time.time())
        """


def start(swell: Start, server: TruthServer, *options: str, seconds: int, **more: Any) -> SwellRun:
    """All users on one worker, which shares its core with the controller."""
    load = ("-u", str(USERS), "-r", "400", "-t", f"{seconds}s", "-w", "1")
    prefix = ["taskset", "-c", str(GENERATOR_CORE)]
    return swell(script(server), "-H", server.url, *load, *options, prefix=prefix, **more)


def check_same_population(ended: Ended, truth: Truth) -> None:
    """Each request that the server logged is a call in the result, and the other way round."""
    counts, accounting = truth.counts, ended.result["accounting"]
    assert (counts.unanswered, counts.unstamped, counts.malformed, counts.short_sends) == (0, 0, 0, 0)
    assert accounting["sent"] == accounting["answered"] == counts.answered == len(truth.durations_ns)
    series = ended.series("/")
    assert (series["requests"], series["failures"]) == (counts.answered, 0)
    assert series["service_ms"]["count"] == counts.answered
    assert ended.result["generator"]["samples_lost"] == 0


def check_quantiles(ended: Ended, truth: Truth, quantiles: Sequence[str] = tuple(QUANTILES)) -> None:
    service_ms = ended.series("/")["service_ms"]
    assert service_ms["clock"] == "kernel"
    said = {name: service_ms[name] for name in quantiles}
    true = {name: truth.quantile_ms(QUANTILES[name]) for name in quantiles}
    print({name: f"{said[name]:.3f} said, {true[name]:.3f} true ms" for name in quantiles})
    limits = {name: SHARE * true[name] + GRAIN_MS for name in quantiles}
    assert {name: said[name] for name in quantiles if abs(said[name] - true[name]) > limits[name]} == {}, (said, true)


def check_it_was_hard(ended: Ended, truth: Truth) -> None:
    """Users waited for the generator, not only for the server: without the kernel's stamps it would show."""
    mean_s = float(truth.durations_ns.mean()) / 1e9
    in_the_server = truth.counts.answered / truth.counts.span_s * mean_s  # Little's law
    assert in_the_server < 0.8 * USERS
    by_own_clock = ended.series("by the user's clock")["response_ms"]
    assert by_own_clock["clock"] == "user"
    assert by_own_clock["p50"] > 1.3 * truth.quantile_ms(0.5)


def check(measured: Measured) -> None:
    ended, truth = measured
    check_same_population(ended, truth)
    check_it_was_hard(ended, truth)
    check_quantiles(ended, truth)


def saturate(swell: Start, truth_server: Serve, *options: str, tls: bool = False, **more: Any) -> Measure:
    """A whole run; gives what swell and what the server say of it."""

    def measure(watch: CoreWatch) -> Measured:
        server = truth_server(core=SERVER_CORE, tls=tls)
        with watch:
            ended = start(swell, server, *options, **more).finish()
        return ended, server.stop()

    return measure


def test_latencies_of_a_saturated_generator_are_the_servers_own(swell: Start, truth_server: Serve) -> None:
    check_in_quiet(GENERATOR_CORE, saturate(swell, truth_server, seconds=7), check)


def test_latencies_over_tls_are_the_servers_own(swell: Start, truth_server: Serve) -> None:
    def check_and_mind_the_server(measured: Measured) -> None:
        check(measured)
        counts = measured[1].counts
        assert counts.cpu_s / counts.span_s < 0.7

    check_in_quiet(
        GENERATOR_CORE, saturate(swell, truth_server, "-r", "200", tls=True, seconds=7), check_and_mind_the_server
    )


@pytest.mark.parametrize(
    "clock",
    [
        pytest.param({"FAKETIME": "+1h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}, id="an hour ahead"),
        pytest.param({"FAKETIME": "@2020-02-29 23:59:57", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}, id="years behind"),
        pytest.param({"FAKETIME": "+1h"}, id="the monotonic clock moved too"),
    ],
)
def test_latencies_under_a_faked_clock_are_the_servers_own(
    swell: Start, truth_server: Serve, clock: dict[str, str]
) -> None:
    def check_and_mind_the_clock(measured: Measured) -> None:
        began_s = datetime.datetime.fromisoformat(measured[0].result["run"]["started_at"]).timestamp()
        assert abs(began_s - time.time()) > 3_000  # it was faked indeed
        check(measured)

    faked = saturate(swell, truth_server, seconds=5, environment={**clock, "LD_PRELOAD": FAKETIME})
    check_in_quiet(GENERATOR_CORE, faked, check_and_mind_the_clock)


def hours_off(run: SwellRun) -> set[int]:
    """How wrong the script's clock has been so far."""
    return {round((float(said) - time.time()) / 3600) for said in re.findall(r"^clock ([\d.]+)$", run.said, re.M)}


def test_latencies_are_the_servers_own_while_the_wall_clock_jumps(
    swell: Start, truth_server: Serve, tmp_path: Path
) -> None:
    offset = tmp_path / "offset"
    clock = {
        "LD_PRELOAD": FAKETIME,
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }

    def measure(watch: CoreWatch) -> Measured:
        offset.write_text("+0")
        server = truth_server(core=SERVER_CORE)
        with watch:
            run = start(swell, server, seconds=9, environment=clock)
            run.wait_until(lambda: 0 in hours_off(run), "the time of day")
            offset.write_text("+3600")
            run.wait_until(lambda: 1 in hours_off(run), "an hour later")
            offset.write_text("-86400")
            ended = run.finish()
        assert -24 in hours_off(run)
        return ended, server.stop()

    check_in_quiet(GENERATOR_CORE, measure, check)
