"""Header fields: the ones that were received, read only when asked for, and the ones to send, checked when set.

`Headers` holds the head's bytes and parses nothing until its first use: most responses of a load test are never asked.

`RequestHeaders` is what a script changes (`client.headers`). Whoever prepares request heads from it needs to know when
that work is stale, hence `version`. Versions are drawn from one counter for the whole process, and a copy has the
version of its original until one of them changes: *equal versions mean equal fields*, also between two users. So users
who never touch their headers share one dict and one prepared head; every change replaces the dict, never edits it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import TypeAlias, TypeVar, overload

Fields: TypeAlias = "Mapping[str, str | bytes | None] | Iterable[tuple[str, str | bytes | None]]"

T = TypeVar("T")

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 §5.6.2
_FORBIDDEN = re.compile(r"[\r\n\0]")
_BLANK = " \t\r"
_versions = itertools.count(1)


class Headers(Mapping[str, str]):
    """The header fields of a response: names in any case, repeated fields joined by ", " (RFC 9110 §5.3).

    `head` is the status line and the header lines as received; bytes beyond ASCII are read as Latin-1. A folded line
    (obs-fold, RFC 9112 §5.2) continues the one before it; a line without a colon is passed over.
    """

    __slots__ = ("_fields", "head")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, head: bytes = b"") -> None:
        self.head = head
        self._fields: dict[str, tuple[str, list[str]]] | None = None

    def get_all(self, name: str) -> list[str]:
        """The values of every field of that name, in the order received; [] if there is none."""
        return list(self._parsed().get(name.lower(), ("", []))[1])

    @overload
    def get(self, name: str, default: None = None) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    @overload
    def get(self, name: str, default: T) -> str | T: ...
    def get(self, name: str, default: object = None) -> object:
        """The value of a field, or `default`."""
        field = self._parsed().get(name.lower())
        return default if field is None else ", ".join(field[1])

    def __getitem__(self, name: str) -> str:
        try:
            return ", ".join(self._parsed()[name.lower()][1])
        except KeyError:
            raise KeyError(name) from None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._parsed()

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._parsed().values())

    def __len__(self) -> int:
        return len(self._parsed())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and _lowered(self) == _lowered(other)

    def __repr__(self) -> str:
        return f"Headers({dict(self)!r})"

    def _parsed(self) -> dict[str, tuple[str, list[str]]]:
        if self._fields is None:
            self._fields = _parse_head(self.head)
        return self._fields


class RequestHeaders(MutableMapping[str, str]):
    """Header fields to send, names in any case. Setting one to None removes it, as in requests.

    Raises ValueError for a name that is no token, and for CR, LF or NUL in a value: nothing a script sets can end a
    line early.
    """

    __slots__ = ("_fields", "version")
    __hash__ = None  # type: ignore[assignment]
    _fields: dict[str, tuple[str, str]]
    version: int

    def __init__(self, fields: Fields = ()) -> None:
        if isinstance(fields, RequestHeaders):
            self._fields, self.version = fields._fields, fields.version
        else:
            self._fields = _changed({}, fields)
            self.version = next(_versions)

    def copy(self) -> RequestHeaders:
        """An independent copy, which costs one small object."""
        return RequestHeaders(self)

    def update(self, fields: Fields = (), /, **named: str | bytes | None) -> None:  # type: ignore[override]
        """Set several fields, or none of them if one is refused."""
        self._replace(_changed(_changed(self._fields, fields), named))

    def clear(self) -> None:
        """Remove every field."""
        self._replace({})

    def __getitem__(self, name: str) -> str:
        try:
            return self._fields[name.lower()][1]
        except KeyError:
            raise KeyError(name) from None

    def __setitem__(self, name: str, value: str | bytes | None) -> None:
        self._replace(_changed(self._fields, [(name, value)]))

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self._replace(_changed(self._fields, [(name, None)]))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and _lowered(self) == _lowered(other)

    def __repr__(self) -> str:
        return f"RequestHeaders({dict(self)!r})"

    def _replace(self, fields: dict[str, tuple[str, str]]) -> None:
        self._fields = fields
        self.version = next(_versions)


def checked_field(name: str | bytes, value: str | bytes) -> tuple[str, str]:
    """A field that is safe to send, as text. Raises ValueError naming the field that is not (RFC 9110 §5.5)."""
    name, value = _text(name), _text(value)
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"header name {name!r} is not a token")
    forbidden = _FORBIDDEN.search(value)
    if forbidden:
        raise ValueError(f"header {name}: its value has {forbidden.group()!r} in it")
    return name, value.strip(_BLANK)


def encode_fields(fields: Iterable[tuple[str, str]]) -> bytes:
    """Header lines for the wire, each with its CRLF: Latin-1, or UTF-8 for a line that Latin-1 cannot hold."""
    return b"".join([_encoded(f"{name}: {value}\r\n") for name, value in fields])


def _encoded(line: str) -> bytes:
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError:
        return line.encode("utf-8", "surrogateescape")


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not isinstance(value, str):
        raise ValueError(f"header names and values are text, not {value!r:.80}")
    return value


def _changed(fields: dict[str, tuple[str, str]], changes: Fields) -> dict[str, tuple[str, str]]:
    changed = dict(fields)
    for name, value in changes.items() if isinstance(changes, Mapping) else changes:
        if value is None:
            changed.pop(name.lower(), None)
        else:
            field = checked_field(name, value)
            changed[field[0].lower()] = field
    return changed


def _parse_head(head: bytes) -> dict[str, tuple[str, list[str]]]:
    fields: dict[str, tuple[str, list[str]]] = {}
    last: list[str] = []
    # Not splitlines(): it also splits at \x0b, \x1c and \x85, which are data here.
    for line in head.decode("latin-1").split("\n")[1:]:
        name, colon, value = line.partition(":")
        if line[:1] in (" ", "\t") and last:
            last[-1] = f"{last[-1]} {line.strip(_BLANK)}".strip(_BLANK)
        elif colon:
            name = name.strip(_BLANK)
            last = fields.setdefault(name.lower(), (name, []))[1]
            last.append(value.strip(_BLANK))
    return fields


def _lowered(fields: Mapping[str, str]) -> dict[str, str]:
    return {str(name).lower(): value for name, value in fields.items()}
