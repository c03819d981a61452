"""Feeds that ran out of rows, or lost some with a worker."""

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


def feed_section(document: ResultDocument) -> Iterator[RenderableType]:
    """What became of rows; nothing where there was one for everybody."""
    lines = [_line(feed) for feed in document.feeds if feed.ran_out or feed.unknown]
    if lines:
        yield Labelled("feeds", lines)


def _line(feed: FeedCount) -> Text:
    line = Text(
        f"{shortened(visible(feed.name), NAME_WIDTH)}: {count_text(feed.rows)} rows, {count_text(feed.used)} used"
    )
    if feed.ran_out:
        times = "once" if feed.ran_out == 1 else f"{count_text(feed.ran_out)} times"
        line.append(f" · ran out {times}", "yellow")
    if feed.unknown:
        line.append(f" · {count_text(feed.unknown)} may have been used by a worker that died: left out", "yellow")
    return line
