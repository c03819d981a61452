from hypothesis import given, settings
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.load.exact import exact
from swell.load.schedule import Schedule
from swell.load.shares import deal
from swell.load_plan import Curve, Leg
from swell.plan import Revision

HOUR_NS = 3_600 * NS_PER_S
TWO_UP_AND_DOWN = Curve((Leg(10, 0, 2), Leg(10, 2, 2), Leg(10, 2, 0)))

durations = st.sampled_from([0.0, 1e-9, 2e-7, 0.001, 0.1, 1 / 3, 1.0, 3.3, 60.0]) | st.floats(0, 100)
levels = st.integers(0, 30)
legs = st.builds(Leg, durations, levels, levels)
curves = st.builds(Curve, st.lists(legs, max_size=5).map(tuple), st.booleans())
delays = st.sampled_from([0.0, 0.1, 1 / 3, 30.0])
revision_lists = st.lists(
    st.tuples(st.integers(0, 200_000), levels, st.sampled_from([0.5, 1.0, 7.3, 100.0])), max_size=4
).map(
    lambda rows: [
        Revision(number, at_ms / 1000, users, rate) for number, (at_ms, users, rate) in enumerate(sorted(rows), 1)
    ]
)


def planned(curve: Curve, start_s: float) -> list[tuple[int, int]]:
    """The slow oracle: every change that a curve makes, as (instant in ns, users from then on)."""
    at = exact(start_s) * NS_PER_S
    users, changes = 0, []
    for leg in curve.legs:
        from_ns, long = -(-at // 1), exact(leg.duration_s) * NS_PER_S
        begin, end = round(leg.begin), round(leg.end)
        if begin != users:
            changes.append((from_ns, begin))
        count = abs(end - begin)
        for step in range(count):
            due = -(-(from_ns + step * long / count) // 1) if long >= 1_000 * count else from_ns
            changes.append((due, begin + (step + 1) * (1 if end > begin else -1)))
        users = end
        at += long
    if users and not curve.endless:
        changes.append((-(-at // 1), 0))
    return changes


def users_by(changes: list[tuple[int, int]], now_ns: int) -> int:
    return next((users for at_ns, users in reversed(changes) if at_ns <= now_ns), 0)


def walked(schedule: Schedule) -> list[int]:
    now_ns, instants = -1, []
    while (at_ns := schedule.next_change_ns(now_ns)) is not None:
        assert at_ns > now_ns
        now_ns = at_ns
        instants.append(at_ns)
    return instants


def test_a_curve_up_and_down_starts_and_takes_away_in_turn() -> None:
    schedule = Schedule((), TWO_UP_AND_DOWN)
    assert [at_ns // NS_PER_S for at_ns in walked(schedule)] == [0, 5, 20, 25]
    assert [schedule.users_at(second * NS_PER_S) for second in (0, 5, 19, 20, 25)] == [1, 2, 2, 1, 0]
    assert schedule.is_over
    assert schedule.settled_ns == 25 * NS_PER_S


def test_the_end_of_a_curve_takes_everybody_away_at_once() -> None:
    schedule = Schedule((), Curve((Leg(0, 7, 7), Leg(10, 7, 7))), start_s=2)
    assert [schedule.users_at(at_ns) for at_ns in (0, 2 * NS_PER_S, 12 * NS_PER_S - 1, 12 * NS_PER_S)] == [0, 7, 7, 0]


def test_an_endless_curve_keeps_its_last_level() -> None:
    schedule = Schedule((), Curve((Leg(10, 0, 5),), endless=True))
    assert schedule.users_at(HOUR_NS) == 5
    assert not schedule.is_over


def test_a_revision_in_the_middle_of_a_ramp_goes_on_from_where_it_had_got_to() -> None:
    schedule = Schedule([Revision(1, 4.5, 2, 1.0)], Curve((Leg(10, 0, 10), Leg(60, 10, 10))))
    assert [schedule.users_at(at_s * NS_PER_S) for at_s in (4, 5, 6, 7, 70, 3_600)] == [5, 4, 3, 2, 2, 2]


@given(curves, delays)
def test_it_changes_as_the_curve_says(curve: Curve, start_s: float) -> None:
    schedule, changes = Schedule((), curve, start_s), planned(curve, start_s)
    assert walked(schedule) == sorted({at_ns for at_ns, _ in changes})
    for at_ns, _ in changes:
        for now_ns in (at_ns - 1, at_ns, at_ns + 1):
            assert schedule.users_at(now_ns) == users_by(changes, now_ns)


@given(curves, delays, revision_lists)
def test_users_are_never_negative_and_settle_at_the_goal(
    curve: Curve, start_s: float, revisions: list[Revision]
) -> None:
    schedule = Schedule(revisions, curve, start_s)
    instants = walked(schedule)
    assert all(schedule.users_at(at_ns) >= 0 for at_ns in instants)
    assert all(at_ns <= schedule.settled_ns for at_ns in instants)
    wanted = revisions[-1].users if revisions else (round(curve.legs[-1].end) if curve.legs and curve.endless else 0)
    assert schedule.goal == wanted
    assert schedule.users_at(schedule.settled_ns) == schedule.users_at(100 * HOUR_NS) == wanted
    assert schedule.is_over == (not revisions and not curve.endless)


@given(curves, delays, revision_lists, st.integers(0, 35))
def test_a_user_is_there_from_its_last_start_on(
    curve: Curve, start_s: float, revisions: list[Revision], user: int
) -> None:
    schedule = Schedule(revisions, curve, start_s)
    first_ns = schedule.due_ns(user)
    instants = walked(schedule)
    if first_ns is None:
        assert all(schedule.users_at(at_ns) <= user for at_ns in instants)
        return
    assert all(schedule.users_at(at_ns) <= user for at_ns in instants if at_ns < first_ns)
    for at_ns in instants:
        if schedule.users_at(at_ns) > user:
            started_ns = schedule.due_ns(user, by_ns=at_ns)
            assert started_ns is not None
            assert first_ns <= started_ns <= at_ns
            assert all(schedule.users_at(other) > user for other in instants if started_ns <= other <= at_ns)


@settings(deadline=None)
@given(curves, delays, revision_lists, st.integers(2, 5))
def test_workers_together_see_every_change(
    curve: Curve, start_s: float, revisions: list[Revision], workers: int
) -> None:
    schedule = Schedule(revisions, curve, start_s)
    seen: set[int] = set()
    for share in deal(workers):
        now_ns = -1
        while (at_ns := schedule.next_change_ns(now_ns, share)) is not None:
            now_ns = at_ns
            seen.add(at_ns)
    assert seen == set(walked(schedule))
