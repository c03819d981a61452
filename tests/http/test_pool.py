"""At most six connections to an origin, kept alive, and turns in the order in which they were asked for."""

from __future__ import annotations

import itertools
import random
import time
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from swell.http.failure import CallFailure
from swell.http.pool import MOST_PER_ORIGIN, Pool

NEVER_NS = 1 << 62
_numbers = itertools.count(1)


class FakeConnection:
    """What a pool sees of a connection."""

    def __init__(self, *, keep_alive: bool = True, stale: bool = False, complete: int = 1) -> None:
        self.number = next(_numbers)
        self.keep_alive = keep_alive
        self.stale = stale
        self.complete = complete
        self.in_exchange = self.is_closed = False
        self.tls: Any = None
        self.used = True

    def __repr__(self) -> str:
        return f"c{self.number}{' closed' if self.is_closed else ''}"

    def close(self) -> None:
        self.is_closed = True
        self.keep_alive = False
        self.stale = True

    def check(self) -> None:
        pass


def taken(pool: Pool) -> Any:
    return pool.take(NEVER_NS)


def test_an_empty_pool_asks_its_caller_to_open_a_connection() -> None:
    pool = Pool()
    assert taken(pool) is None
    assert repr(pool) == "<Pool of 0 idle, 1 busy, 0 waiting>"
    pool.check()


def test_what_is_given_back_fit_is_taken_again_the_newest_first() -> None:
    pool = Pool()
    first, second = FakeConnection(), FakeConnection()
    for connection in (first, second):
        taken(pool)
        pool.give_back(connection)  # type: ignore[arg-type]
    pool.busy = 0
    pool.idle[:] = [first, second]  # type: ignore[list-item]
    assert [taken(pool), taken(pool), taken(pool)] == [second, first, None]
    assert (first.is_closed, second.is_closed) == (False, False)


@pytest.mark.parametrize("unfit", [{"keep_alive": False}, {"stale": True}, {"complete": 0}, {"complete": 2}])
def test_what_is_given_back_unfit_is_closed(unfit: dict[str, Any]) -> None:
    pool = Pool()
    taken(pool)
    connection = FakeConnection(**unfit)
    pool.give_back(connection)  # type: ignore[arg-type]
    assert connection.is_closed
    assert repr(pool) == "<Pool of 0 idle, 0 busy, 0 waiting>"


def test_a_connection_that_could_not_be_opened_is_given_back_as_none() -> None:
    pool = Pool()
    taken(pool)
    pool.give_back(None)
    assert repr(pool) == "<Pool of 0 idle, 0 busy, 0 waiting>"


def test_one_that_has_become_stale_is_closed_when_it_is_found_and_its_tls_session_kept() -> None:
    pool = Pool()
    good, stale, resumable = FakeConnection(), FakeConnection(stale=True), FakeConnection(stale=True)
    resumable.tls = SimpleNamespace(session="a session")
    pool.idle[:] = [good, resumable, stale]  # type: ignore[list-item]
    assert taken(pool) is good
    assert (stale.is_closed, resumable.is_closed, pool.tls_session) == (True, True, "a session")


def test_a_session_that_was_never_used_is_not_kept() -> None:
    pool = Pool()
    taken(pool)
    connection = FakeConnection(keep_alive=False)
    connection.tls = SimpleNamespace(session="a session")
    connection.used = False
    pool.give_back(connection)  # type: ignore[arg-type]
    assert pool.tls_session is None


def test_a_closed_pool_closes_what_is_idle_and_what_is_given_back_later() -> None:
    pool = Pool()
    idle, busy, later = FakeConnection(), FakeConnection(), FakeConnection()
    pool.idle.append(idle)  # type: ignore[arg-type]
    pool.busy = 1
    pool.close()
    pool.give_back(busy)  # type: ignore[arg-type]
    assert taken(pool) is None, "a user who goes on after all opens a connection for each call"
    pool.give_back(later)  # type: ignore[arg-type]
    assert (idle.is_closed, busy.is_closed, later.is_closed) == (True, True, True)
    pool.close()
    pool.check()


def full_pool() -> tuple[Pool, list[Any]]:
    pool = Pool()
    held = []
    for _ in range(MOST_PER_ORIGIN):
        assert taken(pool) is None
        held.append(FakeConnection())
    return pool, held


def test_a_seventh_waits_until_one_comes_back() -> None:
    pool, held = full_pool()
    seventh = gevent.spawn(taken, pool)
    gevent.sleep(0.01)
    assert not seventh.dead
    assert repr(pool) == "<Pool of 0 idle, 6 busy, 1 waiting>"
    pool.give_back(held[0])
    assert seventh.get() is held[0]
    assert repr(pool) == "<Pool of 0 idle, 6 busy, 0 waiting>"


