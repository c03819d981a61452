from swell.clock import NS_PER_S
from swell.cluster.roster_state import Roster
from swell.cluster.user_steps import Change, LeaveUser, StartUser
from swell.load.schedule import Schedule
from swell.load.shares import NOTHING, deal, everything
from swell.load_plan import Curve, Leg
from swell.plan import Revision

MS = NS_PER_S // 1_000
ALL = everything()
TEN_PER_S = Revision(0, 0.0, 10, 10.0)


def following(*revisions: Revision) -> Roster:
    roster = Roster()
    assert roster.follow(Schedule(revisions), ALL, 0, -1) == []
    return roster


def starts(changes: list[Change]) -> list[tuple[int, int]]:
    """(user, due in ms) of all starts."""
    return [(change.number, change.due_ns // MS) for change in changes if isinstance(change, StartUser)]


def departures(changes: list[Change]) -> list[int]:
    return [change.number for change in changes if isinstance(change, LeaveUser)]


def test_users_start_when_they_are_due_and_one_that_wakes_late_starts_all_it_missed() -> None:
    roster = following(TEN_PER_S)
    assert roster.wake_ns == 0
    assert starts(roster.advance(0)) == [(0, 0)]
    assert roster.wake_ns == 100 * MS
    assert starts(roster.advance(350 * MS)) == [(1, 100), (2, 200), (3, 300)]
    assert roster.wake_ns == 400 * MS
    roster.check()


def test_two_workers_share_the_users_without_overlap() -> None:
    rosters = [Roster(), Roster()]
    for roster, share in zip(rosters, deal(2), strict=True):
        roster.follow(Schedule([TEN_PER_S]), share, 0, 5 * NS_PER_S)
        roster.check()
    assert sorted(rosters[0].present | rosters[1].present) == list(range(10))
    assert not rosters[0].present & rosters[1].present


def test_the_highest_leave_when_there_are_to_be_fewer() -> None:
    roster = following(TEN_PER_S)
    roster.advance(NS_PER_S)
    changes = roster.follow(Schedule([TEN_PER_S, Revision(1, 2.0, 7, 10.0)]), ALL, 0, 2 * NS_PER_S)
    assert departures(changes) == [9]
    assert departures(roster.advance(3 * NS_PER_S)) == [8, 7]
    assert departures(roster.advance(4 * NS_PER_S)) == []
    roster.check()


def test_a_user_that_is_still_leaving_is_started_again_only_when_it_has_gone() -> None:
    roster = following(TEN_PER_S, Revision(1, 2.0, 9, 10.0), Revision(2, 3.0, 10, 10.0))
    roster.advance(NS_PER_S)
    assert departures(roster.advance(2 * NS_PER_S)) == [9]
    assert starts(roster.advance(3 * NS_PER_S)) == []
    assert starts(roster.gone(9)) == [(9, 3_000)]
    roster.check()


def test_a_user_that_stopped_itself_stays_away() -> None:
    roster = following(TEN_PER_S)
    roster.advance(NS_PER_S)
    assert roster.gone(4) == []
    assert roster.advance(2 * NS_PER_S) == []
    assert 4 not in roster.present


def test_it_is_idle_when_all_have_come_and_gone() -> None:
    roster = following(TEN_PER_S)
    assert not roster.idle
    roster.advance(NS_PER_S)
    for number in range(10):
        assert not roster.idle
        roster.gone(number)
    assert roster.idle


def test_without_users_to_come_it_is_not_idle_but_waits() -> None:
    roster = following(TEN_PER_S, Revision(1, 0.0, 0, 10.0))
    roster.advance(NS_PER_S)
    assert not roster.present
    assert not roster.idle


def test_a_replacement_starts_the_users_in_arrears_one_by_one_within_two_seconds() -> None:
    schedule = Schedule([Revision(0, 0.0, 1_000, 10_000.0)])
    roster = Roster()
    roster.follow(schedule, deal(2)[0], 60 * NS_PER_S, 60 * NS_PER_S)
    assert len(roster.present) == 1
    roster.advance(61 * NS_PER_S)
    assert 200 <= len(roster.present) <= 10_000 // 2
    roster.advance(62 * NS_PER_S)
    assert len(roster.present) == 500
    assert roster.wake_ns is None
    roster.check()


def test_a_replacement_in_the_middle_of_the_ramp_also_keeps_up_with_it() -> None:
    roster = Roster()
    roster.follow(Schedule([Revision(0, 0.0, 100, 10.0)]), ALL, 5 * NS_PER_S, 5 * NS_PER_S)
    roster.advance(7 * NS_PER_S)
    assert roster.present == set(range(71))
    roster.advance(10 * NS_PER_S)
    assert roster.present == set(range(100))


def test_an_inherited_share_brings_its_users_and_a_lost_one_takes_them() -> None:
    mine, others = deal(2)
    roster = Roster()
    schedule = Schedule([TEN_PER_S])
    roster.follow(schedule, mine, 0, NS_PER_S)
    before = set(roster.present)
    roster.follow(schedule, ALL, 2 * NS_PER_S, 2 * NS_PER_S)
    roster.advance(4 * NS_PER_S)
    assert roster.present == set(range(10))
    changes = roster.follow(schedule, others, 5 * NS_PER_S, 5 * NS_PER_S)
    assert set(departures(changes)) == before
    roster.check()


def test_nothing_to_share_means_nothing_to_do() -> None:
    roster = Roster()
    roster.follow(Schedule([TEN_PER_S]), NOTHING, 0, NS_PER_S)
    assert (roster.present, roster.wake_ns) == (set(), None)


def test_a_curve_that_falls_to_nothing_is_over_at_its_end_and_not_before() -> None:
    curve = Curve((Leg(0.0, 2, 2), Leg(1.0, 2, 2), Leg(3.0, 0, 0)))
    roster = Roster(4 * NS_PER_S, 5.0, 2.0)
    roster.follow(Schedule((), curve), ALL, 0, 0)
    assert roster.advance(NS_PER_S) == [LeaveUser(1, 2.0), LeaveUser(0, 2.0)]
    roster.gone(0)
    roster.gone(1)
    assert (roster.wake_ns, roster.idle) == (4 * NS_PER_S, False)
    roster.advance(4 * NS_PER_S)
    assert (roster.wake_ns, roster.idle) == (None, True)


def test_users_have_another_time_to_leave_when_the_load_is_over() -> None:
    roster = Roster(NS_PER_S, 5.0, 2.0)
    roster.follow(Schedule((), Curve((Leg(1.0, 1, 1),))), ALL, 0, 0)
    assert roster.advance(NS_PER_S) == [LeaveUser(0, 5.0)]
