"""Feeds that ran out of rows, lost some with a worker, or kept users waiting."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from swell.document import ResultDocument
from swell.feed_plan import FeedCount
from swell.report.figures import count_text
from swell.report.labelled import Labelled
from swell.report.wording import shortened, visible

NAME_WIDTH = 60
WAITED_SHARE = 0.01
"""Of their time: if users wait longer than that for rows, they are slower than they are meant to be."""


def is_slow(feed: FeedCount, document: ResultDocument) -> bool:
    """Whether users waited for its rows for more of their time than can be passed over."""
    return feed.waited_s > WAITED_SHARE * _users_s(document)


def _users_s(document: ResultDocument) -> float:
    """The time of all users together, at most."""
    return document.totals.users_peak * document.run.duration_s


def feed_section(document: ResultDocument) -> Iterator[RenderableType]:
    """What became of rows; nothing where there was one for everybody."""
    users_s = _users_s(document)
    found = [(feed, is_slow(feed, document)) for feed in document.feeds]
    lines = [_line(feed, users_s if slow else 0) for feed, slow in found if slow or feed.ran_out or feed.unknown]
    if lines:
        yield Labelled("feeds", lines)


def _line(feed: FeedCount, users_s: float) -> Text:
    line = Text(
        f"{shortened(visible(feed.name), NAME_WIDTH)}: {count_text(feed.rows)} rows, {count_text(feed.used)} used"
    )
    if feed.ran_out:
        times = "once" if feed.ran_out == 1 else f"{count_text(feed.ran_out)} times"
        line.append(f" · ran out {times}", "yellow")
    if feed.unknown:
        line.append(f" · {count_text(feed.unknown)} may have been used by a worker that died: left out", "yellow")
    if users_s:
        line.append(f" · users waited for rows {100 * feed.waited_s / users_s:.0f} % of their time", "yellow")
    return line
