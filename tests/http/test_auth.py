"""The `auth` of a call."""

from __future__ import annotations

import pytest
import requests.auth

from swell.http.auth import DigestAuth, basic_header, basic_of, digest_of


@pytest.mark.parametrize(
    ("user", "password", "header"),
    [
        ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("", "", "Basic Og=="),
        (b"u", b"\xff", "Basic dTr/"),
        ("é", "", "Basic 6To="),
        ("€", "", "Basic 4oKsOg=="),
    ],
)
def test_basic_is_name_and_password_in_base64(user: str | bytes, password: str | bytes, header: str) -> None:
    assert basic_header(user, password) == header


def test_objects_of_requests_are_understood_by_what_they_are() -> None:
    digest, basic = requests.auth.HTTPDigestAuth("u", "p"), requests.auth.HTTPBasicAuth("u", "p")
    assert (digest_of(basic), basic_of(basic), basic_of(digest)) == (None, ("u", "p"), None)
    first = digest_of(digest)
    assert first is not None
    assert (first.username, first.password) == ("u", "p")
    assert digest_of(digest) is first
    digest.password = "other"
    second = digest_of(digest)
    assert second is not None
    assert second.password == "other"


def test_pairs_mean_basic_and_our_own_means_digest() -> None:
    own = DigestAuth("u", "p")
    assert (digest_of(own), basic_of(own)) == (own, None)
    assert (digest_of(("u", "p")), basic_of(("u", "p")), basic_of(["u", "p"])) == (None, ("u", "p"), ("u", "p"))
    assert (digest_of(None), basic_of(None), basic_of("u:p")) == (None, None, None)
