from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from swell.clock import NS_PER_S
from swell.load.schedule import Schedule
from swell.load.shares import Share, deal
from swell.plan import Revision

MS = 1_000_000

rates = st.sampled_from([0.5, 1.0, 3.0, 7.3, 100.0, 999.9])
delays_s = st.sampled_from([0.0, 0.0, 0.001, 0.3, 7.0])
revision_lists = st.lists(
    st.tuples(st.integers(0, 4_000), st.integers(0, 40), rates, delays_s), min_size=1, max_size=6
).map(
    lambda rows: [
        Revision(number, at_ms / 1000, users, rate, delay_s=delay_s)
        for number, (at_ms, users, rate, delay_s) in enumerate(sorted(rows))
    ]
)


def walk(revisions: list[Revision], until_ns: int) -> list[tuple[int, int]]:
    """The slow oracle: one step after the other, as (instant in ns, users from then on)."""
    users, latest, steps = 0, None, []
    for number, revision in enumerate(revisions):
        at = Fraction(round(revision.at_s * NS_PER_S))
        end = round(revisions[number + 1].at_s * NS_PER_S) if number + 1 < len(revisions) else until_ns
        gap = NS_PER_S / Fraction(revision.rate_per_s)
        delayed = at + round(revision.delay_s * NS_PER_S)
        due = delayed if latest is None or -(-latest // 1) + gap <= at else -(-latest // 1) + gap
        while users != revision.users and -(-due // 1) < end:
            users += 1 if users < revision.users else -1
            latest = due
            steps.append((int(-(-due // 1)), users))
            due += gap
    return steps


def test_a_hundred_users_a_second_are_one_every_ten_milliseconds() -> None:
    schedule = Schedule([Revision(0, 0.0, 500, 100.0)])
    assert [schedule.due_ns(user) for user in (0, 1, 2, 499)] == [0, 10 * MS, 20 * MS, 4_990 * MS]
    assert schedule.due_ns(500) is None
    assert schedule.settled_ns == 4_990 * MS


def test_an_odd_rate_does_not_drift() -> None:
    schedule = Schedule([Revision(0, 0.0, 1_000_000, 3.0)])
    assert schedule.due_ns(999_999) == 333_333 * NS_PER_S
    assert schedule.due_ns(1) == 333_333_334


def test_the_highest_numbers_leave_first() -> None:
    schedule = Schedule([Revision(0, 0.0, 10, 10.0), Revision(1, 5.0, 7, 2.0)])
    assert [schedule.users_at(at_ms * MS) for at_ms in (4_999, 5_000, 5_499, 5_500, 6_000, 9_000)] == [
        10,
        9,
        9,
        8,
        7,
        7,
    ]


def test_a_revision_in_the_middle_of_a_ramp_keeps_its_rhythm() -> None:
    schedule = Schedule([Revision(0, 0.0, 10, 10.0), Revision(1, 0.25, 11, 10.0)])
    assert [schedule.due_ns(user) for user in range(11)] == [user * 100 * MS for user in range(11)]


def test_a_user_that_left_may_start_again() -> None:
    schedule = Schedule([Revision(0, 0.0, 3, 10.0), Revision(1, 1.0, 1, 10.0), Revision(2, 2.0, 3, 10.0)])
    assert schedule.due_ns(1) == 100 * MS
    assert schedule.due_ns(1, by_ns=3 * NS_PER_S) == 2_000 * MS
    assert schedule.due_ns(2, by_ns=3 * NS_PER_S) == 2_100 * MS


@given(revision_lists)
def test_it_takes_the_same_steps_as_one_that_walks(revisions: list[Revision]) -> None:
    until_ns = 200 * NS_PER_S
    schedule = Schedule(revisions)
    now_ns, steps = -1, []
    while (at_ns := schedule.next_change_ns(now_ns)) is not None:
        assert at_ns > now_ns
        now_ns = at_ns
        steps.append((now_ns, schedule.users_at(now_ns)))
    assert steps == walk(revisions, until_ns)


@given(revision_lists, st.integers(1, 5))
def test_workers_together_start_and_stop_exactly_the_planned_users(revisions: list[Revision], workers: int) -> None:
    schedule = Schedule(revisions)
    instants: set[int] = set()
    for share in deal(workers):
        now_ns = -1
        while (at_ns := schedule.next_change_ns(now_ns, share)) is not None:
            assert changed(schedule, share, now_ns, at_ns)
            now_ns = at_ns
            instants.add(now_ns)
    assert instants == {at_ns for at_ns, _ in walk(revisions, 200 * NS_PER_S)}


def changed(schedule: Schedule, share: Share, before_ns: int, at_ns: int) -> bool:
    """At `at_ns` one user of the share starts or leaves, and none does in between."""
    had, has = schedule.users_at(at_ns - 1), schedule.users_at(at_ns)
    untouched = schedule.users_at(max(before_ns, 0)) if before_ns >= 0 else 0
    return share.below(had) == share.below(untouched) and share.below(had) != share.below(has)


@given(revision_lists, st.integers(0, 60))
def test_a_start_is_due_when_the_users_pass_its_number(revisions: list[Revision], user: int) -> None:
    schedule = Schedule(revisions)
    due_ns = schedule.due_ns(user)
    if due_ns is None:
        assert all(users <= user for _, users in walk(revisions, 200 * NS_PER_S))
    else:
        assert schedule.users_at(due_ns) == user + 1
        assert schedule.users_at(due_ns - 1) <= user


def anchored(revisions: list[Revision]) -> list[Revision]:
    """Each with what it takes from those before it."""
    found: list[Revision] = []
    for revision in revisions:
        found.append(Schedule(found).anchored(revision))
    return found


@given(revision_lists, st.integers(0, 5))
def test_the_last_revisions_are_enough_where_each_says_what_it_found(revisions: list[Revision], forgotten: int) -> None:
    kept = anchored(revisions)[min(forgotten, len(revisions) - 1) :]
    whole, schedule = Schedule(revisions), Schedule(kept)
    now_ns = round(kept[0].at_s * NS_PER_S) - 1
    while (at_ns := whole.next_change_ns(now_ns)) is not None:
        assert schedule.next_change_ns(now_ns) == at_ns
        assert schedule.users_at(at_ns) == whole.users_at(at_ns)
        now_ns = at_ns
    assert schedule.next_change_ns(now_ns) is None
    assert (schedule.settled_ns, schedule.goal) == (whole.settled_ns, whole.goal)


def test_thousands_of_revisions_do_not_make_instants_of_thousands_of_digits() -> None:
    revisions: list[Revision] = []
    for second in range(2_000):
        revisions.append(Schedule(revisions[-1:]).anchored(Revision(second, second + 0.005, 1_000, 7.3 - second / 999)))
    step = Schedule(revisions[-1:])._pieces[-1].first_ns
    assert step.denominator < 2**64
    assert Schedule(revisions[-1:]).users_at(2_000 * NS_PER_S) == 1_000


def test_a_delay_holds_the_first_user_back_but_no_ramp_that_is_under_way() -> None:
    schedule = Schedule([Revision(0, 0.0, 2, 1.0, delay_s=0.5), Revision(1, 1.0, 3, 1.0, delay_s=0.9)])
    assert [schedule.due_ns(user) for user in range(3)] == [500 * MS, 1_500 * MS, 2_500 * MS]