def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    pool, held = full_pool()
    order: list[int] = []
    waiting = [gevent.spawn(lambda at: (taken(pool), order.append(at)), at) for at in range(10)]
    gevent.sleep(0)
    for _ in range(10):
        pool.give_back(held[0])
        gevent.sleep(0)
    gevent.joinall(waiting)
    assert order == list(range(10))


def test_who_gives_back_and_takes_at_once_does_not_overtake_who_waits() -> None:
    """A user's greenlet that makes call after call would otherwise starve the seventh for ever."""
    pool, held = full_pool()
    turns: list[str] = []

    def greedy() -> None:
        for _ in range(5):
            pool.give_back(held[0])
            taken(pool)
            turns.append("greedy")

    def patient() -> None:
        taken(pool)
        turns.append("patient")
        pool.give_back(held[0])

    waits = gevent.spawn(patient)
    gevent.sleep(0)
    takes = gevent.spawn(greedy)
    gevent.joinall([waits, takes], timeout=1)
    assert turns[0] == "patient"
    assert turns.count("greedy") == 5
    pool.check()


def test_one_killed_while_waiting_leaves_the_queue() -> None:
    pool, held = full_pool()
    first, second = gevent.spawn(taken, pool), gevent.spawn(taken, pool)
    gevent.sleep(0)
    first.kill()
    pool.give_back(held[0])
    assert second.get() is held[0]
    pool.check()


def test_one_killed_when_its_turn_has_come_but_not_run_passes_it_on() -> None:
    pool, held = full_pool()
    first, second = gevent.spawn(taken, pool), gevent.spawn(taken, pool)
    gevent.sleep(0)
    first.kill(block=False)
    pool.give_back(held[0])
    assert second.get(timeout=1) is held[0]
    assert repr(pool) == "<Pool of 0 idle, 6 busy, 0 waiting>"
    third = gevent.spawn(taken, pool)
    gevent.sleep(0)
    third.kill(block=False)
    pool.give_back(held[0])
    third.join()
    assert pool.busy == MOST_PER_ORIGIN - 1
    pool.check()


def test_a_wait_for_ones_turn_ends_with_the_call() -> None:
    pool, held = full_pool()
    with pytest.raises(CallFailure, match="timed out: whole call"):
        pool.take(time.monotonic_ns() + 20_000_000)
    with pytest.raises(CallFailure, match="timed out: whole call"):
        pool.take(time.monotonic_ns() - 1)
    with pytest.raises(CallFailure, match="timed out: whole call"):
        pool.take_none(time.monotonic_ns() + 1)
    assert repr(pool) == "<Pool of 0 idle, 6 busy, 0 waiting>"
    pool.give_back(held[0])
    assert taken(pool) is held[0]
    pool.check()


def test_a_script_that_gives_up_waiting_leaves_the_queue() -> None:
    pool, _ = full_pool()
    with gevent.Timeout(0.01, False):
        taken(pool)
    assert repr(pool) == "<Pool of 0 idle, 6 busy, 0 waiting>"


@pytest.mark.parametrize("seed", range(5))
def test_killed_at_random_moments_no_turn_is_lost_and_never_are_seven_busy(seed: int) -> None:
    moments = random.Random(seed)
    pool = Pool()
    held: set[int] = set()
    calls = 0

    def call() -> None:
        nonlocal calls
        take = moments.choice([pool.take, pool.take, pool.take_none])
        connection: Any = take(time.monotonic_ns() + moments.choice([50_000, 1_000_000_000]))
        try:
            pool.check()
            connection = connection or FakeConnection()
            held.add(connection.number)
            assert len(held) <= MOST_PER_ORIGIN
            gevent.sleep(moments.choice([0, 0, 0.0001]))
            connection.keep_alive = moments.random() < 0.7
            calls += 1
        finally:
            held.discard(connection.number)
            pool.give_back(connection)

    def user() -> None:
        while True:
            try:
                call()
            except CallFailure:
                gevent.sleep(0)

    users = [gevent.spawn(user) for _ in range(30)]
    for at in range(600):
        gevent.sleep(moments.choice([0, 0, 0.0001]))
        victim = moments.randrange(30)
        users[victim].kill(block=moments.random() < 0.5)
        users[victim] = gevent.spawn(user)
        if at % 50 == 0:
            pool.check()
    gevent.killall(users)
    assert calls > 300
    assert (pool.busy, held) == (0, set())
    pool.check()
