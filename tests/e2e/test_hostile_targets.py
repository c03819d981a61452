"""Whatever a target does, the run ends in time, its sums hold, and what went wrong stands in few, short texts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.command import Ended, SwellRun
from tests.e2e.mortal import mortal
from tests.targets.hostile import Hostile, hostile

Start = Callable[..., SwellRun]

BROKEN = {
    "/reset/before-head": "connection reset",
    "/reset/mid-head": "connection reset",
    "/reset/mid-body": "connection reset",
    "/close/before-head": "closed before a response",
    "/close/mid-head": "head cut off",
    "/close/mid-body": "body cut off",
    "/close/mid-chunk": "body cut off",
    "/close/before-last-chunk": "body cut off",
    "/garbage": "protocol: not an HTTP response",
    "/garbage/binary": "protocol: not an HTTP response",
    "/garbage/tls": "protocol: not an HTTP response",
    "/garbage/ssh": "protocol: not an HTTP response",
    "/bad/status-line": "protocol: expected space after version",
    "/bad/status-number": "protocol: invalid status line",
    "/bad/version": "protocol: invalid http version",
    "/bad/header": "protocol: invalid header token",
    "/bad/header-null": "protocol: invalid header value char",
    "/bad/header-space": "protocol: invalid header field char",
    "/bad/two-lengths": "protocol: duplicate content-length",
    "/bad/negative-length": "protocol: invalid character in content-length",
    "/bad/length-text": "protocol: invalid character in content-length",
    "/bad/length-and-chunked": "protocol: transfer-encoding can't be present with content-length",
    "/bad/length-overflow": "protocol: content-length overflow",
    "/bad/chunk-size": "protocol: invalid character in chunk size",
    "/bad/chunk-end": "protocol: expected lf after chunk data",
    "/bad/chunk-overflow": "protocol: chunk size overflow",
    "/redirect/loop": "over 30 redirects",
    "/redirect/endless": "over 30 redirects",
    "/redirect/ftp": "redirect: invalid Location: 'ftp://127.0.0.1/' is not an http, https or unix URL",
    "/endless/headers": "protocol: response head over 256 KiB",
    "/endless/header": "protocol: response head over 256 KiB",
    "/endless/status": "protocol: response head over 256 KiB",
    "/endless/informational": "protocol: response head over 256 KiB",
    "/endless/body": "body cut off",
    "/status?n=599": "HTTP 599",
}
ODD = (
    *("/bad/gzip", "/bad/gzip-short", "/extra/garbage", "/extra/response", "/redirect/nowhere"),
    *("/huge/body?mib=4", "/huge/chunks?mib=4", "/huge/one-byte-chunks", "/bytewise"),
    *("/until-close", "/http10", "/close/said", "/close/unsaid", "/no-body/204", "/informational", "/header/latin1"),
)
SLOW = {
    "/silent": "timed out: no response",
    "/stall": "timed out: no more bytes",
    "/drip?every_ms=1000&bytes=60": "timed out: no more bytes",
    "/drip/head?every_ms=1000": "timed out: no more bytes",
}
PORTS = {
    "refuse": {"connection refused"},
    "full": {"timed out: connect"},
    "reset": {"connection reset"},
    "close": {"connection reset", "closed before a response"},
    "silent": {"timed out: no response"},
    "greeting": {"protocol: not an HTTP response"},
    "unasked": {"HTTP 503", "connection reset"},
}


@pytest.fixture
def target() -> Iterator[Hostile]:
    with hostile() as server:
        yield server


def round_of(paths: object, arguments: str = "") -> str:
    """A user that asks for all of these, again and again."""
    return f"""
        from swell import HttpUser, task

        class Wanderer(HttpUser):
            @task
            def everywhere(self):
                for path in {list(paths)!r}:
                    self.client.get(path{arguments})
        """


def check_ended_well(ended: Ended, within_s: float) -> None:
    """In time, as documented, without a traceback, with sums that hold."""
    assert ended.exit_code == ended.documented_exit_code
    assert ended.took_s < within_s
    assert "Traceback" not in ended.said
    ended.check_sums()
    assert all(len(error["error"]) <= 100 for error in ended.result["errors"])


def check_account(ended: Ended, target: Hostile) -> None:
    accounting = ended.result["accounting"]
    assert accounting["answered"] <= len(target.log()) <= accounting["sent"]


def test_answers_that_break_http_are_failures_with_a_short_text_for_each_fault(swell: Start, target: Hostile) -> None:
    ended = swell(round_of(BROKEN), "-H", target.url, "-u", "6", "-t", "3s", "--stop-timeout", "5").finish()
    check_ended_well(ended, within_s=12)
    check_account(ended, target)
    asked = {series["name"]: series["requests"] for series in ended.result["series"]}
    assert ended.errors() == {(path, text): asked[path] for path, text in BROKEN.items()}
    assert min(asked.values()) >= 6
    assert ended.result["totals"]["response_ms"] is None
    assert all(1 <= len(error["samples"]) <= 3 for error in ended.result["errors"])


def test_answers_that_are_merely_odd_are_no_failures(swell: Start, target: Hostile) -> None:
    ended = swell(round_of(ODD), "-H", target.url, "-u", "6", "-t", "2s").finish()
    check_ended_well(ended, within_s=11)
    assert ended.errors() == {}
    assert {series["name"] for series in ended.result["series"]} == set(ODD)
    assert ended.result["accounting"]["answered"] == len(target.log())


def test_answers_that_never_end_are_given_up_in_time(swell: Start, target: Hostile) -> None:
    script = round_of(SLOW, ", timeout=0.3")
    ended = swell(script, "-H", target.url, "-u", "6", "-r", "60", "-t", "2s").finish()
    check_ended_well(ended, within_s=11)
    check_account(ended, target)
    asked = {series["name"]: series["requests"] for series in ended.result["series"]}
    assert ended.errors() == {(path, text): asked[path] for path, text in SLOW.items()}
    for path in SLOW:
        assert 300 <= ended.series(path)["failed_ms"]["p50"] < 900


def test_a_byte_every_second_does_not_hold_the_end_of_a_run_up(swell: Start, target: Hostile) -> None:
    script = round_of(["/ok", "/drip?every_ms=1000&bytes=600"])
    ended = swell(script, "-H", target.url, "-u", "4", "-r", "40", "-t", "2s", "--stop-timeout", "1").finish()
    check_ended_well(ended, within_s=8)
    assert ended.result["accounting"] == {
        **ended.result["accounting"], "sent": 8, "answered": 4, "unanswered": 4
    }  # fmt: skip


def test_targets_that_break_before_a_request_are_failures_with_a_short_text(swell: Start, target: Hostile) -> None:
    urls = {port: target.url_of(port) + "/" for port in PORTS}
    script = f"""
        from swell import HttpUser, task

        class Wanderer(HttpUser):
            @task
            def everywhere(self):
                for port, url in {urls!r}.items():
                    self.client.get(url, name=port, timeout=0.3)
        """
    ended = swell(script, "-H", target.url, "-u", "4", "-r", "40", "-t", "2s").finish()
    check_ended_well(ended, within_s=11)
    for port, texts in PORTS.items():
        errors = {text: count for (name, text), count in ended.errors().items() if name == port}
        assert set(errors) <= texts, port
        assert sum(errors.values()) == ended.series(port)["requests"], port
    never_sent = ended.series("refuse")["requests"] + ended.series("full")["requests"]
    assert ended.result["accounting"]["not_sent"] >= never_sent
    assert ended.result["accounting"]["answered"] == ended.series("unasked")["statuses"].get("503", 0)


def peak_bytes(pid: int) -> int:
    """The most memory that a process ever had; 0 if it is gone."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except FileNotFoundError:
        return 0
    return int(found[1]) * 1024 if found else 0


