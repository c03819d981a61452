"""Calls that never reach the target: each step's failure in its own words, not sent, leaving nothing behind."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import gevent.socket
import pytest

from swell.http.client import Client
from swell.http.environment import FDS_KEPT_FREE, HttpEnvironment
from swell.http.names import Names
from tests.http.loopback import Visit, answering, call, full_listener, plain_get, serving, tls_serving
from tests.http.scripted import OK, CountedTraffic, ScriptedClock
from tests.targets.tls import Authority, Certificate

NOT_SENT = {"not_sent": 1}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.server()


def test_a_refused_connection(client: Client, traffic: CountedTraffic) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        response = plain_get(client, f"http://127.0.0.1:{bound.getsockname()[1]}/")
    assert (response.error, response.status_code, response.sent_ns) == ("connection refused", 0, 0)
    assert response.connect_ns > 0
    assert response.done_ns > response.begun_ns
    assert traffic.told() == NOT_SENT


@pytest.mark.usefixtures("unknown")
def test_a_name_that_is_not_known(client: Client, traffic: CountedTraffic) -> None:
    response = plain_get(client, "http://no-such-host.invalid/")
    assert response.error == "DNS: name or service not known"
    assert traffic.told() == NOT_SENT


def test_a_unix_socket_that_is_not_there(client: Client, traffic: CountedTraffic, tmp_path: Path) -> None:
    assert plain_get(client, f"unix:{tmp_path / 'none'}").error == "no such unix socket"
    assert plain_get(client, "unix:/" + "x" * 200).error == "AF_UNIX path too long"
    assert traffic.told() == {"not_sent": 2}


def test_the_last_file_descriptors_are_left_to_the_worker_itself(
    client: Client, environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert environment.fds_for_users == (1 << 31 if limit == resource.RLIM_INFINITY else limit - FDS_KEPT_FREE)
    with serving(answering()) as server:
        environment.fds_for_users = os.open("/dev/null", os.O_RDONLY)  # the lowest that was free
        assert plain_get(client, server.url).error == "out of file descriptors (generator)"
        assert (environment.fd_exhausted, traffic.told()) == (1, NOT_SENT)
        os.close(environment.fds_for_users)
        environment.fds_for_users += 1
        assert plain_get(client, server.url).status_code == 200


def test_a_unix_socket_whose_queue_is_full_is_waited_for(
    client: Client, traffic: CountedTraffic, tmp_path: Path
) -> None:
    """Its connect says EAGAIN, which is no connection under way as for TCP."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as held:
        listener.bind(str(path))
        listener.listen(0)
        listener.settimeout(0)
        full = held.enter_context(socket.socket(socket.AF_UNIX))
        full.connect(str(path))
        assert call(client, "GET", f"unix:{path}", timeout=(0.1, 5)).error == "timed out: connect"

        def serve() -> None:
            gevent.sleep(0.05)
            for _ in range(2):
                gevent.socket.wait_read(listener.fileno())
                visitor = held.enter_context(listener.accept()[0])
            gevent.socket.wait_read(visitor.fileno())
            visitor.recv(1000)
            visitor.sendall(OK)

        server = gevent.spawn(serve)
        assert call(client, "GET", f"unix:{path}", timeout=5).status_code == 200
        server.get()
    assert traffic.told() == {"not_sent": 1, "sent": 1, "answered": 1}


def test_a_connection_that_takes_too_long(client: Client, traffic: CountedTraffic) -> None:
    with full_listener() as port:
        response = call(client, "GET", f"http://127.0.0.1:{port}/", timeout=(0.05, 5))
    assert response.error == "timed out: connect"
    assert 50_000_000 <= response.connect_ns < 500_000_000
    assert traffic.told() == NOT_SENT


def test_a_time_out_of_the_script_while_connecting_passes_through(client: Client, environment: HttpEnvironment) -> None:
    with full_listener() as port:
        with gevent.Timeout(0.02, False):
            plain_get(client, f"http://127.0.0.1:{port}/")
            raise AssertionError("it did not pass")
        connecting = gevent.spawn(plain_get, client, f"http://127.0.0.1:{port}/")
        gevent.sleep(0.01)
        connecting.kill()
    assert environment.connections == set()


def test_no_file_descriptor_is_left(client: Client, environment: HttpEnvironment, traffic: CountedTraffic) -> None:
    with serving(answering()) as server:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        highest = max(int(fd) for fd in os.listdir("/proc/self/fd"))
        fillers = [os.dup(0) for _ in range(highest - len(os.listdir("/proc/self/fd")) + 3)]
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
        try:
            with contextlib.suppress(OSError):
                while True:
                    fillers.append(os.dup(0))
            response = plain_get(client, server.url)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for filler in fillers:
                os.close(filler)
        assert response.error == "out of file descriptors (generator)"
        assert environment.fd_exhausted == 1
        assert plain_get(client, server.url).status_code == 200
    assert traffic.counts["not_sent"] == 1


