"""The checks and transactions of a script on one line, while the run goes on."""

from __future__ import annotations

from collections import Counter

from rich.text import Text

from swell.report.figures import count_text, share_text
from swell.result import RunResult
from swell.segment import Outcome, Sort
from swell.stats import counts
from swell.stats.packed import Tables

WHAT = {Sort.CHECK: "checks", Sort.TRANSACTION: "transactions"}


def live_measures(result: RunResult, whole: Tables, width: int) -> list[Text]:
    """How many there were so far and how many failed; nothing where the script has none."""
    made: Counter[Sort] = Counter()
    failed: Counter[Sort] = Counter()
    for row in counts.measure_tallies(whole):
        sort = result.series_of(row.series).sort
        made[sort] += row.count
        failed[sort] += row.count if row.outcome & Outcome.FAILED else 0
    parts = [_part(what, made[sort], failed[sort]) for sort, what in WHAT.items() if made[sort]]
    if not parts:
        return []
    line = Text.assemble(("script     ", "dim"), Text(" · ").join(parts))
    line.truncate(width, overflow="ellipsis")
    return [line]


def _part(what: str, made: int, failed: int) -> Text:
    part = Text(f"{count_text(made)} {what}")
    if failed:
        part.append(f", {count_text(failed)} failed ({share_text(failed, made)})", "bold red")
    return part
