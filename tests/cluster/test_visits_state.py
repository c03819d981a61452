"""Users that arrive, stay a while and leave."""

from swell.clock import NS_PER_S
from swell.cluster.user_steps import Drop, LeaveUser, StartUser
from swell.cluster.visits_state import Visits
from swell.load.shares import everything
from swell.load.starts import Starts
from swell.load_plan import Curve, Leg, Sessions, Spread
from swell.user import Admission

MS = NS_PER_S // 1_000
TEN_PER_S = Curve((Leg(1.0, 10, 10),))


def visits(max_users: int = 5, iterations: int | None = None, lives_s: float | None = None) -> Visits:
    model = Sessions(TEN_PER_S, max_users, iterations, lives_s)
    made = Visits(model, Starts(TEN_PER_S, Spread.EVEN, seed=1), lambda number: "A", NS_PER_S, 2.0)
    assert made.follow(everything(), 0, -1) == []
    return made


def test_each_arrival_is_a_user_of_its_number() -> None:
    load = visits()
    assert load.advance(100 * MS) == [StartUser(0, 0, "A", 0), StartUser(1, 100 * MS, "A", 1)]
    load.check()


def test_a_user_leaves_after_its_iterations() -> None:
    load = visits(iterations=2)
    load.advance(0)
    assert [load.ready(0) for _ in range(3)] == [Admission.GO, Admission.GO, Admission.LEAVE]
    load.gone(0)
    assert load.ready(0) is Admission.LEAVE
    load.check()


def test_a_user_leaves_when_its_time_is_over_counted_from_its_start() -> None:
    load = visits(lives_s=0.25)
    load.advance(50 * MS)
    assert load.wake_ns == 100 * MS
    load.advance(200 * MS)
    assert load.ready(0) is Admission.GO
    assert load.advance(300 * MS)[0] == LeaveUser(0, 2.0)
    assert load.ready(0) is Admission.LEAVE
    load.gone(0)
    load.gone(1)
    assert load.advance(450 * MS)[0] == LeaveUser(2, 2.0)
    load.check()


def test_beyond_the_users_that_there_may_be_an_arrival_is_dropped() -> None:
    load = visits(max_users=2)
    assert load.advance(300 * MS)[2:] == [Drop(2, "A"), Drop(3, "A")]
    load.gone(0)
    assert load.advance(400 * MS) == [StartUser(4, 400 * MS, "A", 4)]
    load.check()


def test_when_the_curve_is_over_all_leave() -> None:
    load = visits(max_users=2, iterations=9)
    load.advance(0)
    assert load.advance(NS_PER_S)[-2:] == [LeaveUser(0, 2.0), LeaveUser(1, 2.0)]
    assert (load.wake_ns, load.idle) == (None, False)
    load.gone(0)
    load.gone(1)
    assert load.idle
    load.check()
