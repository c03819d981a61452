"""So many iterations, shared or each: who begins the next."""

from hypothesis import given
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.cluster.quota_state import START_GAP_NS, STARTS_AT_ONCE, Quota, part_of
from swell.cluster.user_steps import LeaveUser, StartUser
from swell.load.shares import NOTHING, deal, everything
from swell.load_plan import Iterations
from swell.user import Admission

models = st.builds(Iterations, st.integers(1, 300), total=st.integers(1, 3_000)) | st.builds(
    Iterations, st.integers(1, 300), each=st.integers(1, 50)
)


def quota(model: Iterations, ends_ns: int | None = None) -> Quota:
    return Quota(model, 0, ends_ns, 2.0)


def worked_off(load: Quota) -> dict[int, int]:
    """Let all users begin iterations in turn until all have left; how many each has begun."""
    begun = dict.fromkeys(sorted(load.present), 0)
    while load.present:
        for number in sorted(load.present):
            if load.ready(number) is Admission.GO:
                begun[number] += 1
            else:
                load.gone(number)
    load.check()
    return begun


def test_users_share_a_total_and_leave_when_nothing_is_left() -> None:
    load = quota(Iterations(users=3, total=8))
    assert load.follow(everything(), 0, 0) == [StartUser(number, 0) for number in range(3)]
    assert worked_off(load) == {0: 3, 1: 3, 2: 2}
    assert load.idle


def test_each_does_its_own() -> None:
    load = quota(Iterations(users=3, each=4))
    load.follow(everything(), 0, 0)
    assert worked_off(load) == {0: 4, 1: 4, 2: 4}


def test_with_fewer_iterations_than_users_the_others_find_nothing_to_do() -> None:
    load = quota(Iterations(users=9, total=2))
    load.follow(everything(), 0, 0)
    assert sum(worked_off(load).values()) == 2


def test_thousands_start_a_lot_at_a_time() -> None:
    load = quota(Iterations(users=3 * STARTS_AT_ONCE, each=1))
    assert len(load.follow(everything(), 0, 0)) == STARTS_AT_ONCE
    assert load.wake_ns == START_GAP_NS
    assert len(load.advance(START_GAP_NS)) == STARTS_AT_ONCE
    assert not load.idle


def test_it_begins_when_its_load_does_and_ends_when_it_is_told_to() -> None:
    load = Quota(Iterations(users=2, total=100, within_s=1.0), NS_PER_S, 2 * NS_PER_S, 2.0)
    assert load.follow(everything(), 0, 0) == []
    assert load.wake_ns == NS_PER_S
    assert len(load.advance(NS_PER_S)) == 2
    assert load.wake_ns == 2 * NS_PER_S
    assert load.advance(2 * NS_PER_S) == [LeaveUser(0, 2.0), LeaveUser(1, 2.0)]
    assert load.ready(0) is Admission.LEAVE
    assert load.advance(3 * NS_PER_S) == []
    load.check()


def test_what_others_have_done_before_is_not_done_again() -> None:
    load = quota(Iterations(users=3, total=8))
    load.follow(everything(), 5, 0)
    assert sum(worked_off(load).values()) == 3


def test_users_who_had_nothing_left_to_do_come_back_when_there_is_more() -> None:
    mine, _ = deal(2)
    load = quota(Iterations(users=2, total=20))
    load.follow(mine, 0, 0)
    (first,) = worked_off(load).values()
    assert first == 10
    started = load.follow(everything(), 4, NS_PER_S)
    assert [change.number for change in started] == [0, 1]  # type: ignore[union-attr]
    assert sum(worked_off(load).values()) == 6


def test_a_user_that_stopped_by_itself_does_not() -> None:
    mine, _ = deal(2)
    load = quota(Iterations(users=2, total=20))
    load.follow(mine, 0, 0)
    (number,) = load.present
    load.ready(number)
    load.gone(number)
    started = load.follow(everything(), 0, NS_PER_S)
    assert number not in [change.number for change in started]  # type: ignore[union-attr]


@given(models, st.integers(1, 7))
def test_the_parts_of_all_workers_add_up_and_each_part_has_users(model: Iterations, workers: int) -> None:
    planned = model.total if model.each is None else model.each * model.users
    parts = [(part_of(model, share), share.below(model.users)) for share in deal(workers)]
    assert sum(part for part, _ in parts) == planned
    assert all(users for part, users in parts if part)
    assert part_of(model, NOTHING) == 0
