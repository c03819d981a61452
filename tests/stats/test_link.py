"""What was turned away at the link, added up over the lives of a controller."""

from swell.result import LinkCounts, LinkFacts, Refusal, RefusedCount, StrangerCount
from swell.stats.link import together
from swell.stats.merge import RunMerge
from swell.stats.summary import summarise
from tests.report.sample_results import new_merge, plan

BEFORE = LinkFacts(
    (RefusedCount(Refusal.MALFORMED, "1.1", 3), RefusedCount(Refusal.OTHER_RUN, "1.1", 1)),
    LinkCounts(admitted=4, ended=1, strangers=(StrangerCount("10.0.0.9", 2),), dropped=7),
)
SINCE = LinkFacts(
    (RefusedCount(Refusal.OTHER_RUN, "1.1", 4), RefusedCount(Refusal.EMPTY, "2.1", 1)),
    LinkCounts(admitted=4, strangers=(StrangerCount("10.0.0.8", 5), StrangerCount("10.0.0.9", 1)), crowded_out=2),
)
ALL = LinkFacts(
    (
        RefusedCount(Refusal.OTHER_RUN, "1.1", 5),
        RefusedCount(Refusal.MALFORMED, "1.1", 3),
        RefusedCount(Refusal.EMPTY, "2.1", 1),
    ),
    LinkCounts(
        admitted=8,
        ended=1,
        strangers=(StrangerCount("10.0.0.8", 5), StrangerCount("10.0.0.9", 3)),
        dropped=7,
        crowded_out=2,
    ),
)


def test_counts_of_one_sender_and_kind_are_added_and_the_most_frequent_come_first() -> None:
    assert together(BEFORE, SINCE) == ALL
    assert together(LinkFacts(), SINCE) == SINCE


def test_a_controller_that_is_started_again_goes_on_counting() -> None:
    merge = new_merge(plan())
    merge.link_told(LinkFacts())
    merge.link_told(BEFORE)
    merge.link_told(BEFORE)
    assert together(LinkFacts(), BEFORE) == merge.snapshot().controller.link
    again = RunMerge.restore(merge.journal())
    assert again.snapshot() == merge.snapshot()
    again.link_told(SINCE)
    assert again.snapshot().controller.link == ALL


def test_all_of_it_is_in_the_document() -> None:
    merge = new_merge(plan())
    merge.link_told(ALL)
    found = summarise(merge.snapshot()).cluster
    assert (found.refused, found.strangers) == (ALL.refused, ALL.counts.strangers)
    assert (found.connections, found.disconnections, found.dropped, found.crowded_out) == (8, 1, 7, 2)