def test_compressed_bombs_do_not_fill_the_memory(swell: Start, target: Hostile) -> None:
    script = """
        from swell import HttpUser, task

        BOMBS = ("gzip?mib=500", "gzip-gzip?mib=2000", "deflate?mib=90", "br?mib=90", "zstd?mib=90")

        class Reader(HttpUser):
            @task
            def read(self):
                for bomb in BOMBS:
                    response = self.client.get(f"/bomb/{bomb}", name="/bomb")
                    try:
                        print(len(response.content))
                    except ValueError as error:
                        print(f"[{error}]")
        """
    run = swell(script, "-H", target.url, "-u", "3", "-r", "40", "-w", "1")
    run.wait_until(run.workers, "the worker")
    (worker,) = run.workers()
    run.wait_until(lambda: run.said.count("[zstd: over 64 MiB decoded]") >= 3, "a round", timeout_s=25)
    most_bytes = peak_bytes(worker.pid)
    run.signal(2)
    ended = run.finish()
    check_ended_well(ended, within_s=40)
    assert 0 < most_bytes < 300e6
    texts = set(re.findall(r"\[(.*)\]", ended.stdout))
    assert texts == {f"{coding}: over 64 MiB decoded" for coding in ("gzip", "deflate", "br", "zstd")}
    assert ended.errors() == {}


