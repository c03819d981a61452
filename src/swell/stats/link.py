"""What was turned away at the link, over all of a run: also where its controller was started again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from swell.result import LinkCounts, LinkFacts, RefusedCount, StrangerCount


def together(before: LinkFacts, since: LinkFacts) -> LinkFacts:
    """What both counted."""
    return LinkFacts(
        refused=_refused((*before.refused, *since.refused)),
        counts=LinkCounts(
            admitted=before.counts.admitted + since.counts.admitted,
            ended=before.counts.ended + since.counts.ended,
            strangers=_strangers((*before.counts.strangers, *since.counts.strangers)),
            dropped=before.counts.dropped + since.counts.dropped,
            crowded_out=before.counts.crowded_out + since.counts.crowded_out,
        ),
    )


def _refused(counts: Iterable[RefusedCount]) -> tuple[RefusedCount, ...]:
    """One of each sender and kind, the most frequent first."""
    found: Counter[tuple[str, str]] = Counter()
    kinds = {}
    for one in counts:
        found[one.sender, one.kind.value] += one.count
        kinds[one.kind.value] = one.kind
    rows = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return tuple(RefusedCount(kinds[kind], sender, count) for (sender, kind), count in rows)


def _strangers(counts: Iterable[StrangerCount]) -> tuple[StrangerCount, ...]:
    found: Counter[str] = Counter()
    for one in counts:
        found[one.address] += one.count
    return tuple(StrangerCount(*item) for item in sorted(found.items(), key=lambda item: (-item[1], item[0])))
