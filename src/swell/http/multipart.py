"""multipart/form-data (RFC 7578): the fields of a form and its files, as requests names and browsers write them.

Names and file names go out as UTF-8, with `"`, CR and LF percent-encoded as browsers do (WHATWG HTML §4.10.21.8). A
part has a Content-Type only where the script gave one. Forms up to 256 KiB are put together at once; a larger one is
read from its files while it is sent, and has a Content-Length if every file's length is known.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias, cast

from swell.http.body import Body, Readable, of_bytes, of_file
from swell.http.headers import checked_field
from swell.http.percent import Pairs, pairs_of

Files: TypeAlias = "Mapping[str, object] | Iterable[tuple[str, object]]"

MAX_JOINED_BYTES = 256 * 1024
_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class _Part(NamedTuple):
    head: bytes
    body: Body


def encode_multipart(fields: Pairs, files: Files, boundary: str | None = None) -> Body:
    """The body of a form with files. Raises ValueError for a file in a form that requests does not document."""
    boundary = boundary or os.urandom(16).hex()
    parts = [_field_part(name, value) for name, value in pairs_of(fields)]
    parts += [part for name, value in _pairs(files) if (part := _file_part(name, value)) is not None]
    dash_boundary = b"--" + boundary.encode("ascii")
    pieces: list[bytes | Body] = []
    for part in parts:
        pieces += [dash_boundary + b"\r\n" + part.head + b"\r\n", part.body, b"\r\n"]
    pieces.append(dash_boundary + b"--\r\n")
    return _assembled(pieces, f"multipart/form-data; boundary={boundary}")


def _assembled(pieces: list[bytes | Body], content_type: str) -> Body:
    lengths = [piece.length if isinstance(piece, Body) else len(piece) for piece in pieces]
    length = None if None in lengths else sum(cast("list[int]", lengths))
    if length is not None and length <= MAX_JOINED_BYTES:
        return of_bytes(b"".join(_stream(pieces)), content_type)
    replayable = all(piece.replayable for piece in pieces if isinstance(piece, Body))
    return Body(_stream(pieces), content_type, length, (lambda: _stream(_again(pieces))) if replayable else None)


def _stream(pieces: Iterable[bytes | Body]) -> Iterator[bytes]:
    for piece in pieces:
        content = piece.content if isinstance(piece, Body) else piece
        if isinstance(content, bytes):
            yield content
        elif content is not None:
            yield from content


def _again(pieces: Iterable[bytes | Body]) -> Iterator[bytes | Body]:
    """The pieces from their beginnings; each file is rewound only when its turn comes, for a file may be in twice."""
    for piece in pieces:
        body = piece.again() if isinstance(piece, Body) else piece
        assert body is not None, "only a body whose pieces are all replayable is restarted"
        yield body


def _field_part(name: object, value: object) -> _Part:
    content = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
    return _Part(_head(name, None, None, {}), of_bytes(content))


def _file_part(name: str, value: object) -> _Part | None:
    """A file as requests takes it: a file, its content, or (file name, either[, content type[, headers]])."""
    filename: object = None
    content_type: object = None
    headers: object = {}
    if isinstance(value, tuple | list):
        if not 2 <= len(value) <= 4:
            raise ValueError(f"file {name!r}: not (file name, content[, content type[, headers]])")
        filename, content, content_type, headers = [*value, None, None][:2] + [*value[2:], None, None][:2]
    else:
        filename, content = _own_name(value) or name, value
    if content is None:
        return None
    return _Part(_head(name, filename, content_type, headers or {}), _file_body(name, content))


def _file_body(name: str, content: object) -> Body:
    if isinstance(content, str):
        return of_bytes(content.encode())
    if isinstance(content, bytes | bytearray | memoryview):
        return of_bytes(bytes(content))
    if hasattr(content, "read"):
        return of_file(cast("Readable", content))
    raise ValueError(f"file {name!r}: its content is a {type(content).__name__}, not a file, bytes or text")


def _own_name(file: object) -> str | None:
    """The file's own name, if it is one: not `<stdin>`, not a descriptor's number."""
    name = getattr(file, "name", None)
    if isinstance(name, str) and name and not (name[0] == "<" and name[-1] == ">"):
        return posixpath.basename(name)
    return None


def _head(name: object, filename: object, content_type: object, headers: object) -> bytes:
    disposition = f'form-data; name="{_quotable(name)}"'
    if filename is not None:
        disposition += f'; filename="{_quotable(filename)}"'
    lines = {"Content-Disposition": disposition}
    if content_type is not None:
        lines["Content-Type"] = checked_field("Content-Type", cast("str", content_type))[1]
    for field, value in _pairs(cast("Files", headers)):
        field, value = checked_field(field, cast("str", value))
        if field.lower() not in ("content-disposition", *(["content-type"] if content_type is not None else [])):
            lines[field] = value
    return "".join(f"{field}: {value}\r\n" for field, value in lines.items()).encode("utf-8", "surrogatepass")


def _quotable(name: object) -> str:
    return (name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)).translate(_ESCAPES)


def _pairs(pairs: Files) -> Iterable[tuple[str, object]]:
    return pairs.items() if isinstance(pairs, Mapping) else pairs
