"""Calls as lines of CSV (RFC 4180): a header, then one line each; what a call does not have is empty."""

from __future__ import annotations

import csv
import io

from swell.report.sample_columns import CLOCKS, NAMES, Columns, Duration

END = "\r\n"
HEADER = (",".join(NAMES) + END).encode()


def lines_of(columns: Columns) -> bytes:
    """The calls of a segment."""
    sampled = columns.sampled
    ends = [f",{sampled.worker},{sampled.incarnation},{clock}{END}" for clock in CLOCKS]
    codes = zip(
        columns.series.tolist(), columns.status.tolist(), columns.errors.tolist(), columns.failed.tolist(), strict=True
    )
    known: dict[tuple[int, int, int, bool], str] = {}
    middles = [known.get(code) or known.setdefault(code, _texts(columns, *code)) for code in codes]
    rows = zip(
        columns.start_s.tolist(),
        middles,
        *map(_cells, columns.durations),
        columns.bytes_sent.tolist(),
        columns.bytes_received.tolist(),
        [ends[by_user] for by_user in columns.by_user.tolist()],
        strict=True,
    )
    lines = [
        f"{start_s:.6f},{texts},{response},{service},{first_byte},{connect},{lag},{sent},{received}{end}"
        for start_s, texts, response, service, first_byte, connect, lag, sent, received, end in rows
    ]
    return "".join(lines).encode("utf-8", "replace")


def _texts(columns: Columns, series: int, status: int, error: int, failed: bool) -> str:
    """The cells that many calls have in common, from scenario to failed."""
    named = columns.series_of(series)
    text = columns.error_text(error) if failed else ""
    line = io.StringIO()
    csv.writer(line, lineterminator=END).writerow(  # which says what needs quotes
        [named.scenario, named.method, named.name, named.tags, status or "", text, "true" if failed else "false"]
    )
    return line.getvalue().removesuffix(END)


def _cells(duration: Duration) -> list[str]:
    if duration.measured.all():
        return [f"{ms:.6f}" for ms in duration.ms.tolist()]
    cells = zip(duration.ms.tolist(), duration.measured.tolist(), strict=True)
    return [f"{ms:.6f}" if measured else "" for ms, measured in cells]
