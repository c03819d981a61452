"""The measuring stick itself: what the truth server counts and logs is what a small, obvious client sees."""

import contextlib
import http.client
import math
import os
import signal
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.truth.truth_server import SIGMA, TruthServer

Starter = Callable[..., TruthServer]
ANSWER_BYTES = 190
SO_TIMESTAMPING = 37  # not in the socket module of Python 3.11
RX_SOFTWARE_STAMPS = 1 << 3 | 1 << 4
REQUEST = b"GET / HTTP/1.1\r\nHost: truth\r\n\r\n"


def get_often(server: TruthServer, times: int) -> list[tuple[int, int]]:
    """Get the page `times` times over one connection; returns each answer's status and length."""
    if server.ca_file is None:
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    else:
        context = ssl.create_default_context(cafile=server.ca_file)
        client = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=10, context=context)
    seen = []
    for _ in range(times):
        client.request("GET", "/")
        answer = client.getresponse()
        seen.append((answer.status, len(answer.read())))
    client.close()
    return seen


def get_in_parallel(server: TruthServer, connections: int, times: int) -> set[tuple[int, int]]:
    with ThreadPoolExecutor(connections) as pool:
        return {one for seen in pool.map(lambda _: get_often(server, times), range(connections)) for one in seen}


def receive_exactly(client: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count and (more := client.recv(count - len(got))):
        got += more
    return got


@pytest.mark.parametrize("tls", [False, True])
def test_every_request_is_answered_stamped_and_logged_once(truth_server: Starter, tls: bool) -> None:
    server = truth_server(tls=tls, median_us=200)
    assert get_in_parallel(server, connections=8, times=50) == {(200, 124)}
    truth = server.stop()
    counts = truth.counts
    assert (counts.requests, counts.answered, counts.unanswered, counts.connections) == (400, 400, 0, 8)
    assert (counts.unstamped, counts.short_sends, counts.malformed) == (0, 0, 0)
    assert len(truth.durations_ns) == len(truth.durations_after_send_ns) == 400
    assert (truth.durations_ns <= truth.durations_after_send_ns).all()


@pytest.mark.timing
def test_the_delays_are_lognormal_as_asked_for(truth_server: Starter) -> None:
    server = truth_server(seed=5, median_us=20_000)
    get_in_parallel(server, connections=50, times=60)
    log_ms = np.log(server.stop().durations_ns / 1e6)
    median_ms, sigma = math.exp(np.median(log_ms)), float(np.std(log_ms))
    # 3,000 draws: the median scatters by 1.3 %, sigma by 0.0075; the rest is the scheduler's, which only adds.
    assert 0.94 * 20 < median_ms < 1.3 * 20
    assert abs(sigma - SIGMA) < 0.12


@pytest.mark.timing
def test_the_same_seed_draws_the_same_delays(truth_server: Starter) -> None:
    def fastest_ms(seed: int) -> list[float]:
        server = truth_server(seed=seed, median_us=10_000, sigma=2.0)
        get_often(server, 12)
        return [duration / 1e6 for duration in server.stop().durations_ns]

    first, again, other = fastest_ms(3), fastest_ms(3), fastest_ms(4)
    assert np.corrcoef(np.log(first), np.log(again))[0, 1] > 0.9
    assert np.corrcoef(np.log(first), np.log(other))[0, 1] < 0.9


def test_a_request_in_pieces_counts_from_its_last_piece(truth_server: Starter) -> None:
    server = truth_server(median_us=1000, sigma=0.0)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.sendall(REQUEST[:10])
        threading.Event().wait(0.3)
        client.sendall(REQUEST[10:])
        assert client.recv(4096).endswith(b"on the line.")
    truth = server.stop()
    assert truth.counts.answered == 1
    assert 1e6 <= truth.durations_ns[0] < 0.3e9


@pytest.mark.timing
def test_a_client_on_kernel_stamps_sees_the_logged_time_and_the_way_there_and_back(truth_server: Starter) -> None:
    server = truth_server(seed=11)
    seen_ns = []
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPING, RX_SOFTWARE_STAMPS)
        for _ in range(200):
            sent_ns = time.time_ns()
            client.sendall(REQUEST)
            _, ancillary, _, _ = client.recvmsg(4096, 256)
            seconds, nanoseconds = struct.unpack_from("qq", ancillary[0][2])
            seen_ns.append(seconds * 1_000_000_000 + nanoseconds - sent_ns)
    logged_ns = server.stop().durations_ns.astype(np.int64)
    way_ns = np.array(seen_ns) - logged_ns
    assert way_ns.min() >= 0
    assert np.median(way_ns) < 0.05 * np.median(logged_ns)


def test_requests_sent_at_once_are_answered_one_after_the_other(truth_server: Starter) -> None:
    server = truth_server(median_us=500, sigma=0.0)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: truth\r\nContent-Length: 5\r\n\r\nhello" + REQUEST * 2)
        answers = receive_exactly(client, 3 * ANSWER_BYTES)
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == 3
    assert answers == answers[:ANSWER_BYTES] * 3
    assert server.stop().counts.requests == 3


def test_a_client_that_leaves_early_is_counted_as_unanswered(truth_server: Starter) -> None:
    server = truth_server(median_us=50_000, sigma=0.0)
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(REQUEST)
    assert get_often(server, 2) == [(200, 124)] * 2
    counts = server.stop().counts
    assert (counts.requests, counts.answered, counts.unanswered, counts.malformed) == (5, 2, 3, 0)


def test_garbage_ends_its_own_connection_only(truth_server: Starter) -> None:
    plain, over_tls = truth_server(median_us=200), truth_server(median_us=200, tls=True)
    for server in (plain, over_tls):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
            client.sendall(b"\xffgarbage " * 4096)
            with contextlib.suppress(ConnectionResetError):
                while client.recv(100):
                    pass
        assert get_often(server, 3) == [(200, 124)] * 3
        assert server.stop().counts.answered == 3


@pytest.mark.timing
def test_a_server_that_is_held_up_logs_what_its_clients_felt(truth_server: Starter) -> None:
    server = truth_server(median_us=100, sigma=0.0)
    get_often(server, 1)
    os.kill(server.pid, signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (server.pid, signal.SIGCONT)).start()
    get_often(server, 1)
    durations_ns = server.stop().durations_ns
    # A new connection waits in the kernel's queue, and its request is stamped there: the wait is in the log.
    assert durations_ns[1] > 0.3e9 > durations_ns[0]


def test_a_queue_answers_one_after_the_other_each_after_an_exponential_time(truth_server: Starter) -> None:
    server = truth_server(queue_us=2_000)
    get_in_parallel(server, connections=4, times=100)
    truth = server.stop()
    done_ns = np.sort(truth.arrivals_ns + truth.durations_ns)
    began_ns = np.maximum(np.sort(truth.arrivals_ns)[1:], done_ns[:-1])
    served_ms = (done_ns[1:] - began_ns).astype(np.int64) / 1e6
    assert len(served_ms) == 399
    assert served_ms.mean() > 1.5
    assert served_ms.std() > 0.5 * served_ms.mean()
