"""Errors with samples and exceptions, for the page: the most frequent first."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from swell.document import ErrorSummary, ResultDocument
from swell.report.failure_sections import ErrorGroup, error_groups
from swell.report.figures import NONE, clock_text, count_text, share_text
from swell.report.html_bounds import Bounds, clipped, clipped_lines
from swell.segment import SAMPLES_PER_ERROR, ErrorSample

MOST_PLACES = 10


@dataclasses.dataclass(frozen=True, slots=True)
class SampleView:
    """What one failed call looked like."""

    place: str
    status: str
    url: str
    headers: str
    body: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """An error text, where and when it occurred."""

    count: str
    share: str
    text: str
    places: tuple[tuple[str, str], ...]
    """Series and how often, the most frequent first."""
    places_hidden: int
    when: str
    from_s: float
    to_s: float
    samples: tuple[SampleView, ...]
    samples_hidden: int


@dataclasses.dataclass(frozen=True, slots=True)
class ExceptionRow:
    """An exception of the script's."""

    count: str
    message: str
    traceback: str


def error_rows(document: ResultDocument, bounds: Bounds) -> tuple[list[ErrorRow], int]:
    """The most frequent errors, and how many there are more."""
    groups = error_groups(document.errors)
    rows = [
        _error_row(group, document, bounds, bounds.sampled_errors > place)
        for place, group in enumerate(groups[: bounds.errors])
    ]
    return rows, len(groups) - len(rows)


def exception_rows(document: ResultDocument, bounds: Bounds) -> tuple[list[ExceptionRow], int]:
    """The most frequent exceptions, and how often there was another."""
    found = document.exceptions
    rows = [
        ExceptionRow(
            count_text(one.count),
            clipped(one.message, bounds.text_characters),
            clipped_lines(one.traceback, bounds.traceback_characters, end=True),
        )
        for one in found[: bounds.exceptions]
    ]
    others = sum(one.count for one in found[bounds.exceptions :])
    return rows, others + document.limits.exceptions.beyond


def _error_row(group: ErrorGroup, document: ResultDocument, bounds: Bounds, with_samples: bool) -> ErrorRow:
    first_s, last_s = min(row.first_s for row in group.rows), max(row.last_s for row in group.rows)
    when = clock_text(first_s)
    samples = list(_samples(group, bounds)) if with_samples else []
    most = group.rows[:MOST_PLACES]
    return ErrorRow(
        count=count_text(group.count),
        share=share_text(group.count, max(document.totals.failures, 1)),
        text=clipped(group.text, bounds.text_characters) or NONE,
        places=tuple((_place(row, bounds), count_text(row.count)) for row in most),
        places_hidden=len(group.rows) - len(most),
        when=when if clock_text(last_s) == when else f"{when} – {clock_text(last_s)}",
        from_s=first_s,
        to_s=last_s + 1,
        samples=tuple(samples),
        samples_hidden=sum(len(row.samples) for row in group.rows) - len(samples),
    )


def _samples(group: ErrorGroup, bounds: Bounds) -> Iterator[SampleView]:
    found = ((row, sample) for row in group.rows for sample in row.samples)
    for _, (row, sample) in zip(range(SAMPLES_PER_ERROR), found, strict=False):
        yield _sample(row, sample, bounds)


def _sample(row: ErrorSummary, sample: ErrorSample, bounds: Bounds) -> SampleView:
    return SampleView(
        _place(row, bounds),
        str(sample.status) if sample.status else "no response",
        clipped(sample.url, bounds.text_characters),
        clipped_lines(sample.headers, bounds.sample_characters),
        clipped_lines(sample.body, bounds.sample_characters),
    )


def _place(row: ErrorSummary, bounds: Bounds) -> str:
    return clipped(f"{row.method} {row.name}".strip(), bounds.name_characters) or NONE
