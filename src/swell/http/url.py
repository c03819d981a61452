"""URLs as a load generator needs them: where to connect (`Origin`) and what to put on the request line (`target`).

Rules, and why:
- A `Url` is ready for the wire: its host is lower case and ASCII (IDNA), its target percent-encoded, its dot segments
  removed (RFC 3986 §5.2.4). A fragment is kept beside the target and never sent.
- `parse_url(text, base)` is what `client.get("/x")` means: the text is *appended* to the host that the user was given,
  so `http://h/api` and `/x` give `http://h/api/x`. `join(base, location)` is what a Location header means: RFC 3986 §5.
- A unix socket is an origin of its own: `unix:/run/app.sock`, with a target after it `unix:/run/app.sock:/x`. HTTP is
  spoken over it with `Host: localhost`, and a redirect to `http://localhost/...` stays on the socket.

Both types are tuples: as dictionary keys they cost a quarter of a frozen dataclass, and one is looked up per request.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import unquote

from swell.http.percent import Pairs, encode_form, encode_target

DEFAULT_PORTS = {"http": 80, "https": 443}

# RFC 3986 appendix B: scheme, authority, path, query, fragment. It matches any text.
_PARTS = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://|unix:", re.IGNORECASE)
# A target that needs no work at all: valid characters only, no fragment, no segment that starts with a dot.
_PLAIN = r"[A-Za-z0-9\-._~!$&'()*+,/:;=?@]*"
_PLAIN_TARGET = re.compile(rf"(?!.*/\.)/{_PLAIN}(?:%[0-9A-Fa-f]{{2}}{_PLAIN})*")
_HOST_NAME = re.compile(r"(?=.{1,253}\.?\Z)[a-z0-9_~-]{1,63}(?:\.[a-z0-9_~-]{1,63})*\.?")
_ZONE = re.compile(r"[A-Za-z0-9._~-]{1,63}")
_PORT = re.compile(r"[0-9]{1,5}")
_CONTROL_AND_SPACE = "".join(map(chr, range(0x21)))
_LINE_BREAKS = str.maketrans("", "", "\t\r\n")


class InvalidUrl(ValueError):
    """The text is no URL that swell can send a request to; the message says what is wrong with it."""


class Origin(NamedTuple):
    """Where connections go: scheme (http, https, unix), host without brackets, port, path of a unix socket."""

    scheme: str
    host: str
    port: int
    unix_path: str | None = None

    @property
    def is_tls(self) -> bool:
        """Whether connections to this origin are wrapped in TLS."""
        return self.scheme == "https"

    @property
    def host_header(self) -> str:
        """The value of the Host header (RFC 9110 §7.2): no port where it is the scheme's own, no IPv6 zone."""
        host = self.host.partition("%")[0]
        host = f"[{host}]" if ":" in host else host
        return host if self.port == DEFAULT_PORTS.get(self.scheme, self.port) else f"{host}:{self.port}"

    def __str__(self) -> str:
        if self.unix_path is not None:
            return f"unix:{self.unix_path}"
        return f"{self.scheme}://{self.host_header}"


class Url(NamedTuple):
    """A parsed URL. `target` is path and query as sent; `userinfo` is (user, password), decoded, for basic auth."""

    origin: Origin
    target: str
    userinfo: tuple[str, str] | None = None
    fragment: str = ""

    @property
    def host_header(self) -> str:
        """The value of the Host header for this URL."""
        return self.origin.host_header

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def __str__(self) -> str:
        """The URL as text, without user and password, so that it may be shown."""
        colon = ":" if self.origin.unix_path is not None else ""
        fragment = f"#{self.fragment}" if self.fragment else ""
        return f"{self.origin}{colon}{self.target}{fragment}"


def parse_url(text: str, base: Url | None = None) -> Url:
    """Read `text` as a URL, or append it to `base` if it is a path. Raises InvalidUrl."""
    if base is not None and _PLAIN_TARGET.fullmatch(text):
        return Url(base.origin, base.path.rstrip("/") + text, base.userinfo)
    text = text.strip(_CONTROL_AND_SPACE)
    if _ABSOLUTE.match(text):
        return _parse_absolute(text)
    if base is None:
        raise InvalidUrl(f"{_shown(text)} has no scheme: write http://{text[:80]}" if text else "the URL is empty")
    return _append(base, text)


def join(base: Url, location: str) -> Url:
    """Resolve a reference, such as a Location header, against the URL it came from (RFC 3986 §5.2). Raises InvalidUrl.

    As browsers do, `http:path` counts as relative for a base of the same scheme (§5.2.2, the non-strict way).
    """
    location = location.strip(_CONTROL_AND_SPACE).translate(_LINE_BREAKS)
    scheme, authority, path, query, fragment = _split(location)
    elsewhere = scheme is not None and (scheme.lower() != base.origin.scheme or scheme.lower() == "unix")
    if authority is not None or elsewhere:
        url = _parse_absolute(location if scheme else f"{_http_scheme(base.origin)}:{location}")
        return url._replace(origin=base.origin) if _names_the_socket(url.origin, base.origin) else url
    base_path, question, base_query = base.target.partition("?")
    if not path:
        path = base_path
        query = base_query if query is None and question else query
    elif not path.startswith("/"):
        path = base_path.rpartition("/")[0] + "/" + path
    return Url(base.origin, _target(path, query), base.userinfo, _fragment(fragment))


