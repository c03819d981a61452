"""Numbers for the page's script, as JSON that may stand in HTML, each with the digits that can be seen."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

Json = Mapping[str, "Json"] | Sequence["Json"] | str | float | int | bool | None
UNSAFE = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def script_json(value: Json) -> Markup:
    """Compact JSON that no HTML parser finds an end tag, a comment or an entity in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(UNSAFE))  # what could be markup is escaped above


def rounded(value: float | None, digits: int = 4) -> float | int | None:
    """A number with so many significant digits; whole ones without a point."""
    if value is None or not math.isfinite(value):
        return None
    found = float(f"{value:.{digits - 1}e}")
    if not math.isfinite(found):
        return value
    return int(found) if found.is_integer() else found


def all_rounded(values: Iterable[float | None], digits: int = 4) -> list[float | int | None]:
    """Each of them rounded."""
    return [rounded(value, digits) for value in values]
