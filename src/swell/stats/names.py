"""The run's own numbers for what workers name: each series and error text once, up to a cap and counted beyond it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from swell.result import OTHER, Series
from swell.segment import (
    ERROR_CAP,
    EXCEPTION_CAP,
    MEASURE_CAP,
    MEASURES_FROM,
    SAMPLES_PER_ERROR,
    SERIES_CAP,
    ErrorSample,
    ErrorSamples,
    ExceptionCount,
    Sort,
)
from swell.stats.journal import KeptSamples, MergeJournal, SampleOrder, SeriesError

T = TypeVar("T")

SAMPLES_CAP = SAMPLES_PER_ERROR * ERROR_CAP


class Numbered(Generic[T]):
    """What is named, in the order of its numbers: the first stands for all beyond the cap."""

    def __init__(self, other: T, cap: int, first: int = 0) -> None:
        self.listed = [other]
        self._numbers: dict[T, int] = {}
        self._cap = cap
        self._first = first

    def __repr__(self) -> str:
        return f"<Numbered, {len(self._numbers)} of {self._cap}>"

    def number(self, named: T) -> int:
        """Its number, new or known; the first one beyond the cap."""
        number = self._numbers.get(named)
        if number is None:
            if len(self._numbers) >= self._cap:
                return self._first
            number = self._numbers[named] = self._first + len(self.listed)
            self.listed.append(named)
        return number

    def restore(self, listed: Sequence[T]) -> None:
        """Give out the same numbers as the one that had listed these."""
        self.listed = list(listed)
        self._numbers = {named: number for number, named in enumerate(listed[1:], self._first + 1)}

    def check(self) -> None:
        """Raise AssertionError if a number does not lead back to its name."""
        assert all(self.listed[number - self._first] == named for named, number in self._numbers.items())
        assert len(self.listed) == len(self._numbers) + 1 <= self._cap + 1


class Names:
    """The series of calls and the error texts, numbered from 1 on; the script's own measures, from MEASURES_FROM on."""

    def __init__(self) -> None:
        self.series = Numbered(Series("", "", OTHER), SERIES_CAP)
        self.measures = Numbered(Series("", "", OTHER), MEASURE_CAP, MEASURES_FROM)
        self.errors = Numbered(OTHER, ERROR_CAP)

    def __repr__(self) -> str:
        return f"<Names: series {self.series!r}, measures {self.measures!r}, errors {self.errors!r}>"

    def series_number(self, series: Series) -> int:
        """The number of a series or of a measure, new or known; that of (other) beyond the cap."""
        return (self.series if series.sort is Sort.CALL else self.measures).number(series)

    def error_number(self, text: str) -> int:
        """The number of an error text, new or known; 0 beyond the cap."""
        return self.errors.number(text)

    @classmethod
    def restore(cls, journal: MergeJournal) -> Names:
        """The names as they were when the journal was taken."""
        restored = cls()
        restored.series.restore(journal.series)
        restored.measures.restore(journal.measures)
        restored.errors.restore(journal.errors)
        return restored

    def check(self) -> None:
        """Raise AssertionError if a number does not lead back to its name."""
        for numbered in (self.series, self.measures, self.errors):
            numbered.check()


class Exceptions:
    """Exceptions of user code, grouped by message and traceback."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}
        self.beyond = 0
        """How often one was raised that is not in the list."""

    def add(self, exception: ExceptionCount) -> None:
        """Count an exception as often as the segment says."""
        key = exception.message, exception.traceback
        if key in self._counts or len(self._counts) < EXCEPTION_CAP:
            self._counts[key] = self._counts.get(key, 0) + exception.count
        else:
            self.beyond += exception.count

    @property
    def named(self) -> tuple[tuple[str, str], ...]:
        """Message and traceback of each, in the order of their first appearance."""
        return tuple(self._counts)

    @property
    def counts(self) -> tuple[int, ...]:
        """How often each was raised, in the same order."""
        return tuple(self._counts.values())

    @classmethod
    def restore(cls, journal: MergeJournal) -> Exceptions:
        """The exceptions as they were when the journal was taken."""
        restored = cls()
        restored._counts = dict(zip(journal.exceptions, journal.state.exception_counts, strict=True))
        restored.beyond = journal.state.exceptions_beyond
        return restored

    def listed(self) -> tuple[ExceptionCount, ...]:
        """Every exception, the most frequent first."""
        rows = (ExceptionCount(message, traceback, count) for (message, traceback), count in self._counts.items())
        return tuple(sorted(rows, key=lambda row: (-row.count, row.message, row.traceback)))


class Samples:
    """What failed calls looked like: a few for each error of a series."""

    def __init__(self) -> None:
        self._kept: dict[SeriesError, KeptSamples] = {}
        self._total = 0

    def add(self, series: int, error: int, order: SampleOrder, sample: ErrorSample) -> None:
        """Keep a sample, unless there are enough earlier ones."""
        kept = self._kept.get((series, error), ())
        if len(kept) < SAMPLES_PER_ERROR and self._total >= SAMPLES_CAP:
            return
        self._total -= len(kept)
        kept = tuple(sorted([*kept, (order, sample)], key=lambda pair: pair[0])[:SAMPLES_PER_ERROR])
        self._total += len(kept)
        self._kept[series, error] = kept

    def journal(self) -> dict[SeriesError, KeptSamples]:
        """All that are kept."""
        return dict(self._kept)

    @classmethod
    def restore(cls, kept: Mapping[SeriesError, KeptSamples]) -> Samples:
        """The samples as they were when the journal was taken."""
        restored = cls()
        restored._kept, restored._total = dict(kept), sum(map(len, kept.values()))
        return restored

    def listed(self) -> tuple[ErrorSamples, ...]:
        """The samples of each error of each series."""
        return tuple(
            ErrorSamples(series, error, tuple(sample for _, sample in kept))
            for (series, error), kept in sorted(self._kept.items())
        )