def test_of_ten_thousand_urls_a_thousand_are_told_apart_and_none_is_lost(swell: Start, target: Hostile) -> None:
    script = """
        import os
        from swell import HttpUser, StopUser, task

        class Crawler(HttpUser):
            @task
            def crawl(self):
                for page in range(1_250):
                    self.client.get(f"/any/{os.getpid()}/{id(self)}/{page}")
                raise StopUser
        """
    ended = swell(script, "-H", target.url, "-u", "8", "-r", "80", "-w", "2").finish()
    check_ended_well(ended, within_s=30)
    log, series = target.log(), ended.result["series"]
    assert len({line.target for line in log}) == ended.result["totals"]["requests"] == 10_000
    (other,) = (one for one in series if one["name"] == "(other)")
    assert len(series) - 1 <= 1_000
    assert other["requests"] == 10_000 - (len(series) - 1)
    assert all(one["requests"] == 1 for one in series if one is not other)
    assert ended.result["limits"]["series"]["beyond"] == other["requests"]


STEADY = """
    from swell import HttpUser, constant, task

    class Steady(HttpUser):
        wait_time = constant(0.01)

        def on_start(self):
            print("begun")

        @task
        def ask(self):
            self.client.get("/")
    """
CUT = {"connection refused", "connection reset", "closed before a response"}


def test_a_target_that_dies_and_comes_back_costs_the_calls_of_that_time_only(swell: Start) -> None:
    with mortal() as target:
        run = swell(STEADY, "-H", target.url, "-u", "8", "-r", "80", "-t", "7s")
        run.wait_until(lambda: "begun" in run.said, "the beginning")
        time.sleep(2)
        target.die()
        time.sleep(1.2)
        target.rise()
        ended = run.finish()
    ended.check_sums()
    assert ended.exit_code == ended.documented_exit_code > 0
    assert {text for _, text in ended.errors()} <= CUT
    assert ("/", "connection refused") in ended.errors()
    accounting, totals = ended.result["accounting"], ended.result["totals"]
    assert accounting["answered"] == totals["requests"] - totals["failures"]
    assert accounting["not_sent"] > 0
    seconds = {point["t_s"]: point for point in ended.result["timeline"]}
    assert seconds[0]["failures"] == seconds[6]["failures"] == 0
    assert seconds[0]["requests"] > 0
    assert seconds[6]["requests"] > 100


def test_a_target_that_freezes_shows_at_once_and_loses_nothing(swell: Start) -> None:
    with mortal() as target:
        run = swell(STEADY, "-H", target.url, "-u", "8", "-r", "80", "-t", "6s")
        run.wait_until(lambda: "begun" in run.said, "the beginning")
        time.sleep(2)
        with target.frozen():
            time.sleep(2.5)
        ended = run.finish()
    ended.check_sums()
    assert ended.errors() == {}
    assert min(point["requests"] for point in ended.result["timeline"][:5]) == 0
    assert ended.result["totals"]["response_ms"]["max"] > 2_000
    assert ended.result["accounting"]["answered"] == ended.result["totals"]["requests"]