def with_params(url: Url, params: Pairs | str | bytes | None) -> Url:
    """Add query parameters as requests does: pairs are form-encoded, None values dropped, text is taken as it is."""
    if params is None:
        return url
    if isinstance(params, bytes):
        params = params.decode("utf-8", "replace")
    query = encode_target(params).replace("#", "%23") if isinstance(params, str) else encode_form(params)
    if not query:
        return url
    separator = "&" if "?" in url.target else "?"
    return url._replace(target=f"{url.target}{separator}{query}")


def parse_authority(authority: str, default_port: int) -> tuple[tuple[str, str] | None, str, int]:
    """The parts of `user:password@host:port`: userinfo, host and port. Raises InvalidUrl (RFC 3986 §3.2)."""
    login, _, place = authority.rpartition("@")
    if place.startswith("["):
        literal, bracket, rest = place[1:].partition("]")
        host, port_text = _ipv6(literal), rest
        if not bracket or (rest and not rest.startswith(":")):
            raise InvalidUrl(f"{_shown(place)} is not a host")
    else:
        name, colon, port = place.partition(":")
        host, port_text = _host_name(name), colon + port
    return _userinfo(login), host, _port(port_text[1:]) if port_text[1:] else default_port


def remove_dot_segments(path: str) -> str:
    """Resolve `.` and `..` in a path that starts with `/` (RFC 3986 §5.2.4); extra `..` stop at the root."""
    if "/." not in path:
        return path
    segments = path.split("/")[1:]
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _split(text: str) -> tuple[str | None, str | None, str, str | None, str | None]:
    match = _PARTS.fullmatch(text)
    assert match is not None, "the pattern of appendix B matches any text"
    scheme, authority, path, query, fragment = match.groups()
    return scheme, authority, path, query, fragment


def _parse_absolute(text: str) -> Url:
    scheme, authority, path, query, fragment = _split(text)
    scheme = (scheme or "").lower()
    if scheme == "unix":
        return _parse_unix(text)
    if scheme not in DEFAULT_PORTS:
        raise InvalidUrl(f"{_shown(text)} is not an http, https or unix URL")
    if not authority:
        raise InvalidUrl(f"{_shown(text)} has no host")
    userinfo, host, port = parse_authority(authority, DEFAULT_PORTS[scheme])
    return Url(Origin(scheme, host, port), _target(path, query), userinfo, _fragment(fragment))


def _parse_unix(text: str) -> Url:
    """`unix:/run/app.sock`, `unix:///run/app.sock`, `unix:/run/app.sock:/target`."""
    rest = text[len("unix:") :]
    if rest.startswith("//") and not rest.startswith("///"):
        raise InvalidUrl(f"{_shown(text)} has a host: write a unix socket as unix:/path")
    socket_path, colon, target = (rest[2:] if rest.startswith("//") else rest).partition(":/")
    if not socket_path or "\0" in socket_path:
        raise InvalidUrl(f"{_shown(text)} names no unix socket")
    origin = Origin("unix", "localhost", 0, socket_path)
    return _append(Url(origin, "/"), colon[1:] + target)


def _append(base: Url, text: str) -> Url:
    text, _, fragment = text.partition("#")
    path, question, query = text.partition("?")
    if path and not path.startswith("/"):
        path = "/" + path
    prefix = base.path.rstrip("/") if path else base.path
    return Url(base.origin, _target(prefix + path, query if question else None), base.userinfo, _fragment(fragment))


def _target(path: str, query: str | None) -> str:
    encoded = remove_dot_segments(encode_target(path or "/"))
    return encoded if query is None else f"{encoded}?{encode_target(query)}"


def _fragment(text: str | None) -> str:
    return encode_target(text) if text else ""


def _userinfo(login: str) -> tuple[str, str] | None:
    user, _, password = login.partition(":")
    return (unquote(user), unquote(password)) if login else None


def _ipv6(literal: str) -> str:
    address, percent, zone = literal.partition("%")
    zone = zone.removeprefix("25") if percent else ""  # RFC 6874 writes a zone as %25eth0
    try:
        host = str(ipaddress.IPv6Address(address))
    except ValueError:
        raise InvalidUrl(f"{_shown(literal)} is not an IPv6 address") from None
    if percent and not _ZONE.fullmatch(zone):
        raise InvalidUrl(f"{_shown(literal)} is not an IPv6 address")
    return f"{host}%{zone}" if percent else host


def _host_name(name: str) -> str:
    host = name.lower()
    if not host.isascii() and len(host) <= 253:
        try:
            host = host.encode("idna").decode("ascii").lower()
        except UnicodeError:
            raise InvalidUrl(f"{_shown(name)} is not a host name") from None
    if not _HOST_NAME.fullmatch(host):
        raise InvalidUrl(f"{_shown(name)} is not a host name" if name else "there is no host before the port")
    return host


def _port(text: str) -> int:
    if not _PORT.fullmatch(text) or not 1 <= int(text) <= 65535:
        raise InvalidUrl(f"port {_shown(text)} is not in 1..65535")
    return int(text)


def _http_scheme(origin: Origin) -> str:
    return "http" if origin.unix_path is not None else origin.scheme


def _names_the_socket(named: Origin, base: Origin) -> bool:
    return base.unix_path is not None and named == Origin("http", "localhost", 80)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")
