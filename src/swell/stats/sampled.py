"""The calls of one segment, each by itself, with the names that its numbers stand for."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from swell.result import Series
from swell.segment import RECORD_BYTES, Segment
from swell.stats.names import Names

if TYPE_CHECKING:
    from swell.stats.incarnation import Incarnation


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Sampled:
    """Records as in `Segment.records`; `series` and `errors` by the worker's own numbers."""

    worker: int
    incarnation: int
    records: bytes
    series: tuple[Series, ...]
    errors: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Sampled {self.rows} calls of worker {self.worker}.{self.incarnation}>"

    @property
    def rows(self) -> int:
        """How many calls there are."""
        return len(self.records) // RECORD_BYTES


def sampled(segment: Segment, incarnation: Incarnation, names: Names) -> Sampled:
    """The calls of a segment, whose names have been taken in."""
    return Sampled(
        segment.worker,
        segment.incarnation,
        segment.records,
        _named(names.series.listed, incarnation.series),
        tuple(names.errors.listed[number] for number in incarnation.errors),
    )


def _named(listed: Sequence[Series], numbers: Sequence[int]) -> tuple[Series, ...]:
    return tuple(listed[number] for number in numbers)
