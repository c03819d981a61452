"""What calls leave behind, whatever became of them: no fd, no watcher, no connection, no work for the collector."""

from __future__ import annotations

import gc
import os
import types
from collections.abc import Callable

import gevent
import gevent.socket
import pytest

from swell.http.client import Client
from swell.http.connection import Connection
from swell.http.environment import HttpEnvironment
from swell.http.failure import CallFailure
from tests.http.loopback import Visit, answering, call, full_listener, serving, tls_serving
from tests.http.scripted import OK
from tests.targets.tls import Authority, Certificate


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.server()


def left_behind(act: Callable[[], object]) -> list[object]:
    """What of ours the garbage collector would have to find after `act`."""
    act()
    gc.collect()
    gc.disable()
    try:
        for _ in range(10):
            act()
        gevent.sleep(0)
        before = {id(found) for found in gc.get_objects()}
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found = [one for one in gc.garbage if id(one) in before]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    return [one for one in found if isinstance(one, Connection | CallFailure) or _is_our_frame(one)]


def _is_our_frame(found: object) -> bool:
    return isinstance(found, types.FrameType) and "/swell/http/" in found.f_code.co_filename


@pytest.mark.usefixtures("unknown")
@pytest.mark.parametrize("kind", ["answered", "closed", "reset", "garbage", "refused", "silent", "unknown", "full"])
def test_calls_leave_nothing_to_the_garbage_collector(client: Client, kind: str) -> None:
    handles = {
        "answered": answering(OK.replace(b"200 OK", b"200 OK\r\nConnection: close")),
        "closed": lambda visit: visit.request(),
        "reset": lambda visit: (visit.request(), visit.reset())[0],
        "garbage": answering(b"garbage\r\n\r\n"),
        "silent": lambda visit: gevent.sleep(5),
    }
    with serving(handles.get(kind, answering())) as server, full_listener() as full_port:
        url = {"refused": "http://127.0.0.1:1/", "unknown": "http://no-such-host.invalid/"}.get(kind, server.url)
        if kind == "full":
            url = f"http://127.0.0.1:{full_port}/"
        assert (
            left_behind(lambda: call(client, "GET", url, timeout=0.005 if kind in ("silent", "full") else None)) == []
        )


def test_a_thousand_connections_leave_no_fd_no_watcher_and_no_connection(
    client: Client, environment: HttpEnvironment, authority: Authority, certificate: Certificate
) -> None:
    def state() -> tuple[int, int, int]:
        gevent.sleep(0.01)
        return len(os.listdir("/proc/self/fd")), gevent.get_hub().loop.activecnt, len(environment.connections)

    ends = [OK.replace(b"200 OK", b"200 OK\r\nConnection: close"), b"garbage\r\n\r\n", OK[:30], OK]

    def handle(visit: Visit) -> None:
        visit.request()
        visit.send(ends[visit.number % 4])

    with serving(handle) as server, tls_serving(certificate) as secure:
        before = state()
        for at in range(1_000):
            call(client, "POST", server.url)
            if at % 10 == 0:
                call(client, "GET", secure.url)
                with gevent.Timeout(0.0005, False):
                    call(client, "GET", secure.url, verify=False, headers={"Connection": "close"})
        client.close()
        gevent.sleep(0.05)
        assert state() == before
