"""Time-outs: between bytes, of a whole call, tiny ones, and none where the generator itself was late."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from swell.http.environment import HttpEnvironment
from swell.http.sweep import FASTEST_TICK_S, SLOWEST_TICK_S
from tests.http.scripted import OK, REQUEST, CountedTraffic, Line, line

NS_PER_S = 1_000_000_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


def limit(opened: Line, *, idle_s: float = 1000.0, call_s: float = 1000.0) -> None:
    opened.connection.environment.sweep.heed(min(idle_s, call_s))
    opened.connection.idle_ns = int(idle_s * NS_PER_S)
    opened.connection.call_deadline_ns = time.monotonic_ns() + int(call_s * NS_PER_S)


def timed(opened: Line) -> tuple[Any, float]:
    started_s = time.monotonic()
    return opened.outcome(), time.monotonic() - started_s


@pytest.mark.parametrize("timeout_s", [0.05, 0.2])
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", "timed out: no response"),
        (HEAD[:10], "timed out: no more bytes"),
        (HEAD + b"x", "timed out: no more bytes"),
    ],
)
def test_silence_between_bytes_is_timed_out(
    environment: HttpEnvironment, traffic: CountedTraffic, timeout_s: float, said: bytes, reason: str
) -> None:
    with line(environment) as opened:
        limit(opened, idle_s=timeout_s)
        speaker = opened.say([said] if said else [])
        outcome, took_s = timed(opened)
        speaker.kill()
        assert outcome == reason
        assert timeout_s <= took_s < timeout_s + 0.15
    assert traffic.told() == {"sent": 1, "unanswered": 1}


def drip(opened: Line, said: bytes) -> Iterator[None]:
    opened.peer.recv(65_536)
    for byte in said:
        opened.peer.sendall(bytes([byte]))
        gevent.sleep(0.01)
        yield


@pytest.mark.parametrize("said", [HEAD + b"x" * 1000, HEAD[:20] + b"X: " + b"x" * 1000])
def test_a_byte_now_and_then_is_in_time_until_the_whole_call_is_over(
    environment: HttpEnvironment, traffic: CountedTraffic, said: bytes
) -> None:
    with line(environment) as opened:
        limit(opened, idle_s=0.2, call_s=0.6)
        dripping = gevent.spawn(list, drip(opened, said))
        outcome, took_s = timed(opened)
        dripping.kill()
        assert outcome == "timed out: whole call"
        assert 0.6 <= took_s < 0.9
    assert traffic.told() == {"sent": 1, "unanswered": 1}


def test_a_slow_answer_within_its_time_is_an_answer(environment: HttpEnvironment) -> None:
    with line(environment) as opened:
        limit(opened, idle_s=0.3, call_s=5)
        dripping = gevent.spawn(list, drip(opened, OK))
        assert opened.outcome() == (200, b"ok\n", True)
        dripping.kill()


def test_an_answer_that_came_while_the_generator_was_busy_is_no_time_out(environment: HttpEnvironment) -> None:
    for limits in ({"idle_s": 0.1}, {"call_s": 0.1}):
        with line(environment) as opened:
            limit(opened, **limits)
            exchange = gevent.spawn(opened.outcome)
            gevent.sleep(0)
            opened.peer.sendall(OK)
            time.sleep(0.3)  # a task that blocks the CPU
            assert exchange.get() == (200, b"ok\n", True)


def test_silence_while_the_generator_was_busy_is_a_time_out_still(environment: HttpEnvironment) -> None:
    with line(environment) as opened:
        limit(opened, idle_s=0.1)
        exchange = gevent.spawn(opened.outcome)
        gevent.sleep(0)
        time.sleep(0.3)
        assert exchange.get() == "timed out: no response"


def test_what_has_come_until_the_whole_call_is_over_does_not_prolong_it(environment: HttpEnvironment) -> None:
    with line(environment) as opened:
        limit(opened, call_s=0.1)
        exchange = gevent.spawn(opened.outcome)
        gevent.sleep(0)
        opened.peer.sendall(HEAD + b"not all")
        time.sleep(0.3)
        assert exchange.get() == "timed out: whole call"


def test_an_idle_connection_is_never_timed_out(environment: HttpEnvironment) -> None:
    with line(environment) as opened:
        limit(opened, idle_s=0.02, call_s=0.05)
        assert opened.ask([OK]) == (200, b"ok\n", True)
        gevent.sleep(0.1)
        assert not opened.connection.is_closed


def test_many_time_outs_at_once_end_every_wait_even_those_that_end_others(
    environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    lines = []
    contexts = [line(environment) for _ in range(50)]
    for context in contexts:
        opened = context.__enter__()
        limit(opened, idle_s=0.05)
        lines.append(opened)
    outcomes = []

    def live(at: int) -> None:
        outcomes.append(lines[at].outcome())
        gevent.killall(users[at + 1 : at + 3], block=False)

    users = [gevent.spawn(live, at) for at in range(50)]
    gevent.joinall(users)
    assert set(outcomes) == {"timed out: no response"}
    assert traffic.told() == {"sent": 50, "unanswered": 50}
    for context in contexts:
        context.__exit__(None, None, None)


def test_it_ticks_as_fast_as_the_shortest_time_out_asks_and_no_faster(environment: HttpEnvironment) -> None:
    sweep = environment.sweep
    assert sweep._tick_s == SLOWEST_TICK_S
    sweep.heed(60.0)
    assert sweep._tick_s == SLOWEST_TICK_S
    sweep.heed(1.0)
    assert sweep._tick_s == 0.05
    sweep.heed(10.0)
    assert sweep._tick_s == 0.05
    sweep.heed(1e-9)
    assert sweep._tick_s == FASTEST_TICK_S


def test_a_wait_that_is_no_exchange_of_ours_goes_on_after_a_time_out(environment: HttpEnvironment) -> None:
    with line(environment) as opened:
        limit(opened, idle_s=0.02)
        assert opened.outcome(REQUEST) == "timed out: no response"
        started_s = time.monotonic()
        gevent.sleep(0.05)
        assert time.monotonic() - started_s >= 0.05
