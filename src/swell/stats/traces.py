"""Which traces are worth keeping: of each series the slowest calls, and of each of its errors the first ones."""

from __future__ import annotations

from collections.abc import Iterable

from swell.segment import TraceSeen

KEPT = 3
"""So many slowest calls of each series, and so many failed ones of each of its errors."""
GROUPS_CAP = 2_000
"""So many series, and errors of series, have traces of their own."""

Group = tuple[int, int, bool]
"""Series, error, whether it failed."""


class KeptTraces:
    """The traces kept so far. Whatever the order in which they come, the same are kept."""

    def __init__(self, kept: Iterable[TraceSeen] = ()) -> None:
        self._groups: dict[Group, list[TraceSeen]] = {}
        for seen in kept:
            self.add(seen)

    def __repr__(self) -> str:
        return f"<KeptTraces of {len(self._groups)} groups>"

    def add(self, seen: TraceSeen) -> None:
        """Keep a trace, if it is one of the slowest of its series or of the first of its error."""
        group = seen.series, seen.error if seen.failed else 0, seen.failed
        kept = self._groups.get(group)
        if kept is None:
            if len(self._groups) >= GROUPS_CAP:
                return
            kept = self._groups[group] = []
        kept.append(seen)
        kept.sort(key=_order)
        del kept[KEPT:]

    def listed(self) -> tuple[TraceSeen, ...]:
        """All that are kept: by series, the slowest before those that failed."""
        return tuple(seen for _, kept in sorted(self._groups.items(), key=_group_order) for seen in kept)


def _order(seen: TraceSeen) -> tuple[float, str]:
    return (seen.at_s if seen.failed else -float(seen.response_ns)), seen.trace_id


def _group_order(item: tuple[Group, list[TraceSeen]]) -> tuple[int, bool, int]:
    series, error, failed = item[0]
    return series, failed, error
