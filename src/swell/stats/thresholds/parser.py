"""Reads a threshold.

threshold  = [ selector ":" ] metric comparison limit { clause }
selector   = "transaction" name | name | [ name ] tags
                                               a scenario, `METHOD name` or a name; unquoted up to " [" or the last ": "
tags       = "[" KEY "=" VALUE { "," KEY "=" VALUE } "]"          either between quotes, where need be (`tags.py`)
metric     = [ duration ] statistic | count | check | own
duration   = "response" | "service" | "failed" | "all" | "lag" | "connect" | "first_byte"
statistic  = "p" PERCENT | "mean" | "min" | "max"
count      = "errors" | "rps" | "failures_per_s" | "requests" | "failures"
           | "users" | "dropped" | "missed" | "iterations"
           | "exceptions"                                         of the whole run alone: there is no selector then
check      = ( "check" | "rate" | "counter" | "gauge" ) name
own        = ( "trend" name statistic ) | ( "gauge" name ( "min" | "max" ) )
comparison = "<" | "<=" | ">" | ">=" | "==" | "!="
limit      = NUMBER UNIT | NUMBER "%" "of" "baseline"
clause     = "over" SECONDS | "after" SECONDS | "abort"           each once, in any order
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Iterable

from swell.segment import Sort as SeriesSort
from swell.stats.thresholds.expression import (
    DURATIONS,
    OF_SCENARIOS,
    RUNNING_TOTALS,
    TRANSACTION,
    UNITS,
    Comparison,
    Dimension,
    Duration,
    Figure,
    Limit,
    Measure,
    Metric,
    Selector,
    Threshold,
)
from swell.stats.thresholds.tags import Tags, TagsFault, read_tags
from swell.stats.thresholds.words import LONGEST, Sort, ThresholdFault, Word, words_of

MOST_AMOUNT = 1e15
LONGEST_WINDOW_S = 3_600
LONGEST_AFTER_S = 365 * 86_400
OWN_SORTS = {
    sort.name.lower(): sort
    for sort in (SeriesSort.CHECK, SeriesSort.RATE, SeriesSort.COUNTER, SeriesSort.GAUGE, SeriesSort.TREND)
}
DURATION_WORDS = {duration.value: duration for duration in Duration}
STATISTICS = {figure.value: figure for figure in (Figure.MEAN, Figure.MIN, Figure.MAX)}
COUNTS = {
    figure.value: figure
    for figure in (
        *(Figure.ERRORS, Figure.RPS, Figure.FAILURES_PER_S, Figure.REQUESTS, Figure.FAILURES),
        *(Figure.USERS, Figure.DROPPED, Figure.MISSED, Figure.ITERATIONS, Figure.EXCEPTIONS),
    )
}
CLAUSES = ("over", "after", "abort")
KNOWN_METRICS = ("p95", *STATISTICS, *COUNTS, *DURATION_WORDS, *OWN_SORTS)
OF_TRANSACTIONS = (*DURATIONS, Figure.ERRORS, Figure.RPS, Figure.FAILURES_PER_S, Figure.REQUESTS, Figure.FAILURES)
DURATIONS_OF_TRANSACTIONS = (Duration.RESPONSE, Duration.FAILED, Duration.ALL)
EXAMPLES = {
    Dimension.DURATION: "is a duration: give it a unit, for example 300ms",
    Dimension.SHARE: "is a share: write it in percent, for example 1%",
    Dimension.RATE: "is a rate: write it per second, for example 100/s",
    Dimension.COUNT: "is a count, which has no unit",
    Dimension.VALUE: "is in a unit of its own: give the bare number",
}

QUANTILE = re.compile(r"p(\d{1,3}(?:\.\d{1,12})?)", re.ASCII)
QUANTITY = re.compile(r"([+-]?(?:\d+(?:_\d+)*(?:\.\d*)?|\.\d+))(.*)", re.ASCII | re.DOTALL)
TIME = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s?)?", re.ASCII)


def parse(expression: str) -> Threshold:
    """The threshold that an expression is. Raises ThresholdFault, whose text points at what is wrong."""
    if not expression.strip():
        raise ThresholdFault("an empty expression: write for example `p95 < 300ms`", "", 0)
    if len(expression) > LONGEST:
        raise ThresholdFault(
            f"an expression has at most {LONGEST:,} characters, not {len(expression):,}", expression, 0
        )
    return _Reader(expression).threshold()


@dataclasses.dataclass(slots=True)
class _Clauses:
    over_s: int | None = None
    after_s: int = 0
    abort: bool = False
    given: list[str] = dataclasses.field(default_factory=list)


class _Reader:
    """One pass over the words of an expression."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._words = words_of(expression)
        self._place = 0

    def threshold(self) -> Threshold:
        selector = self._selector()
        first = self._word
        metric = self._metric(selector)
        if selector and selector.tags and (metric.measure or metric.figure in OF_SCENARIOS):
            raise self._fault(f"only calls have tags, and `{metric}` is not of calls", first)
        metric_words = self._words[self._words.index(first) : self._place]
        comparison = self._comparison(metric)
        metric, limit = self._limit(metric)
        clauses = self._clauses(metric, metric_words)
        return Threshold(metric, comparison, limit, selector, clauses.over_s, clauses.after_s, clauses.abort)

    # --- the words ---------------------------------------------------------------------------------------------------

    @property
    def _word(self) -> Word:
        return self._words[self._place]

    def _next(self) -> Word:
        word = self._word
        self._place = min(self._place + 1, len(self._words) - 1)
        return word

    def _fault(self, what: str, word: Word, last: Word | None = None) -> ThresholdFault:
        return ThresholdFault(what, self._expression, word.at, (last or word).end - word.at)

    # --- selector ----------------------------------------------------------------------------------------------------

    def _selector(self) -> Selector | None:
        """What stands before the last colon that is in no string."""
        colons = [place for place, word in enumerate(self._words) if word.sort is Sort.COLON]
        if not colons:
            return None
        chosen, colon = self._words[: colons[-1]], self._words[colons[-1]]
        self._place = colons[-1] + 1
        if not chosen:
            raise self._fault("a name is missing before the colon", colon)
        if chosen[0].sort is Sort.OTHER and chosen[0].text == '"':
            raise self._fault("this quote is not closed", chosen[0])
        transaction = len(chosen) > 1 and chosen[0].sort is Sort.WORD and chosen[0].text == TRANSACTION
        chosen = chosen[1:] if transaction else chosen
        place = next((place for place, word in enumerate(chosen) if self._opens_tags(word)), None)
        if place is None:
            return Selector(self._name(chosen, colon.at), transaction)
        if transaction:
            raise self._fault("only calls have tags, and no transaction does", chosen[place])
        bracket = chosen[place]
        return Selector(self._name(chosen[:place], bracket.at), tags=self._tags(bracket.at, colon.at))

    def _opens_tags(self, word: Word) -> bool:
        """A bracket where a word begins; one inside a word, as in `/posts/[id]`, is a character like any other."""
        begins = word.at == 0 or self._expression[word.at - 1].isspace()
        return begins and word.sort is Sort.WORD and word.text.startswith("[")

    def _name(self, chosen: list[Word], end: int) -> str:
        if not chosen:
            return ""
        if chosen[-1].sort is not Sort.STRING:
            return self._expression[chosen[0].at : end].rstrip()
        before = self._expression[chosen[0].at : chosen[-1].at].rstrip()
        return f"{before} {chosen[-1].text}" if before else chosen[-1].text  # GET "/a: b"

    def _tags(self, at: int, end: int) -> Tags:
        try:
            return read_tags(self._expression[at:end].rstrip())
        except TagsFault as fault:
            raise ThresholdFault(fault.what, self._expression, at + fault.at, fault.length) from fault

    # --- metric ------------------------------------------------------------------------------------------------------

    def _metric(self, selector: Selector | None) -> Metric:
        word = self._next()
        if word.sort is not Sort.WORD:
            raise self._fault("a metric is missing here, for example p95", word)
        if word.text in OWN_SORTS:
            return self._measure(word, selector)
        metric = self._figure(word)
        if selector and metric.figure is Figure.EXCEPTIONS:
            raise self._fault("exceptions are counted for the whole script: leave the name before the colon out", word)
        if selector and selector.transaction:
            if metric.figure not in OF_TRANSACTIONS:
                raise self._fault(f"a transaction has no {word.text}", word)
            if metric.duration not in DURATIONS_OF_TRANSACTIONS:
                raise self._fault(f"a transaction has no {metric.duration.value} time: response, failed or all", word)
        return metric

    def _figure(self, word: Word) -> Metric:
        if word.text in COUNTS:
            return Metric(COUNTS[word.text])
        if word.text in DURATION_WORDS:
            return self._statistic(self._next(), DURATION_WORDS[word.text], behind=word)
        return self._statistic(word, Duration.RESPONSE)

    def _statistic(self, word: Word, duration: Duration, *, behind: Word | None = None) -> Metric:
        if word.sort is Sort.WORD and word.text in STATISTICS:
            return Metric(STATISTICS[word.text], duration=duration)
        if word.sort is Sort.WORD and (found := QUANTILE.fullmatch(word.text)):
            percent = float(found[1])
            if 0 < percent < 100:
                return Metric(Figure.QUANTILE, percent, duration)
            raise self._fault("a percentile lies between 0 and 100; `min` and `max` are the ends", word)
        if behind is not None:
            raise self._fault(f"behind `{behind.text}` comes p50, p95, ... or mean, min, max", word)
        raise self._fault(f"{_shown(word)} is no metric{_likely(word.text, KNOWN_METRICS)}", word)

    def _measure(self, word: Word, selector: Selector | None) -> Metric:
        if selector and selector.transaction:
            raise self._fault(f"a transaction has no {word.text}", word)
        name = self._next()
        if name.sort not in (Sort.STRING, Sort.WORD):
            raise self._fault(f'the name of the {word.text} is missing here: {word.text} "its name"', name)
        sort = OWN_SORTS[word.text]
        measure = Measure(sort, name.text)
        if sort in (SeriesSort.CHECK, SeriesSort.RATE):
            return Metric(Figure.PASSED, measure=measure)
        if sort is SeriesSort.COUNTER:
            return Metric(Figure.SUM, measure=measure)
        if sort is SeriesSort.GAUGE and self._word.sort is Sort.OPERATOR:
            return Metric(Figure.LAST, measure=measure)
        statistic = self._statistic(self._next(), Duration.RESPONSE, behind=name)
        if sort is SeriesSort.GAUGE and statistic.figure not in (Figure.MIN, Figure.MAX):
            raise self._fault("a gauge has min, max and its last value; for more make it a trend", name)
        return dataclasses.replace(statistic, measure=measure)

    # --- comparison and limit ----------------------------------------------------------------------------------------

    def _comparison(self, metric: Metric) -> Comparison:
        word = self._next()
        if word.sort is Sort.OPERATOR and word.text != "=":
            return Comparison(word.text)
        hint = "; equality is ==" if word.text == "=" else ""
        raise self._fault(f"a comparison is missing behind `{metric}`: < <= > >= == !={hint}", word)

    def _limit(self, metric: Metric) -> tuple[Metric, Limit]:
        """The limit; and the metric, since the unit says whether a counter's sum or its rate is meant."""
        word = self._next()
        found = QUANTITY.fullmatch(word.text) if word.sort is Sort.AMOUNT else None
        if not found:
            raise self._fault(f"a limit is missing here: {metric} {EXAMPLES[metric.dimension]}", word)
        amount, unit, last = float(found[1].replace("_", "")), found[2], word
        if not unit and self._word.sort is Sort.WORD and self._word.text not in CLAUSES:
            last = self._next()
            unit = last.text
        if abs(amount) > MOST_AMOUNT:
            raise self._fault("no limit is as large as that", word)
        if unit == "%" and self._word.text == "of":
            return metric, self._of_baseline(amount, word)
        if metric.figure is Figure.SUM and unit in UNITS[Dimension.RATE]:
            metric = dataclasses.replace(metric, figure=Figure.SUM_PER_S)
        if unit not in UNITS[metric.dimension]:
            what = f"{unit!r} is no unit of it: " if unit else ""
            raise self._fault(f"{what}{metric} {EXAMPLES[metric.dimension]}", word, last)
        if amount < 0 and metric.dimension is not Dimension.VALUE:
            raise self._fault(f"{metric} is never below 0", word, last)
        return metric, Limit(amount, unit)

    def _of_baseline(self, amount: float, word: Word) -> Limit:
        self._next()
        baseline = self._next()
        if baseline.text != "baseline":
            raise self._fault("only a `% of baseline` is known", baseline)
        if amount < 0:
            raise self._fault("no share of the baseline is below 0", word)
        return Limit(amount, of_baseline=True)

    # --- clauses -----------------------------------------------------------------------------------------------------

    def _clauses(self, metric: Metric, metric_words: list[Word]) -> _Clauses:
        found = _Clauses()
        while (word := self._next()).sort is not Sort.END:
            if word.sort is not Sort.WORD or word.text not in CLAUSES:
                what = f"{_shown(word)} is out of place: `over 30s`, `after 1m` or `abort` can follow"
                raise self._fault(what + _likely(word.text, CLAUSES), word)
            if word.text in found.given:
                raise self._fault(f"`{word.text}` is there twice", word)
            found.given.append(word.text)
            if word.text == "abort":
                found.abort = True
                continue
            if metric.figure in RUNNING_TOTALS:
                raise self._fault(f"`{metric}` is known of the whole run only: no `{word.text}`", *_ends(metric_words))
            if word.text == "over":
                found.over_s = self._seconds("over", 1, LONGEST_WINDOW_S)
            else:
                found.after_s = self._seconds("after", 0, LONGEST_AFTER_S)
        return found

    def _seconds(self, clause: str, least: int, most: int) -> int:
        word = self._next()
        matched = TIME.fullmatch(word.text) if word.sort is Sort.AMOUNT else None
        if not matched:
            raise self._fault(f"behind `{clause}` comes a time in whole seconds, for example 30s or 1m30s", word)
        hours, minutes, seconds = (int(part or 0) for part in matched.groups())
        found_s = hours * 3_600 + minutes * 60 + seconds
        if not least <= found_s <= most:
            raise self._fault(f"`{clause}` takes from {least} s to {most:,} s", word)
        return found_s


def _ends(words: list[Word]) -> tuple[Word, Word]:
    return words[0], words[-1]


def _shown(word: Word) -> str:
    if word.sort is Sort.END:
        return "the end"
    text = word.text if len(word.text) <= 40 else word.text[:39] + "…"
    return f"`{''.join(character if character.isprintable() else '?' for character in text)}`"


def _likely(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word.lower(), known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
