"""Exchanges with `openssl s_server`, which changes keys and asks for new handshakes when it is told to."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator

import gevent
import pytest

from swell.http.connection import Connection
from swell.http.dial import dial
from swell.http.environment import HttpEnvironment
from swell.http.failure import CallFailure
from swell.http.url import Origin
from tests.http.scripted import OK, REQUEST, goes_on
from tests.targets.tls import Authority, Certificate


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Certificate:
    return authority.server()


class OpensslServer:
    """`openssl s_server`, which does on command what Python's ssl cannot: change keys, ask for a new handshake."""

    def __init__(self, certificate: Certificate, *options: str) -> None:
        self._process = subprocess.Popen(
            ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-cert", str(certificate.certificate),
             "-key", str(certificate.key), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.output = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = int(self.wait_for(b"ACCEPT 127.0.0.1:").split()[0])

    def _read(self) -> None:
        assert self._process.stdout is not None
        while piece := self._process.stdout.read1(65_536):  # type: ignore[attr-defined]
            self.output += piece

    def wait_for(self, text: bytes) -> bytes:
        """What comes after `text` in the output, once it is there."""
        for _ in range(2_000):
            if text in self.output and b"\n" in self.output.partition(text)[2]:
                return self.output.partition(text)[2]
            gevent.sleep(0.005)
        raise AssertionError(self.output[-500:])

    def type(self, text: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()
        gevent.sleep(0.05)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


@contextlib.contextmanager
def openssl_server(certificate: Certificate, *options: str) -> Iterator[OpensslServer]:
    server = OpensslServer(certificate, *options)
    try:
        yield server
    finally:
        server.stop()


def connected(environment: HttpEnvironment, authority: Authority, server: OpensslServer) -> Connection:
    options = environment.connect_options(str(authority.certificate), None, None)
    connection = dial(environment, Origin("https", "127.0.0.1", server.port), options, 5.0)
    connection.idle_ns = connection.call_deadline_ns = 1 << 62
    return connection


@pytest.mark.parametrize("command", [b"k\n", b"K\n"])
def test_keys_may_change_between_request_and_response(
    environment: HttpEnvironment, authority: Authority, certificate: Certificate, command: bytes
) -> None:
    with openssl_server(certificate, "-tls1_3") as server:
        connection = connected(environment, authority, server)
        for _ in range(3):
            exchange = gevent.spawn(connection.exchange, REQUEST, False)
            gevent.sleep(0.05)
            server.type(command)
            server.type(OK)
            exchange.get(timeout=5)
            assert (connection.status, connection.body, goes_on(connection)) == (200, b"ok\n", True)
        server.wait_for(b"Host: h")
        assert b"error" not in server.output.lower()
        connection.close()


def test_keys_may_change_in_the_middle_of_an_upload(
    environment: HttpEnvironment, authority: Authority, certificate: Certificate
) -> None:
    """The answer to a key update must not be sent between two halves of a record."""
    body = b"0123456789abcdef\n" * 200_000
    with openssl_server(certificate, "-tls1_3") as server:
        connection = connected(environment, authority, server)
        exchange = gevent.spawn(connection.exchange, b"POST / HTTP/1.1\r\n\r\n" + body, False)
        for _ in range(20):
            server.type(b"K\n")
        server.type(OK)
        with contextlib.suppress(CallFailure):
            exchange.get(timeout=10)
        assert (connection.status, connection.body) == (200, b"ok\n"), exchange.exception
        connection.close()


def test_a_new_handshake_of_tls_1_2_is_made(
    environment: HttpEnvironment, authority: Authority, certificate: Certificate
) -> None:
    with openssl_server(certificate, "-tls1_2") as server:
        connection = connected(environment, authority, server)
        exchange = gevent.spawn(connection.exchange, REQUEST, False)
        gevent.sleep(0.05)
        server.type(b"r\n")
        server.type(OK)
        exchange.get(timeout=5)
        assert (connection.status, connection.body) == (200, b"ok\n")
        connection.close()
