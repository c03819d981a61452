"""Names and addresses: asked once, shared, kept for a while, overridden, and never in the loop's way."""

from __future__ import annotations

import _socket
import socket
from collections.abc import Callable
from typing import Any

import gevent
import pytest

from swell.http import names as names_module
from swell.http.failure import CallFailure
from swell.http.names import KEEP_FAILURE_S, KEEP_S, NAMES_MOST, Address, Names

FOUND = [
    (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 80, 0, 0)),
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)),
    (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)),
]


class Resolver:
    """Answers slowly, counts who asks, and has its own time."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.refusal: Exception | None = None
        self.takes_s = 0.0
        self.now_s = 1000.0

    def getaddrinfo(self, host: str, port: int, *_: object) -> Any:
        self.asked.append((host, port))
        gevent.sleep(self.takes_s)
        if self.refusal is not None:
            raise self.refusal
        return FOUND


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    made = Resolver()
    monkeypatch.setattr("gevent.socket.getaddrinfo", made.getaddrinfo)
    monkeypatch.setattr(names_module, "monotonic", lambda: made.now_s)
    return made


def failing(look_up: Callable[..., object], *args: object) -> str:
    with pytest.raises(CallFailure) as caught:
        look_up(*args)
    assert caught.value.silent
    return caught.value.reason


def test_all_addresses_are_given_in_the_resolvers_order_and_once(resolver: Resolver) -> None:
    assert Names().look_up("shop.example", 80) == (
        Address(socket.AF_INET6, ("::1", 80, 0, 0)),
        Address(socket.AF_INET, ("127.0.0.1", 80)),
    )


def test_an_answer_is_kept_for_a_minute(resolver: Resolver) -> None:
    names = Names()
    for _ in range(3):
        names.look_up("shop.example", 80)
    assert len(resolver.asked) == 1
    resolver.now_s += KEEP_S + 1
    names.look_up("shop.example", 80)
    assert len(resolver.asked) == 2
    assert repr(names) == "<Names: 1 kept, 0 being asked>"


def test_a_failure_is_kept_for_a_second(resolver: Resolver) -> None:
    names = Names()
    resolver.refusal = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    for _ in range(3):
        assert failing(names.look_up, "shop.example", 80) == "DNS: name or service not known"
    assert len(resolver.asked) == 1
    resolver.now_s += KEEP_FAILURE_S + 0.1
    resolver.refusal = None
    assert names.look_up("shop.example", 80)


@pytest.mark.parametrize("refusal", [UnicodeError("label too long"), OSError(), socket.gaierror("odd")])
def test_whatever_the_resolver_raises_is_a_failure(resolver: Resolver, refusal: Exception) -> None:
    resolver.refusal = refusal
    assert failing(Names().look_up, "shop.example", 80).startswith("DNS: ")


def test_those_who_ask_at_once_share_one_question_and_the_loop_goes_on(resolver: Resolver) -> None:
    resolver.takes_s = 0.05
    names = Names()
    asking = [gevent.spawn(names.look_up, "shop.example", 80) for _ in range(20)]
    other = gevent.spawn(names.look_up, "other.example", 80)
    gevent.sleep(0.01)
    assert repr(names) == "<Names: 0 kept, 2 being asked>"
    gevent.joinall([*asking, other], raise_error=True)
    assert resolver.asked == [("shop.example", 80), ("other.example", 80)]


def test_those_who_wait_for_a_failure_share_it_too(resolver: Resolver) -> None:
    resolver.takes_s = 0.02
    resolver.refusal = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    names = Names()
    asking = [gevent.spawn(failing, names.look_up, "shop.example", 80) for _ in range(5)]
    assert {made.get() for made in asking} == {"DNS: name or service not known"}
    assert len(resolver.asked) == 1


def test_when_the_one_who_asked_is_killed_another_asks(resolver: Resolver) -> None:
    resolver.takes_s = 0.03
    names = Names()
    asking = [gevent.spawn(names.look_up, "shop.example", 80) for _ in range(3)]
    gevent.sleep(0.01)
    asking[0].kill()
    assert len(asking[1].get()) == len(asking[2].get()) == 2
    assert len(resolver.asked) == 2
    assert repr(names) == "<Names: 1 kept, 0 being asked>"


def test_one_who_is_killed_while_waiting_disturbs_nobody(resolver: Resolver) -> None:
    resolver.takes_s = 0.02
    names = Names()
    asking = [gevent.spawn(names.look_up, "shop.example", 80) for _ in range(3)]
    gevent.sleep(0.01)
    asking[1].kill()
    assert asking[0].get() == asking[2].get()
    assert len(resolver.asked) == 1


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", Address(_socket.AF_INET, ("127.0.0.1", 80))),
        ("::1", Address(_socket.AF_INET6, ("::1", 80, 0, 0))),
        ("fe80::1%1", Address(_socket.AF_INET6, ("fe80::1", 80, 0, 1))),
        ("fe80::1%lo", Address(_socket.AF_INET6, ("fe80::1", 80, 0, socket.if_nametoindex("lo")))),
    ],
)
def test_an_address_is_its_own_answer(resolver: Resolver, host: str, address: Address) -> None:
    assert Names().look_up(host, 80) == (address,)
    assert resolver.asked == []


def test_a_zone_that_is_not_there_is_a_failure(resolver: Resolver) -> None:
    assert failing(Names().look_up, "fe80::1%nothere", 80).startswith("DNS: ")


def test_overrides_are_by_host_and_port(resolver: Resolver) -> None:
    names = Names({("shop.example", 443): "127.0.0.9", ("shop.example", 8080): "elsewhere.example"})
    assert names.look_up("shop.example", 443) == (Address(_socket.AF_INET, ("127.0.0.9", 443)),)
    names.look_up("shop.example", 80)
    names.look_up("shop.example", 8080)
    assert resolver.asked == [("shop.example", 80), ("elsewhere.example", 8080)]


def test_the_cache_is_bounded(resolver: Resolver) -> None:
    names = Names()
    for number in range(NAMES_MOST + 10):
        names.look_up(f"10.0.{number // 256}.{number % 256}", 80)
    assert len(names._answers) <= NAMES_MOST


def test_localhost_is_known_without_help() -> None:
    assert Address(socket.AF_INET, ("127.0.0.1", 80)) in Names().look_up("localhost", 80)
