"""The run's own numbers for what workers name: each series and error text once, up to a cap and counted beyond it."""

from __future__ import annotations

from swell.result import OTHER, Series
from swell.segment import (
    BEYOND,
    ERROR_CAP,
    EXCEPTION_CAP,
    SAMPLES_PER_ERROR,
    SERIES_CAP,
    ErrorSample,
    ErrorSamples,
    ExceptionCount,
)

SAMPLES_CAP = SAMPLES_PER_ERROR * ERROR_CAP

SampleOrder = tuple[int, int, int, int]
"""Worker, incarnation, sequence and place of a sample: the least are kept, in whatever order they arrive."""


class Names:
    """Gives out numbers from 1 on; 0 is (other)."""

    def __init__(self) -> None:
        self.series = [Series("", "", OTHER)]
        self.errors = [OTHER]
        self._series_numbers: dict[Series, int] = {}
        self._error_numbers: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<Names of {len(self._series_numbers)} series and {len(self._error_numbers)} errors>"

    def series_number(self, series: Series) -> int:
        """The number of a series, new or known; 0 beyond the cap."""
        number = self._series_numbers.get(series)
        if number is None:
            if len(self._series_numbers) >= SERIES_CAP:
                return BEYOND
            number = self._series_numbers[series] = len(self.series)
            self.series.append(series)
        return number

    def error_number(self, text: str) -> int:
        """The number of an error text, new or known; 0 beyond the cap."""
        number = self._error_numbers.get(text)
        if number is None:
            if len(self._error_numbers) >= ERROR_CAP:
                return BEYOND
            number = self._error_numbers[text] = len(self.errors)
            self.errors.append(text)
        return number

    def check(self) -> None:
        """Raise AssertionError if a number does not lead back to its name."""
        assert all(self.series[number] == series for series, number in self._series_numbers.items())
        assert all(self.errors[number] == text for text, number in self._error_numbers.items())
        assert len(self.series) == len(self._series_numbers) + 1 <= SERIES_CAP + 1
        assert len(self.errors) == len(self._error_numbers) + 1 <= ERROR_CAP + 1


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

    def listed(self) -> tuple[ExceptionCount, ...]:
        """Every exception, the most frequent first."""
        rows = (ExceptionCount(message, traceback, count) for (message, traceback), count in self._counts.items())
        return tuple(sorted(rows, key=lambda row: (-row.count, row.message, row.traceback)))


class Samples:
    """What failed calls looked like: a few for each error of a series."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], list[tuple[SampleOrder, ErrorSample]]] = {}
        self._total = 0

    def add(self, series: int, error: int, order: SampleOrder, sample: ErrorSample) -> None:
        """Keep a sample, unless there are enough earlier ones."""
        kept = self._kept.get((series, error), [])
        if len(kept) < SAMPLES_PER_ERROR and self._total >= SAMPLES_CAP:
            return
        self._total -= len(kept)
        kept = sorted([*kept, (order, sample)], key=lambda pair: pair[0])[:SAMPLES_PER_ERROR]
        self._total += len(kept)
        self._kept[series, error] = kept

    def listed(self) -> tuple[ErrorSamples, ...]:
        """The samples of each error of each series."""
        return tuple(
            ErrorSamples(series, error, tuple(sample for _, sample in kept))
            for (series, error), kept in sorted(self._kept.items())
        )
