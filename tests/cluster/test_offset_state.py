from hypothesis import given
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.cluster.messages import Lease
from swell.cluster.offset_state import Offset

S = NS_PER_S
MS = S // 1000


def exchange(offset: Offset, sent_ns: int, ahead_ns: int, there_ns: int, back_ns: int) -> int:
    """A pulse and its lease, between clocks of which the other is `ahead_ns` ahead; returns when it came back."""
    received_ns = sent_ns + there_ns + back_ns
    offset.measured(Lease(sent_ns, sent_ns + there_ns + ahead_ns, term=1, lease_s=15.0), received_ns)
    return received_ns


def test_the_exchange_with_the_shortest_way_counts() -> None:
    offset = Offset()
    exchange(offset, 1 * S, -500 * S, there_ns=40 * MS, back_ns=2 * MS)
    exchange(offset, 2 * S, -500 * S, there_ns=MS, back_ns=MS)
    now_ns = exchange(offset, 3 * S, -500 * S, there_ns=2 * MS, back_ns=300 * MS)
    assert offset.theirs(now_ns) == now_ns - 500 * S
    assert MS <= offset.error_ns(now_ns) <= MS + S // 10_000
    offset.check()


def test_a_long_ago_exchange_is_worth_less_than_one_of_now_that_took_a_little_longer() -> None:
    offset = Offset()
    exchange(offset, 0, 0, there_ns=MS, back_ns=MS)
    now_ns = exchange(offset, 3_600 * S, 40 * MS, there_ns=2 * MS, back_ns=2 * MS)
    assert offset.theirs(now_ns) == now_ns + 40 * MS


def test_clocks_on_one_machine_are_the_same_whatever_is_said() -> None:
    offset = Offset(shared=True)
    exchange(offset, S, 7 * S, there_ns=MS, back_ns=MS)
    assert offset.theirs(5 * S) == offset.ours(5 * S) == 5 * S


def test_before_the_run_a_better_measurement_counts_at_once_and_afterwards_half_a_millisecond_a_second() -> None:
    offset = Offset()
    exchange(offset, 0, 100 * MS, there_ns=20 * MS, back_ns=0)
    now_ns = exchange(offset, S, 100 * MS, there_ns=4 * MS, back_ns=0)
    assert offset.theirs(now_ns) - now_ns == 102 * MS
    offset.fix()
    now_ns = exchange(offset, 2 * S, 100 * MS, there_ns=0, back_ns=0)
    assert offset.theirs(now_ns) - now_ns == 102 * MS
    assert offset.theirs(now_ns + S) - now_ns - S == 101 * MS + MS // 2
    assert offset.theirs(now_ns + 10 * S) - now_ns - 10 * S == 100 * MS
    offset.check()


def test_an_instant_of_the_controllers_is_told_back_to_the_nanosecond() -> None:
    offset = Offset()
    exchange(offset, 0, 0, there_ns=0, back_ns=0)
    offset.fix()
    exchange(offset, S, -MS, there_ns=0, back_ns=0)
    for their_ns in (0, S - 1, S, S + 1, S + 12_345, 2 * S, 3 * S, 3 * S + 1, 9 * S):
        own_ns = offset.ours(their_ns)
        assert offset.theirs(own_ns - 1) < their_ns <= offset.theirs(own_ns)


WAYS = st.integers(0, 80 * MS)


@given(
    ahead_ns=st.integers(-(10**15), 10**15),
    drift_ppm=st.integers(-300, 300),
    exchanges=st.lists(st.tuples(WAYS, WAYS, st.integers(0, 5 * S)), min_size=1, max_size=120),
    fixed_after=st.integers(1, 5),
    asked=st.lists(st.integers(-20 * S, 20 * S), min_size=1, max_size=6),
)
def test_time_never_goes_back_whatever_is_measured(
    ahead_ns: int,
    drift_ppm: int,
    exchanges: list[tuple[int, int, int]],
    fixed_after: int,
    asked: list[int],
) -> None:
    """Neither the controller's clock as the worker sees it, nor the worker's instants of what is due by it."""
    offset, now_ns = Offset(), 10 * S
    last: tuple[int, int] | None = None
    due_ns = started_ns = -(10**18)
    for number, (there_ns, back_ns, pause_ns) in enumerate(exchanges, 1):
        drifted_ns = ahead_ns + now_ns * drift_ppm // 1_000_000
        now_ns = exchange(offset, now_ns + pause_ns, drifted_ns, there_ns, back_ns)
        offset.check()
        if number < fixed_after:
            continue
        offset.fix()
        their_ns = offset.theirs(now_ns)
        if last is not None:
            passed_ns, moved_ns = now_ns - last[0], their_ns - last[1]
            assert abs(moved_ns - passed_ns) <= passed_ns // 2_000 + 1
        last = now_ns, their_ns
        for after_ns in asked:
            own_ns = offset.ours(their_ns + after_ns)
            assert offset.theirs(own_ns - 1) < their_ns + after_ns <= offset.theirs(own_ns)
        if their_ns - MS > due_ns:
            due_ns, before_ns = their_ns - MS, started_ns
            started_ns = offset.ours(due_ns)
            assert before_ns <= started_ns <= now_ns
