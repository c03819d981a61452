"""What workers send, as tables with the run's own numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from swell.errors import LinkError
from swell.segment import BUCKET_BITS, KIND_BITS, MEASURES_FROM, TALLY_SERIES_SHIFT, SecondBlock
from swell.stats.packed import BYTES, GAUGES, HIST, SUMS, TALLY, U32, U64, Keys, Table, Tables

SERIES_SHIFT = KIND_BITS + BUCKET_BITS
TALLY_STATUS_SHIFT, TALLY_ERROR_SHIFT = 24, 4
STATUS_MASK = (1 << (TALLY_SERIES_SHIFT - TALLY_STATUS_SHIFT)) - 1
ERROR_MASK = (1 << (TALLY_STATUS_SHIFT - TALLY_ERROR_SHIFT)) - 1
OUTCOME_MASK = (1 << TALLY_ERROR_SHIFT) - 1
TALLY_REST_MASK = STATUS_MASK << TALLY_STATUS_SHIFT | OUTCOME_MASK
LAST_SECOND = (1 << 31) - 1

Numbers = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class Numbering:
    """From a worker's numbers to the run's. The last place of each array stands for every number not yet named."""

    series: Numbers
    errors: Numbers


def numbering(series: Sequence[int], errors: Sequence[int], measures: Sequence[int] = ()) -> Numbering:
    """The numbering that maps number i to series[i], errors[i], and any other to 0, which is (other); MEASURES_FROM + i
    to measures[i]. `Lookup` sees to measures that are not named."""
    named = [*series, 0]
    if len(measures) > 1:
        named += [0] * (MEASURES_FROM - len(named)) + [*measures, 0]
    return Numbering(np.array(named, dtype=np.int64), np.array([*errors, 0], dtype=np.int64))


def check_second(block: SecondBlock) -> None:
    """Raise LinkError where a worker's block is of no second or its arrays do not fit together."""
    if not 0 <= block.second <= LAST_SECOND:
        raise LinkError(f"{block.second} is no second of a run")
    if (
        len(block.hist_keys) == len(block.hist_counts)
        and len(block.sum_keys) * 6 == len(block.sums)
        and len(block.tally_keys) == len(block.tally_counts) * 2
        and len(block.byte_keys) * 4 == len(block.byte_sums)
        and len(block.gauge_keys) * 8 == len(block.gauges)
        and not (len(block.hist_keys) | len(block.sum_keys) | len(block.byte_keys) | len(block.gauge_keys)) % 4
        and not len(block.tally_keys) % 8
    ):
        return
    raise LinkError(f"the arrays of second {block.second} do not fit together")


def read(reports: Sequence[tuple[SecondBlock, Numbering]]) -> Tables:
    """What workers sent, one after another, not yet added up. `check_second` has found each sound.

    One call for many blocks, since numpy costs a microsecond a call and most arrays are short.
    """
    blocks = [block for block, _ in reports]
    series = Lookup([numbers.series for _, numbers in reports])
    errors = Lookup([numbers.errors for _, numbers in reports])
    return Tables(
        Table(
            HIST,
            _with_series([block.hist_keys for block in blocks], SERIES_SHIFT, series),
            (_joined(U32, [block.hist_counts for block in blocks]),),
        ),
        Table(
            SUMS,
            _with_series([block.sum_keys for block in blocks], KIND_BITS, series),
            _joined_rows(3, [block.sums for block in blocks]),
        ),
        Table(
            TALLY,
            _tally_keys([block.tally_keys for block in blocks], series, errors),
            (_joined(U32, [block.tally_counts for block in blocks]),),
        ),
        Table(
            BYTES,
            _with_series([block.byte_keys for block in blocks], 0, series),
            _joined_rows(2, [block.byte_sums for block in blocks]),
        ),
        Table(
            GAUGES,
            _with_series([block.gauge_keys for block in blocks], 0, series),
            _joined_rows(4, [block.gauges for block in blocks]),
        ),
    )


class Lookup:
    """The numberings of many blocks in one array, so that many keys are looked up at once."""

    def __init__(self, numberings: Sequence[Numbers]) -> None:
        lengths = np.array([len(numbers) for numbers in numberings])
        self._numbers = np.concatenate(numberings)
        self._lasts = lengths - 1
        self._starts = np.cumsum(lengths) - lengths

    def find(self, local: Numbers, counts: Sequence[int]) -> Numbers:
        """The run's numbers of a worker's: the first `counts[0]` belong to the first block, and so on."""
        places = np.minimum(local, np.repeat(self._lasts, counts))
        places += np.repeat(self._starts, counts)
        found: Numbers = self._numbers.take(places, mode="clip")
        return found

    def find_series(self, local: Numbers, counts: Sequence[int]) -> Numbers:
        """The same for series: a measure that is not named becomes one beyond the cap, not a call."""
        found = self.find(local, counts)
        if local.max(initial=0) >= MEASURES_FROM:
            found = np.maximum(found, np.where(local >= MEASURES_FROM, MEASURES_FROM, 0))
        return found


def _with_series(parts: Sequence[bytes], shift: int, series: Lookup) -> Keys:
    keys = _joined(U32, parts)
    found = series.find_series((keys >> shift).astype(np.int64), [len(part) // 4 for part in parts])
    return (found << shift | keys & ((1 << shift) - 1)).astype(np.uint32)


def _tally_keys(parts: Sequence[bytes], series: Lookup, errors: Lookup) -> Keys:
    keys = _joined(U64, parts).astype(np.int64)
    counts = [len(part) // 8 for part in parts]
    found = series.find_series(keys >> TALLY_SERIES_SHIFT, counts) << TALLY_SERIES_SHIFT
    found |= errors.find(keys >> TALLY_ERROR_SHIFT & ERROR_MASK, counts) << TALLY_ERROR_SHIFT
    found |= keys & TALLY_REST_MASK
    return found.astype(np.uint64)


def _joined(value_type: np.dtype[np.unsignedinteger], parts: Sequence[bytes]) -> Keys:
    values: Keys = np.frombuffer(b"".join(parts), dtype=value_type)
    return values


def _joined_rows(rows: int, parts: Sequence[bytes]) -> tuple[Keys, ...]:
    lengths = [len(part) // rows for part in parts]
    return tuple(
        _joined(U64, [part[row * size : (row + 1) * size] for part, size in zip(parts, lengths, strict=True)])
        for row in range(rows)
    )
