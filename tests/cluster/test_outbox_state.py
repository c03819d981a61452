"""Reports that wait to be acknowledged: few under way, sent again with patience, never out of turn."""

import random
from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.cluster.outbox_state import KEPT, LEAST_PATIENCE_NS, MOST_PATIENCE_NS, WINDOW, Outbox, Spooled
from swell.segment import Segment

T0 = 50 * NS_PER_S


def segment(sequence: int) -> Segment:
    return Segment("run-1", 0, 1, sequence, 0, 0, float(sequence))


def filled(segments: int) -> Outbox:
    outbox = Outbox()
    for sequence in range(1, segments + 1):
        outbox.add(segment(sequence))
    return outbox


def due(outbox: Outbox, at_s: float) -> list[int]:
    found = [one.sequence for one in outbox.due(T0 + round(at_s * NS_PER_S))]
    outbox.check()
    return found


def acknowledged(outbox: Outbox, sequence: int, at_s: float) -> bool:
    return outbox.acknowledged(sequence, T0 + round(at_s * NS_PER_S))


def test_what_is_new_is_sent_at_once_and_again_when_nothing_comes_back() -> None:
    outbox = filled(1)
    assert [due(outbox, at_s) for at_s in (0, 0.1, 1.9, 2.0, 2.1)] == [[1], [], [], [1], []]


def test_no_more_than_a_window_is_under_way() -> None:
    outbox = filled(20)
    assert due(outbox, 0) == [*range(1, WINDOW + 1)]
    assert due(outbox, 1) == []
    assert acknowledged(outbox, 3, 1)
    assert due(outbox, 1) == [WINDOW + 1, WINDOW + 2, WINDOW + 3]


def test_what_is_taken_for_lost_is_sent_from_the_oldest_on() -> None:
    outbox = filled(5)
    assert due(outbox, 0) == [1, 2, 3, 4, 5]
    assert acknowledged(outbox, 2, 0.5)
    outbox.add(segment(6))
    assert due(outbox, 1) == [6]
    assert due(outbox, 2.5) == [3, 4, 5, 6]


def test_what_brings_nothing_is_done_half_as_often_each_time() -> None:
    outbox = filled(1)
    assert [at_s for at_s in range(80) if due(outbox, at_s)] == [0, 2, 6, 14, 30, 46, 62, 78]


def test_a_slow_controller_is_given_twice_the_time_that_it_took() -> None:
    outbox = filled(2)
    assert due(outbox, 0) == [1, 2]
    assert acknowledged(outbox, 1, 1.8)
    assert [due(outbox, at_s) for at_s in (5.3, 5.4)] == [[], [2]]


def test_a_quick_acknowledgement_makes_it_impatient_again() -> None:
    outbox = filled(1)
    sent_s = [at_s for at_s in range(32) if due(outbox, at_s)]
    assert sent_s[-1] == 30
    assert acknowledged(outbox, 1, 31)
    outbox.add(segment(2))
    assert [due(outbox, at_s) for at_s in (40, 41.9, 42)] == [[2], [], [2]]


def test_an_acknowledgement_that_says_nothing_new_changes_nothing() -> None:
    outbox = filled(3)
    due(outbox, 0)
    assert acknowledged(outbox, 2, 1)
    before = repr(outbox)
    assert not acknowledged(outbox, 2, 1.5)
    assert not acknowledged(outbox, 0, 1.5)
    assert (repr(outbox), [one.sequence for one in outbox.reports]) == (before, [3])


def test_a_controller_that_knows_more_than_was_sent_is_believed() -> None:
    outbox = filled(20)
    due(outbox, 0)
    assert acknowledged(outbox, 15, 1)
    assert due(outbox, 1) == [16, 17, 18, 19, 20]


@given(st.integers(0, 2**32), st.floats(0, 0.9), st.integers(1, 30))
def test_all_arrive_in_turn_however_many_are_lost(seed: int, losing: float, segments: int) -> None:
    """A controller that takes nothing out of turn, behind a wire that loses on both ways."""
    chance, outbox, applied = random.Random(seed), Outbox(), 0
    wire: deque[int] = deque()
    for now_s in range(100_000):
        if now_s < segments:
            outbox.add(segment(now_s + 1))
        wire.extend(due(outbox, now_s))
        while wire:
            sequence = wire.popleft()
            if chance.random() < losing:
                continue
            applied += sequence == applied + 1
            if chance.random() >= losing:
                acknowledged(outbox, applied, now_s)
        if applied >= segments and not len(outbox):
            return
    raise AssertionError(f"{outbox} after {applied} of {segments}")


@given(st.lists(st.tuples(st.sampled_from(["add", "acknowledge", "due"]), st.integers(0, 20), st.integers(0, 10**10))))
def test_it_holds_just_what_is_not_acknowledged(steps: list[tuple[str, int, int]]) -> None:
    outbox, now_ns, added, known = Outbox(), T0, 0, 0
    for step, number, later_ns in steps:
        now_ns += later_ns
        if step == "add":
            added += 1
            outbox.add(segment(added))
        elif step == "acknowledge":
            outbox.acknowledged(min(number, added), now_ns)
            known = max(known, min(number, added))
        else:
            sent = [one.sequence for one in outbox.due(now_ns)]
            assert not sent or sent == [*range(sent[0], sent[-1] + 1)]
        outbox.check()
        assert [one.sequence for one in outbox.reports] == [*range(known + 1, added + 1)]
    if len(outbox):
        outbox.due(now_ns)
        assert outbox.due(now_ns + MOST_PATIENCE_NS)[0].sequence == known + 1
    assert LEAST_PATIENCE_NS < MOST_PATIENCE_NS


def test_of_a_long_backlog_only_the_oldest_are_in_memory() -> None:
    outbox = filled(KEPT + 3)
    assert outbox.reports[KEPT - 1 :] == (segment(KEPT), *(Spooled(KEPT + more) for more in (1, 2, 3)))
    due(outbox, 0)
    assert acknowledged(outbox, KEPT, 1)
    assert outbox.due(T0 + NS_PER_S) == [Spooled(KEPT + more) for more in (1, 2, 3)]
    outbox.add(segment(KEPT + 4))
    assert outbox.due(T0 + NS_PER_S) == [segment(KEPT + 4)]
