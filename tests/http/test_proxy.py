"""Which proxy, and the conversation with it: scripted bytes, in any pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.http.proxy import Dialogue, Proxy, ProxyError, ProxyKind, choose_proxy, dialogue_for, parse_proxy
from swell.http.url import InvalidUrl, Origin, parse_url

HTTPS = Origin("https", "example.com", 443)


def through(
    proxy: str, replies: list[bytes], origin: Origin = HTTPS, address: str | None = None, step: int = 1
) -> list[bytes]:
    """What is sent, one entry for each reply, the replies arriving `step` bytes at a time."""
    dialogue = dialogue_for(parse_proxy(proxy), origin, address)
    sent = []
    for reply in replies:
        sent.append(dialogue.send())
        for at in range(0, len(reply), step):
            dialogue.receive(reply[at : at + step])
    assert dialogue.done
    assert dialogue.send() == b""
    return sent


@pytest.mark.parametrize(
    ("text", "proxy"),
    [
        ("http://p:3128", Proxy(ProxyKind.HTTP, Origin("http", "p", 3128))),
        ("p", Proxy(ProxyKind.HTTP, Origin("http", "p", 80))),
        ("u:p%40ss@p:8080/", Proxy(ProxyKind.HTTP, Origin("http", "p", 8080), ("u", "p@ss"))),
        (" SOCKS5://[::1]", Proxy(ProxyKind.SOCKS5, Origin("http", "::1", 1080))),
        ("socks5h://u@p:80", Proxy(ProxyKind.SOCKS5H, Origin("http", "p", 80), ("u", ""))),
        ("socks4a://p", Proxy(ProxyKind.SOCKS4A, Origin("http", "p", 1080))),
    ],
)
def test_a_proxy_is_read_from_its_url(text: str, proxy: Proxy) -> None:
    assert parse_proxy(text) == proxy


@pytest.mark.parametrize("text", ["", "https://p", "ftp://p", "http://", "http://p:x", "socks5://a b"])
def test_what_is_no_proxy_is_refused(text: str) -> None:
    with pytest.raises(InvalidUrl):
        parse_proxy(text)


def test_a_proxy_is_shown_without_its_password() -> None:
    proxy = parse_proxy("http://user:secret@p:3128")
    assert str(proxy) == "http://p:3128"
    assert proxy.authorization == "Basic dXNlcjpzZWNyZXQ="
    assert parse_proxy("http://p").authorization == parse_proxy("socks5://u:p@p").authorization == ""


PROXIES = {
    "http": "http://plain",
    "https": "http://tls",
    "http://special": "http://special-proxy",
    "http://direct": None,
    "all://everywhere": "socks5://all-special",
    "all": "socks5://all",
}


@pytest.mark.parametrize(
    ("url", "without", "proxy"),
    [
        ("http://h/x", "", "http://plain"),
        ("https://h/x", "", "http://tls"),
        ("http://special/x", "", "http://special-proxy"),
        ("http://direct/x", "", "None"),
        ("http://everywhere/x", "http", "socks5://all-special:1080"),
        ("http://h/x", "http", "socks5://all:1080"),
        ("unix:/run/a.sock", "", "None"),
    ],
)
def test_the_most_particular_key_chooses(url: str, without: str, proxy: str) -> None:
    proxies = {key: value for key, value in PROXIES.items() if key != without}
    assert str(choose_proxy(proxies, parse_url(url))) == proxy
    assert choose_proxy({}, parse_url(url)) is None


@pytest.mark.parametrize(
    ("no_proxy", "host", "exempt"),
    [
        ("*", "h", True),
        ("h", "h", True),
        ("a, h , b", "h", True),
        ("example.com", "www.example.com", True),
        (".example.com", "www.example.com", True),
        ("*.example.com", "example.com", True),
        ("example.com", "badexample.com", False),
        ("h:8080", "h:8080", True),
        ("h:8080", "h:8081", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "[::1]", True),
        ("10.0.0.0/8", "h", False),
        (",. ,", "h", False),
    ],
)
def test_hosts_in_no_proxy_are_reached_directly(no_proxy: str, host: str, exempt: bool) -> None:
    url = parse_url(f"http://{host}/")
    for chosen in (choose_proxy({"all": "p", "no_proxy": no_proxy}, url), choose_proxy({"all": "p"}, url, no_proxy)):
        assert (chosen is None) == exempt


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_connect_asks_for_a_tunnel(step: int) -> None:
    ok = b"HTTP/1.0 200 Connection established\r\nVia: p\r\n\r\n"
    assert through("http://p", [ok], step=step) == [
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"
    ]
    assert through(
        "http://u:p@p", [b"HTTP/1.1 100 Continue\r\n\r\n" + ok], Origin("https", "::1", 8443), step=step
    ) == [b"CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\nProxy-Authorization: Basic dTpw\r\n\r\n"]


SOCKS5_OK = b"\x05\x00\x00\x01\x7f\0\0\1\x12\x34"


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_socks5_names_the_host_to_the_proxy(step: int) -> None:
    request = b"\x05\x01\x00\x03\x0bexample.com\x01\xbb"
    assert through("socks5h://p", [b"\x05\x00", SOCKS5_OK], step=step) == [b"\x05\x01\x00", request]


def test_socks5_takes_addresses_of_both_kinds_and_any_bound_address() -> None:
    by_name, by_ipv6 = b"\x05\x00\x00\x03\x04here\0\0", b"\x05\x00\x00\x04" + bytes(18)
    assert (
        through("socks5://p", [b"\x05\x00", by_name], address="192.0.2.1")[1] == b"\x05\x01\x00\x01\xc0\0\2\1\x01\xbb"
    )
    assert through("socks5://p", [b"\x05\x00", by_ipv6], Origin("http", "::1", 80))[1] == (
        b"\x05\x01\x00\x04" + bytes(15) + b"\x01\x00\x50"
    )


def test_socks5_logs_in_if_the_proxy_wants_it() -> None:
    assert through("socks5://user:pw@p", [b"\x05\x02", b"\x01\x00", SOCKS5_OK])[:2] == [
        b"\x05\x02\x00\x02",
        b"\x01\x04user\x02pw",
    ]
    assert len(through("socks5://user:pw@p", [b"\x05\x00", SOCKS5_OK])) == 2


def test_socks4_sends_an_address_and_4a_a_name() -> None:
    ok = b"\x00\x5a" + bytes(6)
    assert through("socks4://user@p", [ok], address="192.0.2.1") == [b"\x04\x01\x01\xbb\xc0\0\2\1user\0"]
    assert through("socks4a://p", [ok]) == [b"\x04\x01\x01\xbb\0\0\0\1\0example.com\0"]


def test_a_kind_says_who_looks_the_host_up_and_whether_plain_http_is_tunnelled() -> None:
    assert {kind.value: (Proxy(kind, HTTPS).looks_up_here, Proxy(kind, HTTPS).is_tunnel) for kind in ProxyKind} == {
        "http": (False, False),
        "socks4": (True, True),
        "socks4a": (False, True),
        "socks5": (True, True),
        "socks5h": (False, True),
    }


@pytest.mark.parametrize(
    ("proxy", "replies", "complaint"),
    [
        ("http://p", [b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"], "CONNECT: HTTP 407"),
        ("http://p", [b"SSH-2.0-OpenSSH\r\n\r\n"], "CONNECT: no HTTP reply"),
        ("http://p", [b"HTTP/1.1 200 OK\r\n\r\nmore"], "sent more than its reply"),
        ("http://p", [b"x" * 70_000], "its reply has no end"),
        ("socks5://p", [b"\x04\x00"], "socks5: no SOCKS reply"),
        ("socks5://p", [b"\x05\xff"], "socks5: wants another way to log in"),
        ("socks5://p", [b"\x05\x02"], "socks5: wants another way to log in"),
        ("socks5://u:p@p", [b"\x05\x02", b"\x01\x01"], "socks5: wrong user or password"),
        ("socks5://p", [b"\x05\x00", b"\x05\x05\x00\x01"], "socks5: connection refused"),
        ("socks5://p", [b"\x05\x00", b"\x05\x63\x00\x01"], "socks5: reply 99"),
        ("socks5://p", [b"\x05\x00", b"\x05\x00\x00\x09"], "socks5: no SOCKS reply"),
        ("socks5://" + "u" * 256 + ":p@p", [b"\x05\x02"], "socks5: user or password over 255 bytes"),
        ("socks4://p", [b"\x00\x5b" + bytes(6)], "socks4: refused or failed"),
        ("socks4://p", [b"\x00\x01" + bytes(6)], "socks4: reply 1"),
        ("socks4://p", [b"HTTP/1.1"], "socks4: no SOCKS reply"),
        ("socks4://a%00b@p", [], "socks4: the user's name has a NUL"),
    ],
)
def test_a_refusal_says_what_the_reply_means(proxy: str, replies: list[bytes], complaint: str) -> None:
    with pytest.raises(ProxyError, match=complaint):
        through(proxy, replies, step=100_000)


@given(st.sampled_from(["http://p", "socks4a://p", "socks5://u:p@p"]), st.lists(st.binary()))
def test_garbage_from_a_proxy_is_a_proxy_error_or_a_wait(proxy: str, replies: list[bytes]) -> None:
    for first in (b"", b"\x05\x00", b"\x05\x02\x01\x00\x05\x00\x00", b"HTTP/1.1 "):
        dialogue = dialogue_for(parse_proxy(proxy), HTTPS)
        try:
            for reply in [first, *replies]:
                dialogue.receive(reply)
        except ProxyError as error:
            assert_short(error)
            assert_closed_for_good(dialogue)
        assert repr(dialogue).startswith("<Dialogue ")


def assert_closed_for_good(dialogue: Dialogue) -> None:
    try:
        assert not dialogue.receive(b"\x05\x00" * 20)
    except ProxyError:
        pass


def assert_short(error: ProxyError) -> None:
    assert len(str(error)) < 60


def test_a_dialogue_shows_what_it_waits_for() -> None:
    dialogue: Dialogue = dialogue_for(parse_proxy("socks5://p"), HTTPS)
    dialogue.receive(b"\x05")
    assert repr(dialogue) == r"<Dialogue waits for 2, has b'\x05'>"
