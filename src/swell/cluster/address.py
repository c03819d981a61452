"""Where a controller listens, and where workers find it: HOST:PORT. Pure, apart from the names that it has resolved.

HOST is a name, an IPv4 address, an IPv6 address in brackets, or for listening `*`: all addresses of this machine.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass

from swell.errors import LinkError, PlanError, Problem

PORT_MAX = 65_535
ANYWHERE = "*"
EXAMPLE = "for example 10.0.0.7:5557, [::1]:5557 or load.example.com:5557"
_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
NAME_CHARACTERS_MAX = 253


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port. `host` has no brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def endpoint(self) -> str:
        """As ZeroMQ writes it."""
        return f"tcp://{self}"


def parse_address(text: str, where: str, *, to_listen: bool = False) -> Address:
    """HOST:PORT. Port 0 is for listening: any that is free. Raises PlanError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host:
        raise _fault(f"`{text}` is no HOST:PORT", where)
    if not port.isascii() or not port.isdigit() or len(port) > 5 or int(port) > PORT_MAX:
        raise _fault(f"`{port}` is no port", where)
    if int(port) == 0 and not to_listen:
        raise _fault("port 0 is nobody's", where)
    parsed = host if host == ANYWHERE else _parse_host(host, where)
    if not to_listen and (parsed == ANYWHERE or is_unspecified(parsed)):
        raise _fault(f"`{host}` is no address to connect to", where)
    return Address(parsed, int(port))


def _parse_host(host: str, where: str) -> str:
    if host.startswith("[") or host.endswith("]"):
        inner = host[1:-1]
        if host != f"[{inner}]" or not _is_version(inner, 6):
            raise _fault(f"`{host}` is no IPv6 address", where)
        return inner
    if ":" in host:
        raise _fault(f"`{host}` holds a colon: an IPv6 address stands in brackets", where)
    if re.fullmatch(r"[0-9.]+", host):
        if not _is_version(host, 4):
            raise _fault(f"`{host}` is no IPv4 address", where)
        return host
    labels = host.removesuffix(".").split(".")
    if len(host) > NAME_CHARACTERS_MAX or not all(map(_NAME.fullmatch, labels)):
        raise _fault(f"`{host}` is no host name", where)
    return host


def resolve(address: Address) -> tuple[str, ...]:
    """The IP addresses of a host, IPv4 first; those of `*` are `::` and `0.0.0.0`. Raises LinkError."""
    if address.host == ANYWHERE:
        return ("::", "0.0.0.0")
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "no host name"
        raise LinkError(f"cannot find the host {address.host}: {reason}") from exc
    hosts = dict.fromkeys(str(sockaddr[0]) for _, _, _, _, sockaddr in found)
    return tuple(sorted(hosts, key=lambda host: ":" in host))


def is_loopback(host: str) -> bool:
    """Whether an IP address is one that other machines cannot reach."""
    found = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def is_unspecified(host: str) -> bool:
    """Whether a host is an IP address that stands for all of a machine's."""
    return any(_is_version(host, version) for version in (4, 6)) and ipaddress.ip_address(host).is_unspecified


def _is_version(host: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(host).version == version
    except ValueError:
        return False


def _fault(what: str, where: str) -> PlanError:
    return PlanError([Problem(what, where, EXAMPLE)])
