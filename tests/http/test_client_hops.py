"""Calls of several exchanges: redirects and challenges, each hop counted, cookies and secrets where they belong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from swell.http.auth import DigestAuth
from swell.http.client import HOPS_MOST, Client
from tests.http.loopback import Visit, answering, call, plain_get, serving
from tests.http.scripted import OK, CountedTraffic


def hop(location: str, status: str = "302 Found", *lines: str) -> bytes:
    fields = "".join(f"{line}\r\n" for line in lines)
    return f"HTTP/1.1 {status}\r\nLocation: {location}\r\n{fields}Content-Length: 0\r\n\r\n".encode("latin-1")


def routed(routes: dict[str, bytes], bodies: list[bytes] | None = None) -> Callable[[Visit], None]:
    """Answers by path."""

    def handle(visit: Visit) -> None:
        while (request := visit.request()) is not None:
            head, _, body = request.partition(b"\r\n\r\n")
            if bodies is not None:
                bodies.append(body)
            visit.send(routes.get(head.split(b" ")[1].decode(), OK))

    return handle


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        *(
            ("301 X", method, then)
            for method, then in (("GET", "GET"), ("POST", "GET"), ("PUT", "PUT"), ("HEAD", "HEAD"))
        ),
        *(("302 X", method, then) for method, then in (("GET", "GET"), ("POST", "GET"), ("HEAD", "HEAD"))),
        *(
            ("303 X", method, then)
            for method, then in (("GET", "GET"), ("POST", "GET"), ("PUT", "GET"), ("HEAD", "HEAD"))
        ),
        *((status, method, method) for status in ("307 X", "308 X") for method in ("GET", "POST", "PUT", "HEAD")),
    ],
)
def test_a_redirect_keeps_method_and_body_or_becomes_a_get(
    client: Client, traffic: CountedTraffic, status: str, method: str, then: str
) -> None:
    bodies: list[bytes] = []
    data = b"body" if method in ("POST", "PUT") else None
    with serving(routed({"/": hop("/there", status)}, bodies)) as server:
        response = call(client, method, server.url, data=data)
        assert (response.status_code, response.url) == (200, f"{server.url}/there")
        assert server.targets() == [f"{method} /", f"{then} /there"]
        assert bodies == [data or b"", data if then == method and data else b""]
        assert len(server.visits) == 1
    assert traffic.told() == {"sent": 2, "answered": 2, "redirected": 1}


def test_history_and_instants_tell_of_every_hop(client: Client) -> None:
    with serving(routed({"/": hop("/a"), "/a": hop("/b", "301 Moved")})) as server:
        response = plain_get(client, server.url)
        assert [(one.status_code, one.url) for one in response.history] == [
            (302, f"{server.url}/"),
            (301, f"{server.url}/a"),
        ]
        assert [one.history for one in response.history] == [(), ()]
        first, second = response.history
        assert first.begun_ns == second.begun_ns == response.begun_ns
        assert first.done_ns <= second.sent_ns <= second.done_ns <= response.sent_ns
        assert response.connect_ns == first.connect_ns > 0
        assert response.bytes_in == len(hop("/a")) + len(hop("/b", "301 Moved")) + len(OK)
        assert response.bytes_out == sum(len(head) + 4 for head in server.heads)


def test_a_redirect_is_not_followed_when_the_call_says_so(client: Client, traffic: CountedTraffic) -> None:
    with serving(routed({"/": hop("/there")})) as server:
        response = call(client, "GET", server.url, allow_redirects=False)
        assert (response.status_code, response.error, response.is_redirect) == (302, "", True)
    assert traffic.told() == {"sent": 1, "answered": 1}


def test_endless_redirects_end(client: Client, traffic: CountedTraffic) -> None:
    with serving(answering(last=hop("/"))) as server:
        response = plain_get(client, server.url)
        assert (response.status_code, response.error, response.ok) == (302, f"over {HOPS_MOST} redirects", False)
        assert len(response.history) == HOPS_MOST
    assert traffic.counts["sent"] == HOPS_MOST + 1
    assert traffic.counts["redirected"] == HOPS_MOST


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/", "http://[::1:80:x/", "http://"])
def test_a_redirect_to_nowhere_is_a_failure(client: Client, traffic: CountedTraffic, location: str) -> None:
    with serving(answering(last=hop(location))) as server:
        response = plain_get(client, server.url)
        assert response.status_code == 302
        assert response.error.startswith("redirect: ")
    assert traffic.told() == {"sent": 1, "answered": 1}


def test_a_hop_that_fails_is_the_failure_of_the_call(client: Client, traffic: CountedTraffic) -> None:
    with serving(answering(last=hop("http://127.0.0.1:1/"))) as server:
        response = plain_get(client, server.url)
        assert (response.status_code, response.error, len(response.history)) == (0, "connection refused", 1)
    assert traffic.told() == {"sent": 1, "answered": 1, "redirected": 1, "not_sent": 1}


def test_cookies_of_a_hop_are_sent_with_the_next_one(client: Client) -> None:
    with serving(routed({"/": hop("/there", "302 Found", "Set-Cookie: a=1")})) as server:
        response = plain_get(client, server.url)
        assert b"\r\nCookie: a=1" in server.heads[1]
        assert response.history[0].cookies.get_dict() == {"a": "1"}


def test_credentials_and_cookies_stay_with_their_host(client: Client) -> None:
    client.authorise("Basic c2VjcmV0")
    secret = {"auth": ("me", "secret"), "cookies": {"token": "secret"}, "headers": {"X-A": "b"}}
    with serving(answering()) as other, serving(routed({"/": hop("/there")})) as own:
        call(client, "GET", own.url, **secret)
        assert all(b"Authorization: Basic" in head and b"Cookie: token=secret" in head for head in own.heads)
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        with serving(answering(last=hop(elsewhere + "/x"))) as away:
            call(client, "GET", away.url, **secret)
            plain_get(client, away.url)
        for head in other.heads:
            assert b"Authorization" not in head
            assert b"Cookie" not in head
        assert b"\r\nX-A: b" in other.heads[0]
        assert f"\r\nHost: {elsewhere.removeprefix('http://')}".encode() in other.heads[0]


def test_a_body_that_cannot_be_made_again_stops_at_a_redirect_that_wants_it(client: Client) -> None:
    with serving(routed({"/": hop("/there", "307 X")})) as server:
        response = call(client, "POST", server.url, data=iter([b"once"]), headers={"Content-Length": "4"})
        assert response.status_code == 307
        assert response.error
        assert server.targets() == ["POST /"]


CHALLENGE = b'HTTP/1.1 401 X\r\nWWW-Authenticate: Digest realm="r", nonce="n1", qop="auth"\r\nContent-Length: 0\r\n\r\n'


def test_a_digest_challenge_is_answered_and_later_calls_come_authenticated(
    client: Client, traffic: CountedTraffic
) -> None:
    auth = DigestAuth("me", "secret")
    with serving(answering(CHALLENGE)) as server:
        response = call(client, "GET", server.url, auth=auth)
        assert (response.status_code, [one.status_code for one in response.history]) == (200, [401])
        assert b"Authorization" not in server.heads[0]
        assert b'\r\nAuthorization: Digest username="me"' in server.heads[1]
        assert call(client, "POST", server.url, data=b"x", auth=auth).history == ()
        assert b"nc=00000002" in server.heads[2]
    assert traffic.told() == {"sent": 3, "answered": 3}


def test_a_wrong_password_is_refused_once(client: Client, traffic: CountedTraffic) -> None:
    with serving(answering(last=CHALLENGE)) as server:
        response = call(client, "GET", server.url, auth=DigestAuth("me", "wrong"))
        assert (response.status_code, response.error, len(response.history)) == (401, "", 1)
    assert traffic.told() == {"sent": 2, "answered": 2}


def test_a_challenge_of_another_kind_is_the_answer(client: Client, traffic: CountedTraffic) -> None:
    other = CHALLENGE.replace(b'Digest realm="r", nonce="n1", qop="auth"', b"Negotiate")
    with serving(answering(last=other)) as server:
        assert call(client, "GET", server.url, auth=DigestAuth("me", "x")).status_code == 401
        assert plain_get(client, server.url).status_code == 401
    assert traffic.told() == {"sent": 2, "answered": 2}


def test_a_challenge_to_a_body_that_cannot_be_made_again_is_the_answer(client: Client) -> None:
    with serving(answering(last=CHALLENGE)) as server:
        headers = {"Content-Length": "4"}
        response = call(client, "POST", server.url, data=iter([b"once"]), headers=headers, auth=DigestAuth("me", "x"))
        assert (response.status_code, len(server.heads)) == (401, 1)
