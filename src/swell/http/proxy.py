"""Which proxy a request goes through, and how a way through it is opened.

Plain http over an HTTP proxy needs no tunnel: the request line holds the whole URL, and Proxy-Authorization goes with
every request. https over an HTTP proxy asks for a tunnel with CONNECT (RFC 9110 §9.3.6). SOCKS proxies are tunnels for
both. Their names are curl's and requests': `socks5h` and `socks4a` look the host up at the proxy, `socks5` and
`socks4` here. Proxies that are spoken to over TLS are not supported.
"""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple

from swell.http.auth import basic_header
from swell.http.dialogue import Ask, Dialogue, ProxyError, Steps
from swell.http.socks import socks4_steps, socks5_steps
from swell.http.url import InvalidUrl, Origin, Url, parse_authority

__all__ = ["Dialogue", "Proxy", "ProxyError", "ProxyKind", "choose_proxy", "dialogue_for", "parse_proxy"]

_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?![0-9])")


class ProxyKind(enum.Enum):
    """How a proxy is spoken to; the value is the scheme of its URL."""

    HTTP = "http"
    SOCKS4 = "socks4"
    SOCKS4A = "socks4a"
    SOCKS5 = "socks5"
    SOCKS5H = "socks5h"


class Proxy(NamedTuple):
    """A proxy: its kind, where it is (`origin`, to connect to), and the user and password for it."""

    kind: ProxyKind
    origin: Origin
    userinfo: tuple[str, str] | None = None

    @property
    def is_tunnel(self) -> bool:
        """Whether even plain http goes through a tunnel, in which the proxy is not to be seen."""
        return self.kind is not ProxyKind.HTTP

    @property
    def looks_up_here(self) -> bool:
        """Whether the target's name is to be looked up at this end and `dialogue_for` be given its address."""
        return self.kind in (ProxyKind.SOCKS4, ProxyKind.SOCKS5)

    @property
    def authorization(self) -> str:
        """The value of a Proxy-Authorization header, "" for none."""
        return basic_header(*self.userinfo) if self.userinfo and self.kind is ProxyKind.HTTP else ""

    def __str__(self) -> str:
        """The proxy's URL without user and password."""
        return f"{self.kind.value}://{self.origin.host_header}"


def parse_proxy(text: str) -> Proxy:
    """Read a proxy's URL; without a scheme it is http. Raises InvalidUrl."""
    scheme, separator, rest = text.strip().partition("://")
    if not separator:
        scheme, rest = "http", text.strip()
    try:
        kind = ProxyKind(scheme.lower())
    except ValueError:
        known = ", ".join(kind.value for kind in ProxyKind)
        raise InvalidUrl(f"proxy {scheme[:80]!r}: not one of {known}") from None
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    userinfo, host, port = parse_authority(authority, 1080 if kind is not ProxyKind.HTTP else 80)
    return Proxy(kind, Origin("http", host, port), userinfo)


def choose_proxy(proxies: Mapping[str, str | None], url: Url, no_proxy: str | None = None) -> Proxy | None:
    """The proxy for `url` among requests' keys: "http://host", "http", "all://host", "all"; None for none.

    "no_proxy" among the keys, or the argument, lists hosts that are reached directly. Raises InvalidUrl for the URL of
    the proxy that is chosen.
    """
    scheme, host = url.origin.scheme, url.origin.host
    if url.origin.unix_path is not None or _is_exempt(url.origin, no_proxy or proxies.get("no_proxy") or ""):
        return None
    for key in (f"{scheme}://{host}", scheme, f"all://{host}", "all"):
        if key in proxies:
            text = proxies[key]
            return parse_proxy(text) if text else None
    return None


def _is_exempt(origin: Origin, no_proxy: str) -> bool:
    return any(_matches(origin, entry) for entry in no_proxy.replace(",", " ").lower().split())


def _matches(origin: Origin, entry: str) -> bool:
    """`*`, a host (and all below it), `host:port`, an address, or a network such as 10.0.0.0/8."""
    if entry == "*":
        return True
    try:
        network = ipaddress.ip_network(entry.strip("[]"), strict=False)
        return ipaddress.ip_address(origin.host.partition("%")[0]) in network
    except ValueError:
        name, colon, port = entry.partition(":")
    if colon and port != str(origin.port):
        return False
    name = name.lstrip("*").lstrip(".")
    return name != "" and (origin.host == name or origin.host.endswith("." + name))


def dialogue_for(proxy: Proxy, origin: Origin, address: str | None = None) -> Dialogue:
    """The conversation that opens a tunnel to `origin`, named by `address` if it was looked up here.

    Raises ProxyError for what cannot be said in the proxy's protocol.
    """
    host = address or origin.host
    if proxy.kind is ProxyKind.HTTP:
        return Dialogue(_connect_steps(proxy, origin))
    if proxy.kind in (ProxyKind.SOCKS4, ProxyKind.SOCKS4A):
        return Dialogue(socks4_steps(host, origin.port, proxy.userinfo[0] if proxy.userinfo else ""))
    return Dialogue(socks5_steps(host, origin.port, proxy.userinfo))


def _connect_steps(proxy: Proxy, origin: Origin) -> Steps:
    host = f"[{origin.host.partition('%')[0]}]" if ":" in origin.host else origin.host
    lines = [f"CONNECT {host}:{origin.port} HTTP/1.1", f"Host: {host}:{origin.port}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    reply = yield Ask("".join(f"{line}\r\n" for line in [*lines, ""]).encode("ascii"), b"\r\n\r\n")
    while (status := _status_of(reply)) < 200:  # an interim reply; the real one follows
        reply = yield Ask(b"", b"\r\n\r\n")
    if status > 299:
        raise ProxyError(f"CONNECT: HTTP {status}")


def _status_of(head: bytes) -> int:
    match = _STATUS_LINE.match(head)
    if match is None:
        raise ProxyError("CONNECT: no HTTP reply")
    return int(match[1])
