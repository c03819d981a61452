"""Digest authentication, beside the examples of RFC 7616 and requests' own."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
import requests.auth
from hypothesis import given
from hypothesis import strategies as st

from swell.http.challenge import parse_challenges
from swell.http.digest import DigestAuth

RFC_NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
RFC_CLIENT_NONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
RFC_OPAQUE = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"


def challenged(challenge: str, user: str = "Mufasa", password: str = "Circle of Life", nonce: str = "c") -> DigestAuth:
    auth = DigestAuth(user, password, make_nonce=lambda: nonce)
    assert auth.take(parse_challenges([challenge]))
    return auth


def fields_of(header: str) -> dict[str, str]:
    (parsed,) = parse_challenges([header])
    assert parsed.scheme == "digest"
    return parsed.parameters


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_answers_of_rfc_7616_3_9_1(algorithm: str, response: str) -> None:
    auth = challenged(
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
        f'nonce="{RFC_NONCE}", opaque="{RFC_OPAQUE}"',
        nonce=RFC_CLIENT_NONCE,
    )
    assert fields_of(auth.header("GET", "/dir/index.html")) == {
        "username": "Mufasa",
        "realm": "http-auth@example.org",
        "uri": "/dir/index.html",
        "algorithm": algorithm,
        "nonce": RFC_NONCE,
        "nc": "00000001",
        "cnonce": RFC_CLIENT_NONCE,
        "qop": "auth",
        "response": response,
        "opaque": RFC_OPAQUE,
    }


def test_the_answer_of_rfc_7616_3_9_2_with_a_hashed_name_and_sha_512_256() -> None:
    auth = challenged(
        'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, '
        'nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", '
        'opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true',
        "Jäsøn Doe",
        "Secret, or not?",
        "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
    )
    fields = fields_of(auth.header("GET", "/doe.json"))
    # The values of erratum 4897: the RFC's own were made with a truncated SHA-512.
    assert {name: fields[name] for name in ("username", "userhash", "response")} == {
        "username": "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b",
        "userhash": "true",
        "response": "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
    }


def test_the_answer_of_rfc_2069_without_a_quality() -> None:
    auth = challenged('Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"')
    fields = fields_of(auth.header("GET", "/dir/index.html"))
    secret = md5("Mufasa:testrealm@host.com:Circle of Life")
    request = md5("GET:/dir/index.html")
    assert fields == {
        "username": "Mufasa",
        "realm": "testrealm@host.com",
        "nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        "uri": "/dir/index.html",
        "response": md5(f"{secret}:dcd98b7102dd2f0e8b11d0f600bfb0c093:{request}"),
    }


def test_a_session_algorithm_hashes_both_nonces_into_its_secret_once() -> None:
    auth = challenged('Digest realm="r", nonce="n", qop=auth, algorithm=MD5-sess')
    secret = md5(f"{md5('Mufasa:r:Circle of Life')}:n:c")
    for count in ("00000001", "00000002"):
        fields = fields_of(auth.header("GET", "/"))
        assert fields["response"] == md5(f"{secret}:n:{count}:c:auth:{md5('GET:/')}")
        assert fields["algorithm"] == "MD5-sess"
    old = challenged('Digest realm="r", nonce="n", algorithm=MD5-sess')
    assert fields_of(old.header("GET", "/"))["cnonce"] == "c", "without it the server cannot make the secret"


def test_auth_int_covers_the_body_and_is_used_only_if_there_is_no_other() -> None:
    auth = challenged('Digest realm="r", nonce="n", qop="auth-int"')
    fields = fields_of(auth.header("POST", "/", b"body"))
    secret, request = md5("Mufasa:r:Circle of Life"), md5(f"POST:/:{md5('body')}")
    assert (fields["qop"], fields["response"]) == ("auth-int", md5(f"{secret}:n:00000001:c:auth-int:{request}"))
    with pytest.raises(ValueError, match="auth-int needs the whole body"):
        auth.header("POST", "/", None)
    assert "qop=auth," in challenged('Digest realm="r", nonce="n", qop="auth-int,auth"').header("POST", "/", None)


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def test_the_count_rises_with_each_request_and_begins_anew_with_a_new_nonce() -> None:
    auth = challenged('Digest realm="r", nonce="n", qop=auth')
    counts = [fields_of(auth.header("GET", "/"))["nc"] for _ in range(17)]
    assert (counts[0], counts[-1]) == ("00000001", "00000011")
    assert auth.take(parse_challenges(['Digest realm="r", nonce="n", qop=auth']))
    assert fields_of(auth.header("GET", "/"))["nc"] == "00000012"
    assert auth.take(parse_challenges(['Digest realm="r", nonce="m", qop=auth']))
    assert fields_of(auth.header("GET", "/"))["nc"] == "00000001"


def test_nothing_is_sent_before_a_challenge() -> None:
    auth = DigestAuth("u", "p")
    assert (auth.ready, auth.header("GET", "/"), repr(auth)) == (False, "", "<DigestAuth 'u', unchallenged>")
    assert auth.take(parse_challenges(['Digest realm="r", nonce="n"']))
    assert auth.header("GET", "/")
    assert (auth.ready, repr(auth)) == (True, "<DigestAuth 'u', 1 requests under this nonce>")


@pytest.mark.parametrize(
    "challenge",
    [
        'Basic realm="r"',
        'Digest realm="r"',
        'Digest nonce="n"',
        'Digest realm="r", nonce="n", algorithm=SHA-1024',
        'Digest realm="r", nonce="n", qop="auth-conf"',
        'Digest realm="r", nonce="n", qop=""',
    ],
)
def test_a_challenge_that_cannot_be_answered_is_not_taken(challenge: str) -> None:
    auth = DigestAuth("u", "p")
    assert not auth.take(parse_challenges([challenge]))
    assert not auth.ready


def test_the_first_challenge_that_can_be_answered_is() -> None:
    auth = challenged(
        'Basic realm="b", Digest realm="r", nonce="1", algorithm=NEW, Digest realm="r", nonce="2", '
        'algorithm=sha-256, Digest realm="r", nonce="3"'
    )
    assert fields_of(auth.header("GET", "/"))["nonce"] == "2"


def test_within_one_call_only_a_stale_nonce_is_answered_again() -> None:
    auth = challenged('Digest realm="r", nonce="1"')
    assert not auth.take(parse_challenges(['Digest realm="r", nonce="2"']), again=True)
    assert not auth.take(parse_challenges(['Digest realm="r", nonce="2", stale=FALSE']), again=True)
    assert auth.take(parse_challenges(['Digest realm="r", nonce="2", stale=True']), again=True)
    assert fields_of(auth.header("GET", "/"))["nonce"] == "2"


@pytest.mark.parametrize(
    ("charset", "user", "field"),
    [
        ("", 'a"b\\c', r'username="a\"b\\c"'),
        ("", "ä", 'username="ä"'),
        (", charset=UTF-8", "ä b", "username*=UTF-8''%C3%A4%20b"),
        (", charset=UTF-8", "ab", 'username="ab"'),
        ("", "a\r\nX: y", 'username="a  X: y"'),
    ],
)
def test_the_name_is_quoted_or_encoded(charset: str, user: str, field: str) -> None:
    assert challenged(f'Digest realm="r", nonce="n"{charset}', user).header("GET", "/").startswith(f"Digest {field}, ")


ASCII = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'))


@given(
    user=ASCII,
    password=ASCII,
    method=st.sampled_from(["GET", "POST"]),
    path=st.from_regex(r"/[a-z]{0,9}(\?[a-z=&]{1,9})?", fullmatch=True),
    algorithm=st.sampled_from(["", ", algorithm=MD5", ", algorithm=SHA-256", ", algorithm=MD5-sess"]),
    quality=st.sampled_from(["", ', qop="auth"', ', qop="auth,auth-int"']),
)
def test_answers_are_those_of_requests(
    user: str, password: str, method: str, path: str, algorithm: str, quality: str
) -> None:
    challenge = f'Digest realm="r", nonce="n"{algorithm}{quality}, opaque="o"'
    theirs: Any = requests.auth.HTTPDigestAuth(user, password)
    theirs.init_per_thread_state()
    theirs._thread_local.chal = parse_challenges([challenge])[0].parameters
    header = theirs.build_digest_header(method, f"http://h{path}")
    their_nonce = re.search('cnonce="([^"]*)"', header)
    auth = challenged(challenge, user, password, their_nonce[1] if their_nonce else "c")
    if quality or "sess" not in algorithm:  # without a quality requests does not say which client nonce it used
        assert fields_of(auth.header(method, path))["response"] == fields_of(header)["response"]


@given(st.text(), st.text(), st.text(), st.text())
def test_any_challenge_and_login_give_one_line_or_nothing(value: str, user: str, password: str, target: str) -> None:
    auth = DigestAuth(user, password)
    for challenge in (
        value,
        f"Digest {value}",
        f'Digest realm="r", nonce="n", {value}',
        f'Digest realm="{value}", nonce="n"',
    ):
        auth.take(parse_challenges([challenge]))
        assert not re.search(r"[\r\n\0]", auth.header("GET", target, b""))
