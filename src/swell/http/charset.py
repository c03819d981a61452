"""Which encoding a response's text is in: what its Content-Type says, else what its bytes show."""

from __future__ import annotations

import codecs
import re

_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([^\s\"';]+)", re.IGNORECASE)
_JSON = re.compile(r"application/json\b|[^;\s]+\+json\b", re.IGNORECASE)
# Python codecs that are no character sets: a server that names one must not choose how its body is interpreted.
_NOT_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined"})
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16's, which it starts with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def text_encoding(content_type: str, content: bytes) -> str:
    """The name of an encoding that Python knows, for a body and the value of its Content-Type header.

    A charset parameter counts if Python knows it (RFC 9110 §8.3.2); JSON is UTF-8, -16 or -32; for the rest, `guess`.
    """
    match = _CHARSET.search(content_type)
    if match and is_charset(match[1]):
        return match[1]
    if _JSON.match(content_type.strip()):
        return _json_encoding(content)
    return guess(content)


def guess(content: bytes) -> str:
    """The encoding that a byte order mark names; UTF-8 where the bytes are UTF-8; else Latin-1, which any bytes are."""
    for mark, name in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return name
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "iso-8859-1"
    return "utf-8"


def is_charset(name: str) -> bool:
    """Whether Python has a text encoding of that name."""
    try:
        if codecs.lookup(name).name in _NOT_CHARSETS:
            return False
        b"x".decode(name, "replace")  # a LookupError for codecs from bytes to bytes
    except (LookupError, ValueError):
        return False
    return True


def _json_encoding(content: bytes) -> str:
    """JSON begins with two ASCII characters, unless it is one alone: their zero bytes show its form (RFC 4627 §3)."""
    zeros = "".join("0" if byte == 0 else "x" for byte in content[:4])
    if zeros in ("000x", "x000"):
        return "utf-32-be" if zeros == "000x" else "utf-32-le"
    if zeros.startswith(("0x", "x0")):
        return "utf-16-be" if zeros.startswith("0x") else "utf-16-le"
    return guess(content)
