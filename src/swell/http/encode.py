"""The `data`, `json` and `files` of a call as a body, with the meaning that they have in requests.

    files            multipart/form-data, with the pairs of `data` as its other fields
    data, pairs      application/x-www-form-urlencoded
    data, str bytes  as it is, no content type; text as UTF-8
    data, a file     read while it is sent; Content-Length if its length can be known, else chunked
    data, iterable   chunked
    json             application/json; only where there is neither files nor data

Empty data ("", {}, []) is no data.
"""

from __future__ import annotations

import json as stdlib_json
from collections.abc import Iterable, Mapping
from typing import cast

import msgspec

from swell.http.body import NO_BODY, Body, Readable, chunked, of_bytes, of_file, of_pieces
from swell.http.multipart import Files, encode_multipart
from swell.http.percent import Pairs, encode_form

__all__ = ["NO_BODY", "Body", "chunked", "encode_body", "encode_json"]

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def encode_body(data: object = None, json: object = None, files: Files | None = None) -> Body:
    """The body of a call. Raises ValueError for what cannot be sent (NaN in JSON, text beside files)."""
    if files:
        return encode_multipart(_form_fields(data), files)
    if _is_nothing(data):
        return NO_BODY if json is None else of_bytes(encode_json(json), JSON)
    if isinstance(data, str):
        return of_bytes(data.encode())
    if isinstance(data, bytes | bytearray | memoryview):
        return of_bytes(bytes(data))
    if isinstance(data, Mapping | list | tuple):
        return of_bytes(_encode_pairs(data), FORM)
    if hasattr(data, "read"):
        return of_file(cast("Readable", data))
    if isinstance(data, Iterable):
        return of_pieces(data)
    raise ValueError(f"data is a {type(data).__name__}: neither pairs, text, bytes, a file nor an iterable")


def encode_json(value: object) -> bytes:
    """Compact JSON in UTF-8. Raises ValueError for NaN and infinities, which JSON has not (RFC 8259 §6)."""
    try:
        return _encode_json(value)
    except RecursionError as error:
        raise ValueError("json: nested too deeply, or within itself") from error


def _encode_json(value: object) -> bytes:
    try:
        content = msgspec.json.encode(value)
        if b"null" in content:  # what msgspec makes of NaN, so look whether it was None
            stdlib_json.dumps(msgspec.to_builtins(value), allow_nan=False)
    except (TypeError, UnicodeEncodeError):
        # Keys that are None, lone surrogates: the standard library has an answer to those.
        content = stdlib_json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    return content


def _is_nothing(data: object) -> bool:
    return data is None or (isinstance(data, str | bytes | Mapping | list | tuple) and not data)


def _form_fields(data: object) -> Pairs:
    if _is_nothing(data):
        return ()
    if isinstance(data, Mapping | list | tuple):
        return data
    raise ValueError(f"data is a {type(data).__name__}: beside files it must be pairs, the form's other fields")


def _encode_pairs(data: Pairs) -> bytes:
    try:
        return encode_form(data).encode("ascii")
    except (TypeError, ValueError) as error:
        raise ValueError("data is a list, but not one of (name, value) pairs") from error
