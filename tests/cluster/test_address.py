"""HOST:PORT, as people write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.cluster.address import Address, is_loopback, parse_address, resolve
from swell.errors import LinkError, PlanError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.7:5557", Address("10.0.0.7", 5557)),
        ("[::1]:5557", Address("::1", 5557)),
        ("[fe80::1%eth0]:5557", Address("fe80::1%eth0", 5557)),
        ("load.example.com:1", Address("load.example.com", 1)),
        ("load.example.com.:65535", Address("load.example.com.", 65535)),
        ("my_host-2:80", Address("my_host-2", 80)),
    ],
)
def test_a_host_and_a_port_are_told_apart(text: str, address: Address) -> None:
    assert parse_address(text, "--to") == address
    assert str(address) == text
    assert address.endpoint == f"tcp://{text}"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("*:5557", Address("*", 5557)),
        ("0.0.0.0:0", Address("0.0.0.0", 0)),
        ("[::]:5557", Address("::", 5557)),
    ],
)
def test_one_may_listen_everywhere_but_connect_only_somewhere(text: str, address: Address) -> None:
    assert parse_address(text, "--listen", to_listen=True) == address
    with pytest.raises(PlanError):
        parse_address(text, "HOST:PORT")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "`` is no HOST:PORT"),
        ("5557", "`5557` is no HOST:PORT"),
        (":5557", "`:5557` is no HOST:PORT"),
        ("host:", "`` is no port"),
        ("host:http", "`http` is no port"),
        ("host:-1", "`-1` is no port"),
        ("host:65536", "`65536` is no port"),
        ("host:٣", "`٣` is no port"),
        ("host:0", "port 0 is nobody's"),
        ("::1:5557", "`::1` holds a colon: an IPv6 address stands in brackets"),
        ("[::1:5557", "`[::1` is no IPv6 address"),
        ("[10.0.0.7]:5557", "`[10.0.0.7]` is no IPv6 address"),
        ("[]:5557", "`[]` is no IPv6 address"),
        ("10.0.0.256:5557", "`10.0.0.256` is no IPv4 address"),
        ("10.0.0:5557", "`10.0.0` is no IPv4 address"),
        ("tcp://host:5557", "`tcp://host` holds a colon: an IPv6 address stands in brackets"),
        ("a..b:5557", "`a..b` is no host name"),
        ("-a:5557", "`-a` is no host name"),
        ("a b:5557", "`a b` is no host name"),
        ("ho/st:5557", "`ho/st` is no host name"),
        ("a" * 64 + ":5557", f"`{'a' * 64}` is no host name"),
    ],
)
def test_what_is_no_address_is_said_with_its_place_and_an_example(text: str, what: str) -> None:
    with pytest.raises(PlanError) as raised:
        parse_address(text, "--to")
    assert str(raised.value) == (f"--to: {what} (for example 10.0.0.7:5557, [::1]:5557 or load.example.com:5557)")


@given(st.text(max_size=60), st.booleans())
def test_garbage_is_a_plan_error_or_an_address_that_reads_as_it_was_written(text: str, to_listen: bool) -> None:
    try:
        address = parse_address(text, "--to", to_listen=to_listen)
    except PlanError:
        return
    assert parse_address(str(address), "--to", to_listen=to_listen) == address


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.7", False),
        ("::ffff:10.0.0.7", False),
        ("fe80::1%eth0", False),
    ],
)
def test_loopback_is_what_other_machines_cannot_reach(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_names_are_looked_up_with_ipv4_first() -> None:
    assert resolve(Address("localhost", 1))[0] == "127.0.0.1"
    assert resolve(Address("::1", 1)) == ("::1",)
    assert resolve(Address("*", 1)) == ("::", "0.0.0.0")
    with pytest.raises(LinkError, match=r"cannot find the host nobody\.invalid: "):
        resolve(Address("nobody.invalid", 1))
