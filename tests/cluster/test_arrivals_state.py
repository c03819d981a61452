"""Who takes up an arrival: idle users first, then new ones, then nobody."""

from hypothesis import given
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.cluster.arrivals_state import UNREADY_AT_ONCE, Arrivals
from swell.cluster.user_steps import Arrive, Change, Drop, LeaveUser, StartUser
from swell.load.shares import deal, everything
from swell.load.starts import Starts
from swell.load_plan import Curve, Leg, Open, Spread
from swell.user import Admission

MS = NS_PER_S // 1_000
TEN_PER_S = Curve((Leg(1.0, 10, 10),))
END_NS = NS_PER_S


def arrivals(max_users: int = 3, users: int = 0, curve: Curve = TEN_PER_S, classes: str = "A") -> Arrivals:
    """The users of a load whose classes take turns."""
    starts = Starts(curve, Spread.EVEN, seed=1)
    ends_ns = None if curve.endless else END_NS
    return Arrivals(Open(curve, max_users, users), starts, lambda number: classes[number % len(classes)], ends_ns, 2.0)


def told(changes: list[Change]) -> list[str]:
    """The changes in short: `start 3 for 1`, `1 takes 4`, `drop 5`, `leave 0`."""
    return list(map(_told, changes))


def _told(change: Change) -> str:
    match change:
        case StartUser(number, _, _, arrival):
            return f"start {number}" + ("" if arrival is None else f" for {arrival}")
        case Arrive(number, arrival):
            return f"{number} takes {arrival}"
        case Drop(arrival):
            return f"drop {arrival}"
        case LeaveUser(number):
            return f"leave {number}"


def test_arrivals_start_users_until_there_are_as_many_as_there_may_be_and_are_dropped_then() -> None:
    load = arrivals(max_users=3)
    assert told(load.follow(everything(), 0, -1)) == []
    assert load.wake_ns == 0
    assert told(load.advance(0)) == ["start 0 for 0"]
    assert load.wake_ns == 100 * MS
    assert told(load.advance(400 * MS)) == ["start 1 for 1", "start 2 for 2", "drop 3", "drop 4"]
    load.check()


def test_an_idle_user_takes_the_next_one_and_who_was_idle_longest_comes_first() -> None:
    load = arrivals()
    load.follow(everything(), 0, 200 * MS)
    assert [load.ready(number) for number in (1, 0)] == [Admission.WAIT] * 2
    assert told(load.advance(500 * MS)) == ["1 takes 3", "0 takes 4", "drop 5"]
    load.check()


def test_an_arrival_of_a_class_goes_to_a_user_of_that_class_only() -> None:
    load = arrivals(max_users=2, classes="AB")
    assert [change.scenario for change in load.follow(everything(), 0, 100 * MS)] == ["A", "B"]  # type: ignore[union-attr]
    load.ready(0)
    assert told(load.advance(300 * MS)) == ["0 takes 2", "drop 3"]
    load.check()


def test_one_that_goes_away_makes_room_for_a_new_one() -> None:
    load = arrivals(max_users=1)
    load.follow(everything(), 0, 0)
    assert load.gone(0) == []
    assert told(load.advance(100 * MS)) == ["start 1 for 1"]
    assert load.gone(77) == []
    load.check()


def test_an_idle_user_that_has_gone_takes_nothing() -> None:
    load = arrivals(max_users=2)
    load.follow(everything(), 0, 0)
    load.ready(0)
    load.gone(0)
    assert told(load.advance(100 * MS)) == ["start 1 for 1"]
    load.check()