def test_no_local_port_is_left(traffic: CountedTraffic) -> None:
    environment = HttpEnvironment(traffic, ScriptedClock(), source_addresses=("192.0.2.1",))
    with serving(answering()) as server:
        response = plain_get(Client(environment), server.url)
    assert response.error == "out of local ports (generator)"
    assert environment.ports_exhausted == 1
    assert traffic.told() == NOT_SENT
    environment.close()


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (Visit.close, "TLS: closed in the handshake"),
        (lambda visit: visit.send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "TLS: wrong version number"),
    ],
)
def test_tls_with_what_speaks_none(
    client: Client, traffic: CountedTraffic, act: Callable[[Visit], None], reason: str
) -> None:
    def handle(visit: Visit) -> None:
        visit.sock.recv(1000)
        act(visit)
        gevent.sleep(0.01)

    with serving(handle) as server:
        response = plain_get(client, server.url.replace("http:", "https:"))
    assert response.error == reason
    assert traffic.told() == NOT_SENT


def test_a_handshake_that_is_reset_or_stops(client: Client, traffic: CountedTraffic) -> None:
    with serving(lambda visit: (visit.sock.recv(10), visit.reset())[0]) as server:
        assert plain_get(client, server.url.replace("http:", "https:")).error == "connection reset"
    with serving(lambda visit: gevent.sleep(5)) as server:
        url = server.url.replace("http:", "https:")
        assert call(client, "GET", url, timeout=(0.05, 5)).error == "timed out: connect"
    assert traffic.told() == {"not_sent": 2}


def test_certificates_are_checked_as_the_call_says(
    client: Client, authority: Authority, certificate: Certificate, traffic: CountedTraffic
) -> None:
    with tls_serving(certificate) as server:
        assert plain_get(client, server.url).error == (
            "TLS: certificate not accepted: unable to get local issuer certificate"
        )
        assert call(client, "GET", server.url, verify=False).status_code == 200
        assert call(client, "GET", server.url, verify=str(authority.certificate)).status_code == 200
    assert traffic.told() == {"not_sent": 1, "sent": 2, "answered": 2}


def test_a_client_certificate_is_shown(client: Client, authority: Authority, certificate: Certificate) -> None:
    mine = authority.client("tester")
    options: dict[str, Any] = {"verify": str(authority.certificate)}
    with tls_serving(certificate, ca=str(authority.certificate), verify_mode=ssl.CERT_REQUIRED) as server:
        with_mine = call(client, "GET", server.url, cert=(str(mine.certificate), str(mine.key)), **options)
        assert with_mine.status_code == 200
        assert call(client, "GET", server.url, **options).error.startswith("TLS: tlsv13 alert certificate required")


@pytest.mark.parametrize("options", [{"verify": "/no/such/file"}, {"cert": "/no/such/file"}, {"verify": __file__}])
def test_a_certificate_file_that_cannot_be_read_is_named_as_what_it_is(
    client: Client, traffic: CountedTraffic, options: dict[str, Any]
) -> None:
    with serving(answering()) as server:
        response = call(client, "GET", server.url.replace("http:", "https:"), **options)
    assert response.error.startswith("TLS: "), response.error
    assert "certificate file" in response.error
    assert traffic.told() == NOT_SENT


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_closed_connections_tls_session_is_taken_up_by_the_next(
    client: Client, authority: Authority, certificate: Certificate, version: ssl.TLSVersion
) -> None:
    resumed: list[bool] = []

    def handle(visit: Visit) -> None:
        visit.sock = context.wrap_socket(visit.sock, server_side=True)
        resumed.append(visit.sock.session_reused)
        for _ in range(2):
            if visit.request() is None:
                return
            visit.send(OK)

    import gevent.ssl

    context = gevent.ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    context.minimum_version = context.maximum_version = version
    with serving(handle) as server:
        url = f"https://localhost:{server.url.rpartition(':')[2]}"
        for _ in range(6):
            assert call(client, "GET", url, verify=str(authority.certificate)).status_code == 200
            gevent.sleep(0.01)
    assert resumed == [False, True, True]


def test_names_are_overridden_by_host_and_port(traffic: CountedTraffic) -> None:
    with serving(answering()) as server:
        port = int(server.url.rpartition(":")[2])
        environment = HttpEnvironment(traffic, ScriptedClock(), names=Names({("shop.example", port): "127.0.0.1"}))
        client = Client(environment)
        assert plain_get(client, f"http://shop.example:{port}/").status_code == 200
        assert f"\r\nHost: shop.example:{port}\r\n".encode() in server.heads[0]
        client.close()
        environment.close()
