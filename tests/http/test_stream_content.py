"""The content of bodies that are read as they come: decoded, cut into lines, bounded."""

from __future__ import annotations

import gzip

import pytest

from swell.http.client import Client
from swell.http.environment import HttpEnvironment
from tests.http.loopback import Visit, in_pieces, serving, stream_get, told
from tests.http.scripted import CountedTraffic

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
MOMENT_S = 0.02


def test_a_coded_body_is_decoded_as_it_comes(client: Client, traffic: CountedTraffic) -> None:
    coded = gzip.compress(b"line one\nline two\n" * 1_000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(coded)
    with serving(in_pieces(head, coded[:50], coded[50:])) as server:
        assert stream_get(client, server).content == b"line one\nline two\n" * 1_000
        assert list(stream_get(client, server).iter_lines()) == [b"line one", b"line two"] * 1_000
    assert traffic.told() == {"sent": 2, "answered": 2}


def test_a_body_that_does_not_decode_closes_the_connection(
    client: Client, environment: HttpEnvironment, traffic: CountedTraffic
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 90\r\n\r\n"
    with serving(in_pieces(head, b"this is no gzip")) as server:
        response = stream_get(client, server)
        done = told(response)
        with pytest.raises(ValueError, match="gzip"):
            _ = response.content
        assert done == [response]
        assert environment.connections == set()
    assert traffic.told() == {"sent": 1, "unanswered": 1}


def test_lines_come_as_they_are_complete_whatever_their_encoding(client: Client) -> None:
    text = "eins\nzwölf\r\ndrei"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=latin-1\r\n\r\n"
    body = text.encode("latin-1")
    with serving(in_pieces(head, body[:7], body[7:12], body[12:], then=Visit.close)) as server:
        assert list(stream_get(client, server).iter_lines(decode_unicode=True)) == ["eins", "zwölf", "drei"]


def test_the_encoding_of_a_body_that_is_coming_does_not_swallow_it(client: Client) -> None:
    with serving(in_pieces(HEAD, b"123456789")) as server:
        response = stream_get(client, server)
        assert response.encoding == "utf-8"
        assert response.content == b"123456789"


def test_content_is_bounded_but_parts_are_not(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swell.http.connection.BODY_BYTES_KEPT", 100_000)
    monkeypatch.setattr("swell.http.response.DECODED_BYTES_MOST", 100_000)
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n"
    with serving(in_pieces(large, b"x" * 500_000)) as server:
        assert sum(len(part) for part in stream_get(client, server).iter_content(10_000)) == 500_000
        response = stream_get(client, server)
        with pytest.raises(ValueError, match="not kept"):
            _ = response.content
        assert response.stream is not None
        assert not response.stream.is_open
