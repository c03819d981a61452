"""The document as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import BinaryIO

import msgspec

from swell.document import ResultDocument, WindowDocument
from swell.report.writing import write_whole
from swell.stats.comparison.document import Comparison


def to_json(document: ResultDocument | WindowDocument | Comparison) -> bytes:
    """The document as indented JSON with a line end, the same for equal documents: a whole number of seconds is `4.0`.
    Half a surrogate, as in a name that was no UTF-8, becomes `?`."""
    document = msgspec.convert(msgspec.to_builtins(document), type(document))
    try:
        data = msgspec.json.encode(document)
    except UnicodeEncodeError:
        data = json.dumps(msgspec.to_builtins(document), ensure_ascii=False).encode(errors="replace")
    return msgspec.json.format(data, indent=2) + b"\n"


def write_json(document: ResultDocument, target: Path | BinaryIO) -> None:
    """Write the document. Raises RunFailed where that is not possible."""
    write_whole(to_json(document), target)
