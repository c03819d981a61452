"""The requests of a web server's access log over time: what arrived in each second, as far as its lines say when.

Two families of formats are told apart line by line. In the common and combined formats, and what is derived from them,
the time stands between brackets: `[10/Oct/2000:13:55:36 -0700]`. A line of JSON has it in a field, of which `FIELDS`
lists the usual names: as text (ISO 8601, or as between those brackets) or as a number since 1970, in seconds, milli-,
micro- or nanoseconds by its magnitude. Lines need not be in order. A time without a zone is taken for UTC.

Requests are counted by the second. A log that spans more than `MOST_BINS` seconds is counted in wider bins, so that the
curve keeps a bounded number of legs; what is counted is never lost by that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from itertools import groupby
from math import isfinite

import msgspec

from swell.load.exact import exact
from swell.load_plan import Curve, Leg

MOST_BINS = 3_600
MOST_SECONDS_APART = 65_536
"""So many are counted one by one before they are taken together."""
FIELDS = (
    *("time_iso8601", "msec", "@timestamp", "timestamp", "ts", "time_local", "time", "datetime", "date"),
    *("start_time", "StartUTC", "StartLocal", "requestReceivedAt"),
)
SHOWN_LINE = 100

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BRACKETED = re.compile(
    r"\[?(\d{2})/([A-Z][a-z]{2})/(\d{4}):(\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})? ([+-])(\d{2})(\d{2})\]?", re.ASCII
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", re.ASCII)
_NUMBER = re.compile(r"\d{1,19}(?:\.\d{1,9})?", re.ASCII)
_SECONDS_OF = ((10**17, 10**9), (10**14, 10**6), (10**11, 10**3))
"""From this magnitude on, so many make a second."""
_LAST_S = 10**10


@dataclass(frozen=True, slots=True)
class AccessLog:
    """The requests of a log: `counts` of bins of `bin_s` seconds, the first of which has one, and so has the last."""

    counts: tuple[int, ...]
    bin_s: int
    from_s: int
    """When the first bin begins, in seconds since 1970."""
    unparsed: int = 0
    """Lines that say no time."""
    first_unparsed: tuple[int, str] | None = None
    """The number of the first of them, from 1 on, and its text."""

    @property
    def requests(self) -> int:
        return sum(self.counts)

    def curve(self, scale: float = 1.0, speed: float = 1.0) -> Curve:
        """Its arrivals per second: `scale` times as many, in a time that is `speed` times as short."""
        times, faster = exact(scale), exact(speed)
        legs = []
        for count, bins in groupby(self.counts):
            duration_s = float(len(list(bins)) * self.bin_s / faster)
            rate = float(Fraction(count, self.bin_s) * times * faster)
            legs.append(Leg(duration_s, rate, rate))
        return Curve(tuple(legs))


class _Bins:
    """Counts by the second, or by more of them where there are too many."""

    def __init__(self) -> None:
        self.width_s = 1
        self.counts: Counter[int] = Counter()

    def add(self, second: int) -> None:
        self.counts[second // self.width_s] += 1
        if len(self.counts) > MOST_SECONDS_APART:
            self._widen()

    def _widen(self) -> None:
        self.width_s *= 2
        wider: Counter[int] = Counter()
        for number, count in self.counts.items():
            wider[number // 2] += count
        self.counts = wider

    def listed(self) -> tuple[int, int, tuple[int, ...]]:
        """Where the first bin begins, how wide they are, and their counts."""
        if not self.counts:
            return 0, 1, ()
        first, last = min(self.counts), max(self.counts)
        together = -(-(last - first + 1) // MOST_BINS)
        counts = [0] * ((last - first) // together + 1)
        for number, count in self.counts.items():
            counts[(number - first) // together] += count
        return first * self.width_s, together * self.width_s, tuple(counts)


def read_log(lines: Iterable[bytes]) -> AccessLog:
    """Count what a log says. Empty lines say nothing; those that have no time are counted."""
    bins, clock = _Bins(), _Times()
    unparsed, first_unparsed = 0, None
    for number, line in enumerate(lines, 1):
        second = clock.second_of(line)
        if second is not None:
            bins.add(second)
        elif line.strip():
            unparsed += 1
            first_unparsed = first_unparsed or (number, _shown(line))
    from_s, bin_s, counts = bins.listed()
    return AccessLog(counts, bin_s, from_s, unparsed, first_unparsed)


class _Times:
    """Reads the time of a line. Most have that of the line before, which need not be read twice."""

    def __init__(self) -> None:
        self._last_text = b"\n"
        self._last_s: int | None = None
        self._decode = msgspec.json.Decoder(dict[str, object]).decode

    def second_of(self, line: bytes) -> int | None:
        """The second that a line is of, since 1970; None where it says none."""
        if line[:1] == b"{":
            return self._of_json(line)
        at = line.find(b"[")
        if at < 0:
            return None
        if line.startswith(self._last_text, at):
            return self._last_s
        found = _BRACKETED.search(line[at : at + 1_000].decode("latin-1"))
        second = _second_of_match(found) if found else None
        if second is not None and found and found.start() == 0:
            self._last_text, self._last_s = line[at : at + found.end()], second
        return second

    def _of_json(self, line: bytes) -> int | None:
        try:
            fields = self._decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return next(
            (second for name in FIELDS if name in fields and (second := second_of_value(fields[name])) is not None),
            None,
        )


def second_of_value(value: object) -> int | None:
    """The second since 1970 that the value of a field stands for."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _second_of_number(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return _second_of_number(float(text))
    if found := _BRACKETED.fullmatch(text):
        return _second_of_match(found)
    if not _ISO.match(text):
        return None
    try:
        instant = datetime.fromisoformat(text)
        return int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() // 1)
    except (ValueError, OverflowError):
        return None


def _second_of_number(number: float) -> int | None:
    if not isfinite(number) or number < 0:
        return None
    per_s = next((per_s for least, per_s in _SECONDS_OF if number >= least), 1)
    second = int(number // per_s)
    return second if second < _LAST_S else None


def _second_of_match(found: re.Match[str]) -> int | None:
    day, month, year, hour, minute, second, sign, zone_h, zone_min = found.groups()
    zone = timedelta(hours=int(zone_h), minutes=int(zone_min))
    try:
        at = datetime(
            *(int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second)),
            tzinfo=timezone(-zone if sign == "-" else zone),
        )
        return int(at.timestamp())
    except (ValueError, OverflowError):
        return None


def _shown(line: bytes) -> str:
    text = line[: SHOWN_LINE + 1].decode(errors="replace").strip()
    return text if len(text) <= SHOWN_LINE else text[: SHOWN_LINE - 1] + "…"