def test_what_was_due_while_the_process_stood_still_is_started_late_with_its_due_moment() -> None:
    load = arrivals(max_users=9)
    load.follow(everything(), 0, -1)
    assert [change.due_ns // MS for change in load.advance(350 * MS)] == [0, 100, 200, 300]  # type: ignore[union-attr]


def test_users_get_ready_a_number_at_a_time() -> None:
    load = arrivals(max_users=UNREADY_AT_ONCE + 50, users=UNREADY_AT_ONCE + 2)
    assert len(load.prepare(everything())) == UNREADY_AT_ONCE
    assert load.prepare(everything()) == []
    assert (load.preparing, load.prepared) == (True, False)
    load.ready(0)
    assert told(load.more()) == [f"start {UNREADY_AT_ONCE}"]
    assert told(load.gone(5)) == [f"start {UNREADY_AT_ONCE + 1}"]
    assert (load.preparing, load.prepared) == (False, False)
    for number in load.present - {0}:
        load.ready(number)
    assert load.prepared
    assert told(load.follow(everything(), 0, 0)) == ["0 takes 0"]
    load.check()


def test_those_who_were_not_ready_in_time_come_first_when_somebody_is_needed() -> None:
    load = arrivals(max_users=200, users=UNREADY_AT_ONCE + 1)
    load.prepare(everything())
    assert told(load.follow(everything(), 0, 0)) == [f"start {UNREADY_AT_ONCE} for 0"]
    assert told(load.advance(100 * MS)) == [f"start {UNREADY_AT_ONCE + 1} for 1"]
    load.check()


def test_when_its_curve_is_over_everybody_leaves() -> None:
    load = arrivals(max_users=9)
    load.follow(everything(), 0, 100 * MS)
    load.ready(0)
    departures = [change for change in load.advance(END_NS) if isinstance(change, LeaveUser)]
    assert departures == [LeaveUser(number, 2.0) for number in range(9)]
    assert not load.idle
    assert load.leaving == load.present
    assert load.wake_ns is None
    assert load.ready(1) is Admission.LEAVE
    for number in sorted(load.present):
        load.gone(number)
    assert load.idle
    load.check()


def test_at_the_end_of_the_run_what_has_arrived_is_still_taken_up() -> None:
    load = arrivals(max_users=9)
    load.follow(everything(), 0, 0)
    load.ready(0)
    assert told(load.leave_all(150 * MS)) == ["0 takes 1", "leave 0"]
    assert load.advance(END_NS) == []


def test_a_replacement_starts_with_what_is_due_from_its_beginning_on() -> None:
    load = arrivals(max_users=9)
    assert told(load.follow(everything(), 250 * MS, 400 * MS)) == ["start 0 for 3", "start 1 for 4"]


def test_an_heir_takes_what_it_gains_from_then_on_and_its_own_only_once() -> None:
    mine, other = deal(2)
    load = arrivals(max_users=20, curve=Curve((Leg(1.0, 20, 20),)))
    load.follow(mine, 0, 200 * MS)
    before = load.present.copy()
    changes = load.follow(everything(), 300 * MS, 400 * MS)
    taken = sorted(change.arrival for change in changes if isinstance(change, StartUser) and change.arrival is not None)
    own = [number for number in range(9) if mine.mine(number) and number * 50 > 200]
    assert taken == sorted({*own, *(number for number in (6, 7, 8) if other.mine(number))})
    assert before < load.present
    load.check()


@given(st.integers(1, 5), st.integers(1, 40), st.integers(0, 40), st.integers(0, 1_000))
def test_the_workers_of_a_run_see_to_each_arrival_once_and_have_no_more_users_than_there_may_be(
    workers: int, max_users: int, users: int, now_ms: int
) -> None:
    curve = Curve((Leg(1.0, 50, 50),))
    loads = [arrivals(max_users, min(users, max_users), curve) for _ in range(workers)]
    seen: list[int] = []
    for load, share in zip(loads, deal(workers), strict=True):
        load.prepare(share)
        for number in load.present:
            load.ready(number)
        for at_ms in (now_ms // 2, now_ms):
            changes = load.follow(share, 0, at_ms * MS)
            seen += [
                change.arrival
                for change in changes
                if not isinstance(change, LeaveUser) and getattr(change, "arrival", None) is not None
            ]  # type: ignore[misc]
        load.check()
    assert sorted(seen) == list(range(min(now_ms // 20 + 1, 50)))
    assert sum(len(load.present) for load in loads) <= max_users
