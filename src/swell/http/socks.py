"""SOCKS 4, 4a and 5 (RFC 1928, user and password by RFC 1929): the steps to a host behind a proxy.

A host is an IP address or a name; with a name, the proxy looks it up (SOCKS 4a, and 5 with address type 3).
"""

from __future__ import annotations

import ipaddress

from swell.http.dialogue import Ask, ProxyError, Steps

_NO_LOGIN, _LOGIN = 0, 2
_IPV4, _NAME, _IPV6 = 1, 3, 4
_GRANTED_4 = 0x5A
_REPLIES_4 = {0x5B: "refused or failed", 0x5C: "no identd at this end", 0x5D: "identd says another user"}
_REPLIES_5 = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "time to live expired",
    7: "command not supported",
    8: "address type not supported",
}


def socks4_steps(host: str, port: int, user: str = "") -> Steps:
    """SOCKS 4 to an IPv4 address, 4a to anything else."""
    name = b""
    try:
        address = ipaddress.IPv4Address(host).packed
    except ValueError:
        address, name = b"\0\0\0\1", host.encode("ascii") + b"\0"
    login = user.encode()
    if b"\0" in login:
        raise ProxyError("socks4: the user's name has a NUL in it")
    reply = yield Ask(b"\x04\x01" + port.to_bytes(2, "big") + address + login + b"\0" + name, 8)
    if reply[0] != 0:
        raise ProxyError("socks4: no SOCKS reply")
    if reply[1] != _GRANTED_4:
        raise ProxyError(f"socks4: {_REPLIES_4.get(reply[1], f'reply {reply[1]}')}")


def socks5_steps(host: str, port: int, userinfo: tuple[str, str] | None = None) -> Steps:
    """RFC 1928: the methods, the login if the proxy wants one, the request."""
    methods = bytes([_NO_LOGIN, _LOGIN] if userinfo else [_NO_LOGIN])
    version, method = yield Ask(bytes([5, len(methods)]) + methods, 2)
    if version != 5:
        raise ProxyError("socks5: no SOCKS reply")
    if method not in methods:
        raise ProxyError("socks5: wants another way to log in")
    if method == _LOGIN and userinfo:
        _, status = yield Ask(_login(*userinfo), 2)
        if status != 0:
            raise ProxyError("socks5: wrong user or password")
    version, reply, _, kind = yield Ask(b"\x05\x01\x00" + _address(host) + port.to_bytes(2, "big"), 4)
    if version != 5:
        raise ProxyError("socks5: no SOCKS reply")
    if reply != 0:
        raise ProxyError(f"socks5: {_REPLIES_5.get(reply, f'reply {reply}')}")
    yield from _bound_address(kind)


def _login(user: str, password: str) -> bytes:
    """RFC 1929 §2."""
    names = [user.encode(), password.encode()]
    if any(len(name) > 255 for name in names):
        raise ProxyError("socks5: user or password over 255 bytes")
    return b"\x01" + b"".join(bytes([len(name)]) + name for name in names)


def _address(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        name = host.encode("ascii")  # 253 bytes at most, as every parsed host
        return bytes([_NAME, len(name)]) + name
    return bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed


def _bound_address(kind: int) -> Steps:
    """The proxy's own end of the connection: read past it."""
    length = {_IPV4: 4, _IPV6: 16}.get(kind)
    if kind == _NAME:
        (length,) = yield Ask(b"", 1)
    if length is None:
        raise ProxyError("socks5: no SOCKS reply")
    yield Ask(b"", length + 2)
