"""The digest server accepts what RFC 7616 says, and nothing else. Its clients here are urllib and arithmetic."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from tests.targets.client import address
from tests.targets.digest import DigestServer, digest_server
from tests.targets.digest_check import OPAQUE, REALM, Verdict


@pytest.fixture
def server() -> Iterator[DigestServer]:
    with digest_server() as running:
        yield running


def test_a_digest_of_the_rfcs_kind_is_accepted(server: DigestServer) -> None:
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, server.url, "swell", "secret")
    digest = urllib.request.HTTPDigestAuthHandler(passwords)
    opener = urllib.request.build_opener(digest, urllib.request.ProxyHandler({}))
    assert opener.open(f"{server.url}/digest/md5/auth?q=1").read() == b"accepted\n"
    assert server.counts() == {("/digest/md5/auth?q=1", 401): 1, ("/digest/md5/auth?q=1", 200): 1}


@pytest.mark.parametrize("qop", ["auth", "auth-int", "both", "none"])
@pytest.mark.parametrize("algorithm", ["md5", "md5-sess", "sha-256", "sha-256-sess"])
def test_each_algorithm_and_quality_is_accepted(server: DigestServer, algorithm: str, qop: str) -> None:
    path = f"/digest/{algorithm}/{qop}"
    nonce = nonce_of(ask(server, path)[1])
    assert ask(server, path, credentials(path, nonce))[0] == 200
    assert [line.verdict for line in server.log()] == [Verdict.CHALLENGED, Verdict.ACCEPTED]


def test_wrong_credentials_are_refused_and_the_log_says_why(server: DigestServer) -> None:
    path = "/digest/md5/auth"
    nonce = nonce_of(ask(server, path)[1])
    right = credentials(path, nonce)
    attempts = [
        right.replace("nc=00000001", "nc=00000002"),
        right.replace(f'uri="{path}"', 'uri="/other"'),
        right.replace(OPAQUE, "b3RoZXI="),
        credentials(path, "made-up"),
        right,
        right,
    ]
    assert [ask(server, path, attempt)[0] for attempt in attempts] == [401, 400, 400, 401, 200, 401]
    assert [line.verdict for line in server.log()][1:] == [
        Verdict.WRONG_RESPONSE,
        Verdict.WRONG_URI,
        Verdict.WRONG_PARAMETER,
        Verdict.FOREIGN_NONCE,
        Verdict.ACCEPTED,
        Verdict.REPLAYED,
    ]


def test_a_nonce_becomes_stale_after_its_uses(server: DigestServer) -> None:
    path = "/digest/md5/auth?uses=2"
    nonce = nonce_of(ask(server, path)[1])
    answers = [ask(server, path, credentials(path, nonce, count)) for count in (1, 2, 3)]
    assert [status for status, _ in answers] == [200, 200, 401]
    assert "stale=true" in answers[2][1][0]


def test_a_choice_is_offered_strongest_first(server: DigestServer) -> None:
    _, challenges = ask(server, "/digest/choice")
    assert [re.sub(r".*algorithm=([\w-]+).*", r"\1", challenge) for challenge in challenges] == [
        "SHA-256",
        "MD5",
        'Basic realm="tests"',
    ]


def test_some_paths_are_open_and_some_do_not_exist(server: DigestServer) -> None:
    assert [ask(server, path)[0] for path in ("/open", "/digest/md4/auth", "/")] == [200, 404, 404]


def ask(server: DigestServer, path: str, authorization: str = "") -> tuple[int, list[str]]:
    """The status, and the challenges."""
    with contextlib.closing(http.client.HTTPConnection(*address(server.url), timeout=5)) as connection:
        headers = {"Authorization": authorization} if authorization else {}
        connection.request("POST", path, body=b"the body", headers=headers)
        response = connection.getresponse()
        return response.status, response.headers.get_all("WWW-Authenticate") or []


def nonce_of(challenges: list[str]) -> str:
    (nonce,) = re.findall(r'nonce="([^"]+)"', challenges[0])
    return str(nonce)


def credentials(path: str, nonce: str, count: int = 1) -> str:
    """An Authorization header, by RFC 7616's formulas written out a second time."""
    _, _, algorithm, qop = path.partition("?")[0].split("/")
    qop = {"both": "auth-int", "none": ""}.get(qop, qop)

    def digest(text: str) -> str:
        return hashlib.new(algorithm.removesuffix("-sess").replace("-", ""), text.encode()).hexdigest()

    a1 = f"swell:{REALM}:secret"
    if algorithm.endswith("-sess"):
        a1 = f"{digest(a1)}:{nonce}:0a4f113b"
    a2 = f"POST:{path}" + (f":{digest('the body')}" if qop == "auth-int" else "")
    middle = f"{nonce}:{count:08x}:0a4f113b:{qop}" if qop else nonce
    name = algorithm.upper().replace("-SESS", "-sess")
    parts = [f'username="swell", realm="{REALM}", nonce="{nonce}", uri="{path}", algorithm={name}']
    parts.append(f'opaque="{OPAQUE}", response="{digest(f"{digest(a1)}:{middle}:{digest(a2)}")}"')
    if qop or algorithm.endswith("-sess"):
        parts.append('cnonce="0a4f113b"')
    if qop:
        parts.append(f"qop={qop}, nc={count:08x}")
    return "Digest " + ", ".join(parts)
