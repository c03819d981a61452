"""How much of a run its page holds, so that it stays under a megabyte whatever the run was.

A page is made with the first of LEVELS; where it comes out too large, with the next, until it fits. The last fits even
if every text is long and each of its characters takes five bytes (`&amp;`). What is left out is counted and said on the
page.
"""

from __future__ import annotations

import dataclasses

from swell.report.wording import ELLIPSIS, visible, visible_lines

LIMIT_BYTES = 1_000_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """One level. Counts of things, and of characters of texts that come from outside."""

    points: int = 600
    """Of a line over time."""
    detailed_series: int = 60
    """Series with a distribution and lines over time of their own."""
    series_points: int = 80
    series: int = 1_001
    name_characters: int = 200
    measures: int = 1_000
    """Rows of checks, of transactions and of measures."""
    errors: int = 200
    sampled_errors: int = 40
    sample_characters: int = 1_024
    exceptions: int = 100
    traceback_characters: int = 3_000
    workers: int = 200
    worker_lines: int = 8
    marks: int = 200
    texts: int = 100
    """Reasons, thresholds, loads, facts of the plan."""
    text_characters: int = 1_000


LEVELS = (
    Bounds(),
    Bounds(
        detailed_series=40,
        series_points=60,
        name_characters=100,
        measures=400,
        sampled_errors=20,
        sample_characters=600,
        exceptions=40,
        traceback_characters=1_500,
        text_characters=400,
    ),
    Bounds(
        points=300,
        detailed_series=20,
        series_points=60,
        name_characters=40,
        measures=150,
        errors=100,
        sampled_errors=10,
        sample_characters=300,
        exceptions=15,
        traceback_characters=1_000,
        workers=100,
        marks=60,
        texts=40,
        text_characters=200,
    ),
    Bounds(
        points=300,
        detailed_series=10,
        series_points=60,
        series=400,
        name_characters=24,
        measures=80,
        errors=50,
        sampled_errors=5,
        sample_characters=200,
        exceptions=10,
        traceback_characters=500,
        workers=50,
        marks=40,
        texts=20,
        text_characters=120,
    ),
)


def clipped(text: str, characters: int) -> str:
    """The text on one line in at most so many characters, its middle left out, unsafe characters as escapes."""
    if len(text) > 2 * characters:
        text = text[:characters] + ELLIPSIS + text[-characters:]
    text = visible(text)
    if len(text) <= characters:
        return text
    head = characters * 2 // 3
    return text[:head] + ELLIPSIS + text[len(text) - (characters - head - 1) :]


def clipped_lines(text: str, characters: int, *, end: bool = False) -> str:
    """The lines of a text, its beginning or its end in at most so many characters, unsafe characters as escapes."""
    cut = len(text) > characters
    text = (text[-characters:] if end else text[:characters]) if cut else text
    lines = "\n".join(visible_lines(text))
    if len(lines) > characters:
        cut, lines = True, lines[-characters:] if end else lines[:characters]
    if not cut:
        return lines
    return f"{ELLIPSIS}{lines}" if end else f"{lines}{ELLIPSIS}"
