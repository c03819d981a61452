"""When bytes came: by the kernel's stamp where it can be true, by the user's clock, counted, where not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import gevent
import pytest

from swell.http.connection import READ_BYTES
from swell.http.environment import HttpEnvironment
from swell.http.kernel_clock import KernelClock, Stamps, ask_for_stamps
from tests.http.encrypted import server_context, tls_line
from tests.http.scripted import OK, REQUEST, CountedTraffic, Line, ScriptedClock, ScriptedSocket, goes_on, line
from tests.targets.tls import Authority

OFFSET_NS = 1_700_000_000 * 1_000_000_000
LARGE = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000


def stamped_exchange(opened: Line, pieces: Sequence[bytes], ages_ns: Sequence[int | None], then: str = "") -> None:
    """An exchange whose reads carry stamps so many ns before or, if negative, after the moment of writing; or none."""
    connection = opened.connection
    connection.environment.clock.offset_ns = OFFSET_NS
    scripted = ScriptedSocket(connection.sock)
    connection.sock = scripted  # type: ignore[assignment]

    def say() -> None:
        opened.peer.recv(65_536)
        said_bytes = 0
        for piece, age_ns in zip(pieces, ages_ns, strict=True):
            now_ns = time.monotonic_ns() + OFFSET_NS
            scripted.stamps.append(None if age_ns is None else now_ns - age_ns)
            opened.peer.sendall(piece)
            said_bytes += len(piece)
            while connection.in_exchange and connection.received_bytes < said_bytes:
                gevent.sleep(1e-6)
        if then:
            opened.peer.close()

    speaker = gevent.spawn(say)
    connection.exchange(REQUEST, False)
    speaker.join()


def test_the_instants_are_those_of_the_stamps(environment: HttpEnvironment, traffic: CountedTraffic) -> None:
    with line(environment) as opened:
        connection = opened.connection
        stamped_exchange(opened, [OK[:10], OK[10:30], OK[30:]], [0, 0, 0])
        assert connection.sent_ns < connection.first_ns < connection.done_ns
        assert not connection.unstamped
        assert connection.environment.clock.suspected == []  # type: ignore[attr-defined]
    assert traffic.counts == {"sent": 1, "answered": 1}


def test_the_first_byte_is_the_first_reads_and_the_end_the_last_ones(environment: HttpEnvironment) -> None:
    with line(environment) as opened:
        connection = opened.connection
        scripted = ScriptedSocket(connection.sock)
        connection.sock = scripted  # type: ignore[assignment]
        connection.begin(REQUEST)
        for at, piece in enumerate([OK[:10], OK[10:30], OK[30:]], 1):
            scripted.stamps = [connection.sent_ns + at]
            opened.peer.sendall(piece)
            connection.wait()
            connection.receive()
        connection.finish()
        assert (connection.first_ns - connection.sent_ns, connection.done_ns - connection.sent_ns) == (1, 3)


def test_a_whole_response_has_one_instant(environment: HttpEnvironment) -> None:
    with line(environment) as opened:
        stamped_exchange(opened, [OK], [0])
        assert opened.connection.first_ns == opened.connection.done_ns


@pytest.mark.parametrize("age_ns", [1_000_000_000, -1_000_000_000])
def test_a_stamp_outside_the_exchange_is_suspect_and_the_clock_is_asked(
    environment: HttpEnvironment, clock: ScriptedClock, traffic: CountedTraffic, age_ns: int
) -> None:
    with line(environment) as opened:
        connection = opened.connection
        clock.verdict = 42
        stamped_exchange(opened, [OK], [age_ns])
        ((stamp_ns, earliest_ns, latest_ns),) = clock.suspected
        assert (connection.first_ns, connection.done_ns, connection.unstamped) == (42, 42, False)
        assert earliest_ns == connection.sent_ns
        assert earliest_ns <= latest_ns <= time.monotonic_ns()
        assert not earliest_ns <= stamp_ns - OFFSET_NS <= latest_ns
    assert traffic.counts == {"sent": 1, "answered": 1}


def test_a_stamp_that_cannot_be_trusted_is_replaced_by_the_users_clock_and_counted(
    environment: HttpEnvironment, clock: ScriptedClock, traffic: CountedTraffic
) -> None:
    with line(environment) as opened:
        connection = opened.connection
        stamped_exchange(opened, [OK[:9], OK[9:]], [1_000_000_000, 0])
        assert connection.sent_ns < connection.first_ns < connection.done_ns < time.monotonic_ns()
        assert connection.unstamped
    assert traffic.counts == {"sent": 1, "answered": 1, "unstamped": 1}


@pytest.mark.parametrize("ages_ns", [[None, 0], [0, None], [None, None]])
def test_a_read_without_a_stamp_makes_the_call_unstamped_once(
    environment: HttpEnvironment, traffic: CountedTraffic, ages_ns: list[int | None]
) -> None:
    with line(environment) as opened:
        stamped_exchange(opened, [OK[:9], OK[9:]], ages_ns)
        assert opened.connection.unstamped
        opened.connection.sock.stamps = []  # type: ignore[attr-defined]
        stamped_exchange(opened, [OK], [0])
        assert not opened.connection.unstamped
    assert traffic.counts == {"sent": 2, "answered": 2, "unstamped": 1}


def test_tickets_older_than_the_request_leave_its_answer_its_stamp(
    environment: HttpEnvironment, traffic: CountedTraffic, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    with tls_line(environment, authority, server_context(authority.server(), "1.3")) as opened:
        connection = opened.connection
        scripted = ScriptedSocket(connection.sock)
        connection.sock = scripted  # type: ignore[assignment]
        tickets = opened.server.wire()
        connection.begin(REQUEST)
        for at, piece in ((-5, tickets), (3, opened.server.say(OK))):
            scripted.stamps = [connection.sent_ns + at]
            opened.peer.sendall(piece)
            connection.wait()
            connection.receive()
        connection.finish()
        assert (connection.done_ns - connection.sent_ns, connection.unstamped) == (3, False)
    assert traffic.told() == {"sent": 1, "answered": 1}


def test_a_response_that_ends_with_the_connection_ends_by_the_users_clock(
    environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    """The kernel stamps bytes, not their end."""
    with line(environment) as opened:
        stamped_exchange(opened, [b"HTTP/1.1 200 OK\r\n\r\nok\n"], [0], then="close")
        assert opened.connection.unstamped
        assert opened.connection.first_ns < opened.connection.done_ns
    assert traffic.counts == {"sent": 1, "answered": 1, "unstamped": 1}


def test_a_response_larger_than_the_receive_window_is_counted(
    environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    with line(environment) as opened:
        opened.connection.window_bytes = len(OK)
        assert opened.ask([OK]) == (200, b"ok\n", True)
        assert traffic.counts["window_limited"] == 0
        assert opened.ask([LARGE]) == (200, b"x" * 200_000, True)
        assert traffic.counts["window_limited"] == 1


def test_a_body_over_64_mib_is_read_to_its_end_and_not_kept(
    environment: HttpEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swell.http.connection.BODY_BYTES_KEPT", 4 * READ_BYTES)
    with line(environment) as opened:
        speaker = opened.say([LARGE])
        opened.connection.exchange(REQUEST, False)
        speaker.join()
        assert opened.connection.truncated
        assert len(opened.connection.body) <= 2 * 256 * 1024
        assert goes_on(opened.connection)
        assert opened.ask([OK]) == (200, b"ok\n", True)
        assert not opened.connection.truncated


def test_a_body_of_many_tiny_chunks_is_bounded_by_what_it_costs(
    environment: HttpEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swell.http.connection.BODY_BYTES_KEPT", 256 * 1024)
    tiny = b"2\r\nxx\r\n" * 20_000
    with line(environment) as opened:
        speaker = opened.say([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", tiny, b"0\r\n\r\n"])
        opened.connection.exchange(REQUEST, False)
        speaker.join()
        assert opened.connection.truncated


def test_the_kernels_own_stamps_lie_between_sending_and_reading() -> None:
    traffic = CountedTraffic()
    clock = KernelClock()
    if clock.stamps is Stamps.USER:
        pytest.fail("this machine gives no kernel stamps: run `swell doctor`")
    environment = HttpEnvironment(traffic, clock)
    while not clock.measure():
        time.sleep(0.001)
    with line(environment) as opened:
        ask_for_stamps(opened.connection.sock)
        for _ in range(20):
            assert opened.ask([OK[:20], OK[20:]]) == (200, b"ok\n", True)
            connection = opened.connection
            assert connection.sent_ns <= connection.first_ns <= connection.done_ns <= time.monotonic_ns()
        late = opened.say([OK])
        connection.begin(REQUEST)
        gevent.sleep(0.01)
        time.sleep(0.1)  # the bytes have been here for that long when they are read
        connection.wait()
        connection.receive()
        connection.finish()
        late.join()
        assert connection.done_ns - connection.sent_ns < 50_000_000
    environment.close()
    clock.close()
    assert traffic.counts["unstamped"] <= 1
