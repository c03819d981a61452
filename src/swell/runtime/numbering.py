"""Gives out the worker's numbers for series, error texts and exceptions, within the caps of `segment`.

What lies beyond a cap gets number 0 and is counted. Secrets are taken out of texts, which are clipped, and made fit for
UTF-8, before they are compared: a million different URLs take no more room than a thousand.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from swell.runtime.layout import counter_index
from swell.runtime.names import Frame, KeptSample, NamedError, NamedException, NamedSeries, NamesLog
from swell.segment import (
    BEYOND,
    ERROR_CAP,
    EXCEPTION_CAP,
    MEASURE_CAP,
    MEASURES_BEYOND,
    MEASURES_FROM,
    SAMPLE_BODY_BYTES,
    SAMPLES_PER_ERROR,
    SERIES_CAP,
    ErrorSample,
    Sort,
)

NAME_LENGTH = 1_000
TRACEBACK_LENGTH = 8_000
SAMPLES_CAP = 1_000
"""Of all errors together. Samples also leave half of the names file to the names."""

_SERIES_BEYOND = counter_index("series_beyond")
_ERRORS_BEYOND = counter_index("errors_beyond")
_EXCEPTIONS_BEYOND = counter_index("exceptions_beyond")


class Numbering:
    """The tables of one worker, each entry also in the names file and, until taken, in `_fresh`."""

    __slots__ = ("_exceptions", "_fresh", "_header", "_hide", "_log", "_samples", "_samples_kept",
                 "_series_named", "error_numbers", "measure_numbers", "series_numbers")  # fmt: skip

    def __init__(self, path: Path, names_bytes: int, header: memoryview, hide: Callable[[str], str] = str) -> None:
        self._log = NamesLog(path, names_bytes)
        self._header = header
        self._hide = hide
        self.series_numbers: dict[tuple[str, ...], int] = {}
        """By scenario, method and name, and by tags where a call has some. One whose name has a secret in it is here
        under its real name too, as long as there are not too many."""
        self._series_named = 0
        self.measure_numbers: dict[tuple[Sort, str, str], int] = {}
        self.error_numbers: dict[str, int] = {}
        self._exceptions: dict[tuple[str, str], int] = {}
        self._samples: dict[tuple[int, int], int] = {}
        self._samples_kept = 0
        self._fresh: list[Frame] = []

    def __repr__(self) -> str:
        return f"<Numbering of {self._series_named} series, {len(self.error_numbers)} error texts>"

    def new_series(self, position: int, scenario: str, method: str, name: str, tags: str) -> int:
        called = (scenario, method, name, tags) if tags else (scenario, method, name)
        shown = self._shown(scenario), self._shown(method), self._shown(name)
        tags = self._shown(tags)
        key: tuple[str, ...] = (*shown, tags) if tags else shown
        if key not in self.series_numbers:
            number = self._series_named + 1
            if number > SERIES_CAP or not self._keep(NamedSeries(position, number, *shown, tags=tags)):
                self._header[_SERIES_BEYOND] += 1
                return BEYOND
            self.series_numbers[key] = self._series_named = number
        if called != key and len(name) <= NAME_LENGTH and len(self.series_numbers) < 2 * SERIES_CAP:
            self.series_numbers[called] = self.series_numbers[key]
        return self.series_numbers[key]

    def new_measure(self, position: int, sort: Sort, scenario: str, name: str) -> int:
        key = sort, self._shown(scenario), self._shown(name)
        if key not in self.measure_numbers:
            number = MEASURES_FROM + len(self.measure_numbers) + 1
            named = NamedSeries(position, number, key[1], "", key[2], sort)
            if number > MEASURES_FROM + MEASURE_CAP or not self._keep(named):
                return MEASURES_BEYOND
            self.measure_numbers[key] = number
        return self.measure_numbers[key]

    def new_error(self, position: int, text: str) -> int:
        text = self._shown(text)
        if text not in self.error_numbers:
            number = len(self.error_numbers) + 1
            if number > ERROR_CAP or not self._keep(NamedError(position, number, text)):
                self._header[_ERRORS_BEYOND] += 1
                return BEYOND
            self.error_numbers[text] = number
        return self.error_numbers[text]

    def exception(self, position: int, message: str, traceback: str) -> int:
        key = (self._shown(message), self._shown(traceback, TRACEBACK_LENGTH))
        if key not in self._exceptions:
            number = len(self._exceptions) + 1
            if number > EXCEPTION_CAP or not self._keep(NamedException(position, number, *key)):
                self._header[_EXCEPTIONS_BEYOND] += 1
                return BEYOND
            self._exceptions[key] = number
        return self._exceptions[key]

    def wants_sample(self, series: int, error: int) -> bool:
        return self._samples_kept < SAMPLES_CAP and self._samples.get((series, error), 0) < SAMPLES_PER_ERROR

    def sample(self, position: int, series: int, error: int, sample: ErrorSample) -> None:
        clipped = ErrorSample(
            status=sample.status,
            url=self._shown(sample.url),
            headers=self._shown(sample.headers, 4 * NAME_LENGTH),
            body=self._shown(sample.body, SAMPLE_BODY_BYTES),
        )
        if self._keep(KeptSample(position, series, error, clipped), keep_free=0.5):
            self._samples[series, error] = self._samples.get((series, error), 0) + 1
            self._samples_kept += 1
        else:
            self._samples_kept = SAMPLES_CAP

    def take(self, to_position: int) -> list[Frame]:
        """The frames below `to_position` that have not been taken; they are in order of position."""
        taken = [frame for frame in self._fresh if frame.position < to_position]
        del self._fresh[: len(taken)]
        return taken

    def _shown(self, text: str, length: int = NAME_LENGTH) -> str:
        return _clipped(self._hide(text), length)

    def _keep(self, frame: Frame, keep_free: float = 0.0) -> bool:
        kept = self._log.append(frame, keep_free)
        if kept:
            self._fresh.append(frame)
        return kept

    def close(self) -> None:
        """Unmap the names file."""
        self._log.close()


def _clipped(text: str, length: int) -> str:
    if len(text) > length:
        text = text[: length - 1] + "…"
    return text.encode("utf-8", "replace").decode()
