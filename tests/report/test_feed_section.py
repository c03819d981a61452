import msgspec

from swell.feed_plan import FeedCount
from swell.report.final_table import final_report
from swell.stats.summary import summarise
from tests.report import sample_results
from tests.report.expected_text import assert_fits, rendered

CLEAN = FeedCount(name="words.csv", rows=7, handed_out=90, used=80, returned=10)
OUT = FeedCount(name="users.csv", rows=1_000, handed_out=1_000, used=1_000, ran_out=20)
TROUBLED = FeedCount(name="codes.csv", rows=12_345, handed_out=12_345, used=12_000, unknown=345, ran_out=1)
SLOW = FeedCount(name="slow.csv", rows=10, used=10, waited_s=50.0)
HOSTILE = FeedCount(name="x\x1b[31m" * 100, rows=1, used=1, ran_out=10**12, waited_s=1e9)


def report(*feeds: FeedCount, width: int = 100) -> str:
    document = msgspec.structs.replace(summarise(sample_results.ended()), feeds=feeds)
    return rendered(final_report(document, width), width)


def test_feeds_that_had_rows_for_all_are_not_spoken_of() -> None:
    assert "words.csv" not in report(CLEAN)


def test_a_feed_that_ran_out_or_lost_rows_is() -> None:
    lines = report(CLEAN, OUT, TROUBLED).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("feeds"))
    assert lines[at : at + 3] == [
        "feeds       users.csv: 1,000 rows, 1,000 used · ran out 20 times",
        "            codes.csv: 12,345 rows, 12,000 used · ran out once",
        "              345 may have been used by a worker that died: left out",
    ]


def test_a_feed_that_kept_users_waiting_is() -> None:
    assert "slow.csv: 10 rows, 10 used · users waited for rows 25 % of their time" in report(SLOW)


def test_it_fits_whatever_it_is_called() -> None:
    for width in (60, 80, 100):
        text = report(HOSTILE, TROUBLED, width=width)
        assert "\x1b" not in text
        assert_fits(text, width)
