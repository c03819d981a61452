"""The hostile server's uploads, codings and very large answers."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import json
import socket
import zlib
from collections.abc import Iterator
from typing import Any

import brotli
import pytest
import zstandard

from tests.targets.client import address, ask, body_of, get, request
from tests.targets.hostile import Hostile, hostile

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server() -> Iterator[Hostile]:
    with hostile() as running:
        yield running


@pytest.fixture
def connection(server: Hostile) -> Iterator[http.client.HTTPConnection]:
    with contextlib.closing(http.client.HTTPConnection(*address(server.url), timeout=10)) as opened:
        yield opened


def fetch(connection: http.client.HTTPConnection, path: str) -> http.client.HTTPResponse:
    connection.request("GET", path)
    return connection.getresponse()


def test_echo_tells_what_came(connection: http.client.HTTPConnection) -> None:
    body = bytes(range(256)) * 1000
    connection.request("PUT", "/echo?a=%20", body=body, headers={"X-A": "1"})
    seen: dict[str, Any] = json.loads(connection.getresponse().read())
    assert (seen["method"], seen["target"], seen["body_bytes"]) == ("PUT", "/echo?a=%20", 256_000)
    assert seen["body_sha256"] == hashlib.sha256(body).hexdigest()
    assert ["x-a", "1"] in seen["headers"]


def test_echo_reads_a_chunked_body(connection: http.client.HTTPConnection) -> None:
    connection.request("POST", "/echo", body=iter([b"one ", b"two"]), encode_chunked=True, headers={})
    assert json.loads(connection.getresponse().read())["body"] == "one two"


def test_a_body_is_asked_for_where_the_client_expects_that(server: Hostile) -> None:
    head = request("/expect/continue", "Expect: 100-continue", "Content-Length: 4", method="POST")
    with socket.create_connection(address(server.url), timeout=5) as client:
        client.sendall(head)
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"body")
        assert json.loads(body_of(client.recv(1000))) == {"expected": True, "early_bytes": 0, "body_bytes": 4}


def test_a_client_that_does_not_wait_is_found_out(server: Hostile) -> None:
    head = request("/expect/continue", "Expect: 100-continue", "Content-Length: 4", method="POST")
    answer, _ = ask(server.url, head + b"body")
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["early_bytes"] == 4


def test_an_expectation_can_be_refused_or_ignored(server: Hostile) -> None:
    expect = ("Expect: 100-continue", "Content-Length: 4")
    refused, ended = ask(server.url, request("/expect/refuse", *expect, method="POST"))
    assert refused.startswith(b"HTTP/1.1 417 ")
    assert ended == "closed"
    assert ask(server.url, request("/expect/ignore", *expect, method="POST")) == (b"", "open")


def test_an_early_answer_can_cost_the_connection_or_not(server: Hostile) -> None:
    upload = request("/early/keep", method="POST", body=bytes(8 * MIB))
    answer, ended = ask(server.url, upload, request("/ok"))
    assert (answer.count(b"HTTP/1.1 413 "), answer.count(b"HTTP/1.1 200 ")) == (1, 1)
    assert ended == "open"
    drained, ended = ask(server.url, request("/early/drain", method="POST", body=bytes(8 * MIB)))
    assert drained.startswith(b"HTTP/1.1 413 ")
    assert ended == "closed"
    _, ended = ask(server.url, request("/early/close", method="POST", body=bytes(8 * MIB)))
    assert ended == "reset"


def test_codings_decode_to_hello(connection: http.client.HTTPConnection) -> None:
    bodies = {
        coding: fetch(connection, f"/coded/{coding}").read()
        for coding in ("gzip", "deflate", "raw-deflate", "br", "zstd", "gzip-gzip", "gzip-members", "identity")
    }
    assert gzip.decompress(bodies["gzip"]) == gzip.decompress(bodies["gzip-members"]) == b"hello"
    assert zlib.decompress(bodies["deflate"]) == zlib.decompress(bodies["raw-deflate"], wbits=-15) == b"hello"
    assert brotli.decompress(bodies["br"]) == zstandard.decompress(bodies["zstd"]) == bodies["identity"] == b"hello"
    assert gzip.decompress(gzip.decompress(bodies["gzip-gzip"])) == b"hello"


def test_a_gzip_bomb_is_small_on_the_wire_and_correct(connection: http.client.HTTPConnection) -> None:
    body = fetch(connection, "/bomb/gzip?mib=32").read()
    assert len(body) < 40 * 1024
    assert gzip.decompress(body) == bytes(32 * MIB)


@pytest.mark.parametrize(("coding", "mib"), [("br", 1024), ("zstd", 1024), ("gzip-gzip", 4096), ("deflate", 60)])
def test_64_kib_become_gibs_or_as_much_as_the_coding_can(
    connection: http.client.HTTPConnection, coding: str, mib: int
) -> None:
    assert len(fetch(connection, f"/bomb/{coding}?mib={mib}").read()) < 64 * 1024


def test_large_bodies_have_the_length_asked_for(connection: http.client.HTTPConnection) -> None:
    assert len(fetch(connection, "/huge/body?mib=3").read()) == 3 * MIB
    assert len(fetch(connection, "/huge/chunks?mib=3").read()) == 3 * MIB
    assert len(fetch(connection, "/huge/one-byte-chunks?n=5000").read()) == 5000


@pytest.mark.parametrize("path", ["headers", "header", "status", "body", "informational"])
def test_endless_answers_go_on_until_the_client_leaves(server: Hostile, path: str) -> None:
    with socket.create_connection(address(server.url), timeout=5) as client:
        client.sendall(request(f"/endless/{path}"))
        received = 0
        while received < 2 * MIB:
            piece = client.recv(MIB)
            assert piece
            received += len(piece)
    assert get(server.url, "/ok")[1] == "open"
