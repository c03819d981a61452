from hypothesis import given
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.cluster.outbox_state import SEGMENTS_AT_ONCE, Outbox

S = NS_PER_S


def with_segments(count: int) -> Outbox:
    outbox = Outbox()
    for sequence in range(1, count + 1):
        outbox.sealed(sequence, 0)
    return outbox


def test_without_any_confirmation_they_are_sent_again_ever_more_rarely() -> None:
    outbox = with_segments(1)
    sent_at_s = [second for second in range(1, 125) if outbox.overdue(second * S)]
    assert sent_at_s == [2, 6, 14, 30, 60, 90, 120]
    outbox.check()


def test_a_confirmation_makes_it_impatient_again() -> None:
    outbox = with_segments(3)
    assert outbox.overdue(2 * S) == [1, 2, 3]
    assert outbox.overdue(6 * S) == [1, 2, 3]
    assert outbox.confirmed(1, 7 * S) == []
    assert outbox.overdue(9 * S - 1) == []
    assert outbox.overdue(9 * S) == [2, 3]


def test_a_confirmation_that_is_no_news_changes_nothing() -> None:
    outbox = with_segments(3)
    assert outbox.confirmed(2, S) == []
    assert outbox.confirmed(1, S) is None
    assert outbox.confirmed(2, S) is None
    assert outbox.numbers == (3,)
    assert Outbox().confirmed(1, S) is None


def test_a_backlog_follows_what_has_been_confirmed_of_it() -> None:
    outbox = with_segments(20)
    assert outbox.overdue(2 * S) == [*range(1, SEGMENTS_AT_ONCE + 1)]
    assert outbox.confirmed(5, 3 * S) == []
    assert outbox.confirmed(8, 3 * S) == [*range(9, 17)]
    assert outbox.confirmed(16, 3 * S) == [17, 18, 19, 20]
    assert outbox.confirmed(20, 3 * S) == []
    assert len(outbox) == 0
    outbox.check()


def test_what_is_sealed_after_a_long_quiet_is_not_overdue_at_once() -> None:
    outbox = with_segments(1)
    outbox.confirmed(1, S)
    outbox.sealed(2, 100 * S)
    assert outbox.overdue(100 * S) == []
    assert outbox.overdue(102 * S) == [2]


@given(st.lists(st.tuples(st.sampled_from(["seal", "confirm", "tick"]), st.integers(0, 40)), max_size=60))
def test_whatever_is_confirmed_the_rest_is_in_order_and_is_sent_again_some_time(steps: list[tuple[str, int]]) -> None:
    outbox, now_ns, sealed, confirmed = Outbox(), 0, 0, 0
    for what, number in steps:
        now_ns += number * S // 10
        if what == "seal":
            sealed += 1
            outbox.sealed(sealed, now_ns)
        elif what == "confirm":
            again = outbox.confirmed(min(number, sealed), now_ns)
            confirmed = max(confirmed, min(number, sealed))
            assert again is None or set(again) <= set(outbox.numbers)
        else:
            assert set(outbox.overdue(now_ns)) <= set(outbox.numbers)
        outbox.check()
        assert outbox.numbers == tuple(range(confirmed + 1, sealed + 1))
    assert outbox.overdue(now_ns + 31 * S) == list(outbox.numbers)[:SEGMENTS_AT_ONCE]
