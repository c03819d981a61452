"""Percent-encoding (RFC 3986 §2) and form encoding (WHATWG URL §5), with the meaning that users of requests know.

Text that is encoded already stays as it is: `%7E` and `%2f` go out as they were written, a `%` that starts no valid
triplet becomes `%25`, and whatever no URL may hold (spaces, non-ASCII as UTF-8, control characters) is encoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias
from urllib.parse import quote, quote_plus

Pairs: TypeAlias = Mapping[str, object] | Iterable[tuple[object, object]]

# What requests leaves alone in a target: reserved and unreserved characters, less the ones that browsers encode.
_KEEP = "!#$%&'()*+,/:;=?@[]~"
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def encode_target(text: str) -> str:
    """Make `text` (a path, a query, or both) fit for a request line; what is valid in it is not touched."""
    # Lone surrogates have no UTF-8; encoding them all the same keeps any str a target instead of an exception.
    return quote(_LONE_PERCENT.sub("%25", text), safe=_KEEP, errors="surrogatepass")


def pairs_of(fields: Pairs) -> Iterator[tuple[object, object]]:
    """The (key, value) pairs of form fields: a sequence as a value gives one pair for each member, None gives none."""
    for key, value in fields.items() if isinstance(fields, Mapping) else fields:
        if isinstance(value, str | bytes) or not isinstance(value, Iterable):
            value = (value,)
        for member in value:
            if member is not None:
                yield key, member


def encode_form(fields: Pairs) -> str:
    """application/x-www-form-urlencoded: pairs joined by `&`, a space as `+`."""
    return "&".join(f"{_form_text(key)}={_form_text(value)}" for key, value in pairs_of(fields))


def _form_text(value: object) -> str:
    if isinstance(value, bytes):
        return quote_plus(value)
    return quote_plus(str(value), errors="surrogatepass")
