"""The grammar of thresholds: what can be written, what it means, and where a fault points."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.segment import Sort
from swell.stats.thresholds.expression import Comparison, Duration, Figure, Limit, Measure, Metric, Selector, Threshold
from swell.stats.thresholds.parser import parse
from swell.stats.thresholds.tags import Tags
from swell.stats.thresholds.words import LONGEST, ThresholdFault
from tests.stats.thresholds.strategies import thresholds

LESS, MORE = Comparison.LESS, Comparison.MORE
P95 = Metric(Figure.QUANTILE, 95.0)
SECOND = Limit(1.0, "s")


def p95_of(text: str, *, transaction: bool = False) -> Threshold:
    return Threshold(P95, LESS, SECOND, Selector(text, transaction))


def p95_with(text: str, **tags: str) -> Threshold:
    return Threshold(P95, LESS, SECOND, Selector(text, tags=Tags(tuple(tags.items()))))


def own(sort: Sort, name: str, figure: Figure, percent: float = 0.0) -> Metric:
    return Metric(figure, percent, measure=Measure(sort, name))


MEANINGS = {
    "p95 < 300ms": Threshold(P95, LESS, Limit(300.0, "ms")),
    "p95<300ms": Threshold(P95, LESS, Limit(300.0, "ms")),
    "p95 < 1_000 us": Threshold(P95, LESS, Limit(1_000.0, "us")),
    "errors < 1%": Threshold(Metric(Figure.ERRORS), LESS, Limit(1.0, "%")),
    "errors <= .5 %": Threshold(Metric(Figure.ERRORS), Comparison.AT_MOST, Limit(0.5, "%")),
    "dropped == 0": Threshold(Metric(Figure.DROPPED), Comparison.EQUAL, Limit(0.0)),
    "missed != 0 abort": Threshold(Metric(Figure.MISSED), Comparison.UNEQUAL, Limit(0.0), abort=True),
    "users >= 100": Threshold(Metric(Figure.USERS), Comparison.AT_LEAST, Limit(100.0)),
    "service p95 < 1s": Threshold(Metric(Figure.QUANTILE, 95.0, Duration.SERVICE), LESS, SECOND),
    "all max < 1s": Threshold(Metric(Figure.MAX, duration=Duration.ALL), LESS, SECOND),
    "first_byte p99.99 < 1s": Threshold(Metric(Figure.QUANTILE, 99.99, Duration.FIRST_BYTE), LESS, SECOND),
    "mean < 2m": Threshold(Metric(Figure.MEAN), LESS, Limit(2.0, "m")),
    "Contestant: rps > 100/s": Threshold(Metric(Figure.RPS), MORE, Limit(100.0, "/s"), Selector("Contestant")),
    "GET /a: p95 < 1s": p95_of("GET /a"),
    "GET /a:b/:c: p95 < 1s": p95_of("GET /a:b/:c"),
    "Contestant: GET /a: p95 < 1s": p95_of("Contestant: GET /a"),
    '"GET /a: b": p95 < 1s': p95_of("GET /a: b"),
    '"GET /a: b":p95 < 1s': p95_of("GET /a: b"),
    'GET "/a: b": p95 < 1s': p95_of("GET /a: b"),
    'GET /a"b: p95 < 1s': p95_of('GET /a"b'),
    r'"a \"b\" \\": p95 < 1s': p95_of('a "b" \\'),
    "GET  /two  spaces : p95 < 1s": p95_of("GET  /two  spaces"),
    "GET /a<b: p95 < 1s": p95_of("GET /a<b"),
    "transaction check out: p95 < 1s": p95_of("check out", transaction=True),
    'transaction "a: b": p95 < 1s': p95_of("a: b", transaction=True),
    '"transaction x": p95 < 1s': p95_of("transaction x"),
    "transaction: p95 < 1s": p95_of("transaction"),
    "[page=x]: p95 < 1s": p95_with("", page="x"),
    "GET /a [page=x]: p95 < 1s": p95_with("GET /a", page="x"),
    "Contestant [ page = x , user=a b ]: p95 < 1s": p95_with("Contestant", page="x", user="a b"),
    'GET "/a: b" [page="x: y]",user=]: p95 < 1s': p95_with("GET /a: b", page="x: y]", user=""),
    "GET /posts/[id]: p95 < 1s": p95_of("GET /posts/[id]"),
    "GET /posts/[id] [page=x]: p95 < 1s": p95_with("GET /posts/[id]", page="x"),
    '"GET /a [page=x]": p95 < 1s': p95_of("GET /a [page=x]"),
    "p95 < 1s over 30s": Threshold(P95, LESS, SECOND, over_s=30),
    "p95 < 1s over 30": Threshold(P95, LESS, SECOND, over_s=30),
    "p95 < 1s abort after 1m30s over 1h": Threshold(P95, LESS, SECOND, over_s=3_600, after_s=90, abort=True),
    "p95 < 110% of baseline": Threshold(P95, LESS, Limit(110.0, of_baseline=True)),
    "errors < 110% of baseline over 10s": Threshold(
        Metric(Figure.ERRORS), LESS, Limit(110.0, of_baseline=True), over_s=10
    ),
    'check "has a title" > 99%': Threshold(own(Sort.CHECK, "has a title", Figure.PASSED), MORE, Limit(99.0, "%")),
    'Contestant: check "a: b" > 99%': Threshold(
        own(Sort.CHECK, "a: b", Figure.PASSED), MORE, Limit(99.0, "%"), Selector("Contestant")
    ),
    "rate y > 99%": Threshold(own(Sort.RATE, "y", Figure.PASSED), MORE, Limit(99.0, "%")),
    'counter "x" > 100': Threshold(own(Sort.COUNTER, "x", Figure.SUM), MORE, Limit(100.0)),
    'counter "x" > 100/m': Threshold(own(Sort.COUNTER, "x", Figure.SUM_PER_S), MORE, Limit(100.0, "/m")),
    'gauge "x" > -3.5': Threshold(own(Sort.GAUGE, "x", Figure.LAST), MORE, Limit(-3.5)),
    'gauge "x" max < 3': Threshold(own(Sort.GAUGE, "x", Figure.MAX), LESS, Limit(3.0)),
    'trend "z" p95 < 3': Threshold(own(Sort.TREND, "z", Figure.QUANTILE, 95.0), LESS, Limit(3.0)),
}


@pytest.mark.parametrize(("text", "meaning"), MEANINGS.items(), ids=MEANINGS)
def test_an_expression_means(text: str, meaning: Threshold) -> None:
    assert parse(text) == meaning


FAULTS = {
    "": "an empty expression: write for example `p95 < 300ms`",
    "p95 < 300": (
        "p95 is a duration: give it a unit, for example 300ms\n"
        "    p95 < 300\n"
        "          ^^^"
    ),
    "errors < 1": (
        "errors is a share: write it in percent, for example 1%\n"
        "    errors < 1\n"
        "             ^"
    ),
    "rps > 100 ms": (
        "'ms' is no unit of it: rps is a rate: write it per second, for example 100/s\n"
        "    rps > 100 ms\n"
        "          ^^^^^^"
    ),
    "dropped < 1%": (
        "'%' is no unit of it: dropped is a count, which has no unit\n"
        "    dropped < 1%\n"
        "              ^^"
    ),
    "p95": (
        "a comparison is missing behind `p95`: < <= > >= == !=\n"
        "    p95\n"
        "       ^"
    ),
    "p95 = 1s": (
        "a comparison is missing behind `p95`: < <= > >= == !=; equality is ==\n"
        "    p95 = 1s\n"
        "        ^"
    ),
    "P95 < 1s": (
        "`P95` is no metric; did you mean p95?\n"
        "    P95 < 1s\n"
        "    ^^^"
    ),
    "p100 < 1s": (
        "a percentile lies between 0 and 100; `min` and `max` are the ends\n"
        "    p100 < 1s\n"
        "    ^^^^"
    ),
    "service < 1s": (
        "behind `service` comes p50, p95, ... or mean, min, max\n"
        "    service < 1s\n"
        "            ^"
    ),
    ": p95 < 1s": (
        "a name is missing before the colon\n"
        "    : p95 < 1s\n"
        "    ^"
    ),
    "GET /a [b]: p95 < 1s": (
        "tags are written [key=value, ...]; a name that has such a bracket goes between quotes\n"
        "    GET /a [b]: p95 < 1s\n"
        "            ^"
    ),
    "[page=x: p95 < 1s": (
        "tags are written [key=value, ...]; a name that has such a bracket goes between quotes\n"
        "    [page=x: p95 < 1s\n"
        "     ^^^^^^"
    ),
    "[]: p95 < 1s": (
        "tags are written [key=value, ...]; a name that has such a bracket goes between quotes\n"
        "    []: p95 < 1s\n"
        "     ^"
    ),
    "[page=x, =y]: p95 < 1s": (
        "a tag is `key=value`, and has no comma in it\n"
        "    [page=x, =y]: p95 < 1s\n"
        "             ^^"
    ),
    "[page=x, page = y]: p95 < 1s": (
        'the tag "page" is there twice\n'
        "    [page=x, page = y]: p95 < 1s\n"
        "             ^^^^^^^^"
    ),
    "[page=x] GET /a: p95 < 1s": (
        "between the tags and the colon nothing can stand\n"
        "    [page=x] GET /a: p95 < 1s\n"
        "             ^^^^^^"
    ),
    "[page=x]: users > 3": (
        "only calls have tags, and `users` is not of calls\n"
        "    [page=x]: users > 3\n"
        "              ^^^^^"
    ),
    '[page=x]: check "y" > 3%': (
        "only calls have tags, and `check \"y\"` is not of calls\n"
        '    [page=x]: check "y" > 3%\n'
        "              ^^^^^"
    ),
    "transaction x [page=x]: p95 < 1s": (
        "only calls have tags, and no transaction does\n"
        "    transaction x [page=x]: p95 < 1s\n"
        "                  ^^^^^"
    ),
    '"GET /a: p95 < 1s': (
        "this quote is not closed\n"
        '    "GET /a: p95 < 1s\n'
        "    ^"
    ),
    "日本: p95 < 1x": (
        "'x' is no unit of it: p95 is a duration: give it a unit, for example 300ms\n"
        "    日本: p95 < 1x\n"
        "                ^^"
    ),
    "a\tb: p95 < 1x": (
        "'x' is no unit of it: p95 is a duration: give it a unit, for example 300ms\n"
        "    a\ufffdb: p95 < 1x\n"
        "               ^^"
    ),
    "dropped == 0 over 30s": (
        "`dropped` is known of the whole run only: no `over`\n"
        "    dropped == 0 over 30s\n"
        "    ^^^^^^^"
    ),
    "p95 < 1s over 500ms": (
        "behind `over` comes a time in whole seconds, for example 30s or 1m30s\n"
        "    p95 < 1s over 500ms\n"
        "                  ^^^^^"
    ),
    "p95 < 1s over 0s": (
        "`over` takes from 1 s to 3,600 s\n"
        "    p95 < 1s over 0s\n"
        "                  ^^"
    ),
    "p95 < 1s abort abort": (
        "`abort` is there twice\n"
        "    p95 < 1s abort abort\n"
        "                   ^^^^^"
    ),
    "p95 < 1s abrt": (
        "`abrt` is out of place: `over 30s`, `after 1m` or `abort` can follow; did you mean abort?\n"
        "    p95 < 1s abrt\n"
        "             ^^^^"
    ),
    "p95 < 110% of it": (
        "only a `% of baseline` is known\n"
        "    p95 < 110% of it\n"
        "                  ^^"
    ),
    "check > 99%": (
        'the name of the check is missing here: check "its name"\n'
        "    check > 99%\n"
        "          ^"
    ),
    "transaction x: connect p95 < 1s": (
        "a transaction has no connect time: response, failed or all\n"
        "    transaction x: connect p95 < 1s\n"
        "                   ^^^^^^^"
    ),
    "Reader: exceptions == 0": (
        "exceptions are counted for the whole script: leave the name before the colon out\n"
        "    Reader: exceptions == 0\n"
        "            ^^^^^^^^^^"
    ),
    "transaction x: dropped == 0": (
        "a transaction has no dropped\n"
        "    transaction x: dropped == 0\n"
        "                   ^^^^^^^"
    ),
    'gauge "x" p95 < 3': (
        "a gauge has min, max and its last value; for more make it a trend\n"
        '    gauge "x" p95 < 3\n'
        "          ^^^"
    ),
    "p95 < -1s": (
        "p95 is never below 0\n"
        "    p95 < -1s\n"
        "          ^^^"
    ),
    "p95 < 1e9s": (
        "'e9s' is no unit of it: p95 is a duration: give it a unit, for example 300ms\n"
        "    p95 < 1e9s\n"
        "          ^^^^"
    ),
    "requests > 9999999999999999": (
        "no limit is as large as that\n"
        "    requests > 9999999999999999\n"
        "               ^^^^^^^^^^^^^^^^"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "fault"), FAULTS.items(), ids=FAULTS)
def test_a_fault_says_what_is_wrong_and_points_at_it(text: str, fault: str) -> None:
    with pytest.raises(ThresholdFault) as caught:
        parse(text)
    assert str(caught.value) == fault


def test_a_fault_in_a_long_expression_shows_its_surroundings() -> None:
    with pytest.raises(ThresholdFault) as caught:
        parse(f"GET /{'a' * 500}: p95 < 300")
    _, line, carets = str(caught.value).split("\n")
    assert line == f"    …{'a' * 89}: p95 < 300"
    assert carets.index("^") == line.index("300")


def test_an_expression_that_is_too_long_is_not_even_read() -> None:
    with pytest.raises(ThresholdFault, match=r"at most 1,000 characters, not 1,001$"):
        parse("x" * (LONGEST + 1))


@given(thresholds())
def test_what_is_written_out_is_read_as_the_same(threshold: Threshold) -> None:
    assert parse(str(threshold)) == threshold


PIECES = [
    *(
        "p95",
        "p",
        "errors",
        "rps",
        "<",
        "<=",
        "==",
        "=",
        "!",
        "300",
        "ms",
        "300ms",
        "1%",
        "/s",
        "of",
        "baseline",
        "over",
    ),
    *("after", "abort", "30s", '"', '"x"', ":", ": ", " ", "\\", "\n", "transaction", "check", "trend", "service"),
    *("GET /", "99.9", "-1", "٣", "µs", "\x00", "\ud800", "😀", "p9999999999", "1" * 400),
]


def parsed(text: str) -> Threshold | str:
    """The threshold, or what is wrong."""
    try:
        return parse(text)
    except ThresholdFault as fault:
        return str(fault)


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join) | st.lists(st.sampled_from(PIECES)).map(" ".join))
def test_garbage_raises_nothing_but_a_fault(text: str) -> None:
    found = parsed(text)
    assert isinstance(found, str) or parse(str(found)) == found


@given(st.data())
def test_a_threshold_with_a_wound_raises_nothing_but_a_fault(data: st.DataObject) -> None:
    text = str(data.draw(thresholds()))
    at = data.draw(st.integers(0, len(text)))
    wounded = text[:at] + data.draw(st.sampled_from(PIECES)) + text[at + data.draw(st.integers(0, 5)) :]
    found = parsed(wounded)
    assert isinstance(found, str) or parse(str(found)) == found
