"""Reports that wait to be acknowledged: kept in order, sent again with patience."""

from hypothesis import given
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.cluster.outbox_state import LEAST_PATIENCE_NS, MOST_PATIENCE_NS, SEGMENTS_PER_RESEND, Outbox
from swell.segment import Segment

T0 = 50 * NS_PER_S


def segment(sequence: int) -> Segment:
    return Segment("run-1", 0, 1, sequence, 0, 0, float(sequence))


def filled(segments: int) -> Outbox:
    """One segment a second."""
    outbox = Outbox()
    for sequence in range(1, segments + 1):
        outbox.add(segment(sequence), T0 + (sequence - 1) * NS_PER_S)
    return outbox


def numbers(segments: list[Segment]) -> list[int]:
    return [one.sequence for one in segments]


def test_nothing_is_sent_again_before_its_time() -> None:
    outbox = filled(1)
    assert outbox.again(T0 + LEAST_PATIENCE_NS - 1) == []
    assert numbers(outbox.again(T0 + LEAST_PATIENCE_NS)) == [1]
    outbox.check()


def test_the_oldest_are_sent_again_a_few_at_a_time() -> None:
    outbox = filled(20)
    assert numbers(outbox.again(T0 + 20 * NS_PER_S)) == [*range(1, SEGMENTS_PER_RESEND + 1)]


def test_what_brings_nothing_is_done_half_as_often_each_time() -> None:
    outbox = filled(1)
    sent_s = [now_s for now_s in range(80) if outbox.again(T0 + now_s * NS_PER_S)]
    assert sent_s == [2, 6, 14, 30, 46, 62, 78]


def test_a_slow_controller_is_given_twice_the_time_that_it_took() -> None:
    outbox = filled(6)
    assert outbox.acknowledged(1, T0 + 5 * NS_PER_S)
    assert outbox.again(T0 + 15 * NS_PER_S - 1) == []
    assert numbers(outbox.again(T0 + 15 * NS_PER_S)) == [2, 3, 4, 5, 6]


def test_a_quick_acknowledgement_makes_it_impatient_again() -> None:
    outbox = filled(1)
    for now_s in range(40):
        outbox.again(T0 + now_s * NS_PER_S)
    outbox.add(segment(2), T0 + 40 * NS_PER_S)
    assert outbox.acknowledged(2, T0 + 41 * NS_PER_S)
    outbox.add(segment(3), T0 + 42 * NS_PER_S)
    assert numbers(outbox.again(T0 + 44 * NS_PER_S)) == [3]


def test_an_acknowledgement_that_says_nothing_new_changes_nothing() -> None:
    outbox = filled(3)
    assert outbox.acknowledged(2, T0 + 3 * NS_PER_S)
    before = repr(outbox)
    assert not outbox.acknowledged(2, T0 + 9 * NS_PER_S)
    assert not outbox.acknowledged(0, T0 + 9 * NS_PER_S)
    assert (repr(outbox), numbers([*outbox.segments])) == (before, [3])


@given(
    st.lists(st.tuples(st.sampled_from(["add", "acknowledge", "again"]), st.integers(0, 20), st.integers(0, 10**10)))
)
def test_it_holds_just_what_is_not_acknowledged(steps: list[tuple[str, int, int]]) -> None:
    outbox, now_ns, added, known = Outbox(), T0, 0, 0
    for step, number, later_ns in steps:
        now_ns += later_ns
        if step == "add":
            added += 1
            outbox.add(segment(added), now_ns)
        elif step == "acknowledge":
            outbox.acknowledged(min(number, added), now_ns)
            known = max(known, min(number, added))
        else:
            again = numbers(outbox.again(now_ns))
            assert again == [*range(known + 1, known + 1 + len(again))]
            assert not again or outbox.again(now_ns + LEAST_PATIENCE_NS) == []
        outbox.check()
        assert numbers([*outbox.segments]) == [*range(known + 1, added + 1)]
    if len(outbox):
        assert outbox.again(now_ns + MOST_PATIENCE_NS)
