"""Other machines, as the controller sees them."""

import msgspec
import pytest

from swell.cluster.controller_steps import Command, Kill, Launch, Note, Over, Recover, Send, Supply
from swell.cluster.machines_state import MOST_MACHINES, MOST_TURNED_AWAY, Machines
from swell.cluster.member_state import Member, Membership
from swell.cluster.messages import PROTOCOL, Duty, Ended, Enlist, Fetch, Muster, Post, Remains
from swell.plan import MOST_WORKERS

T0 = 1_000_000_000
ENLIST = Enlist("m1", "loadgen-7", 2, 4711, version="0.1.0")
OUTLINE = Muster(
    number=0,
    term=1,
    run="run-1",
    sha256="abc",
    archive_bytes=10,
    script="contest.py",
    version="0.1.0",
    posts=(),
)
KILLED = "was killed by signal 9"


class Headquarters:
    """Machines under test, and the members of their run."""

    def __init__(self, outline: Muster | None = OUTLINE) -> None:
        self.members = Membership()
        self.machines = Machines(self.members, outline)

    def enlisted(self, enlist: Enlist = ENLIST) -> list[Member]:
        """A supervisor has said how it stands, and who is new is launched."""
        assert self.machines.fault_of(enlist.machine.encode(), enlist) == ""
        places, _ = self.machines.enlist(enlist)
        recruits = [self.members.recruit(enlist.machine, T0) for _ in range(places)]
        self.musters(*(Launch(member.worker, member.incarnation) for member in recruits))
        return recruits

    def musters(self, *commands: Command) -> list[Muster]:
        """What goes out to supervisors with these commands; nothing else may be left of them."""
        routed = self.machines.routed(list(commands))
        self.machines.check()
        sent = [command.message for command in routed if isinstance(command, Send)]
        return [message for message in sent if isinstance(message, Muster)]

    def posts(self) -> tuple[Post, ...]:
        """What the supervisor is told next."""
        self.machines.enlist(ENLIST)
        (muster,) = self.musters()
        return muster.posts

    def ended(self, *ends: Ended) -> list[Ended]:
        return self.machines.newly_ended(msgspec.structs.replace(ENLIST, ended=ends))


def test_a_supervisor_is_given_as_many_workers_as_it_would_run_and_each_time_an_answer() -> None:
    there = Headquarters()
    places, news = there.machines.enlist(ENLIST)
    assert (places, news) == (2, ["loadgen-7 joins with 2 workers"])
    recruits = [there.members.recruit("m1", T0) for _ in range(places)]
    (muster,) = there.musters(*(Launch(member.worker, member.incarnation) for member in recruits))
    assert (muster.number, muster.posts) == (1, (Post(0, 1), Post(1, 1)))
    assert there.machines.enlist(ENLIST) == (0, [])
    (again,) = there.musters()
    assert again == muster


def test_commands_about_workers_of_this_machine_stay_commands() -> None:
    there = Headquarters()
    here = there.members.add(0, T0)
    there.enlisted()
    commands: list[Command] = [Launch(here.worker, 1), Kill(here.worker, 1), Recover(here.worker, 1), Note("hello")]
    assert there.machines.routed(commands) == commands


def test_a_worker_that_is_to_be_killed_is_to_be_ended_where_it_runs() -> None:
    there = Headquarters()
    there.enlisted()
    (muster,) = there.musters(Kill(1, 1))
    assert muster.posts == (Post(0, 1), Post(1, 1, Duty.END))
    assert muster.number == 2


def test_an_end_is_news_once_and_its_remains_are_wanted_until_they_have_come() -> None:
    there = Headquarters()
    member, _ = there.enlisted()
    end = Ended(0, 1, KILLED)
    assert there.ended(end) == [end]
    assert there.ended(end) == []
    there.members.lose(member, T0)
    assert there.posts()[0] == Post(0, 1, Duty.RECOVER)
    assert there.machines.left_behind(b"m1", Remains(0, 1, (), 0)) is member
    assert there.machines.left_behind(b"m2", Remains(0, 1, (), 0)) is None
    assert there.machines.left_behind(b"m1", Remains(1, 1, (), 0)) is None


def test_a_machine_that_leaves_or_has_failed_is_given_nobody() -> None:
    there = Headquarters()
    member, _ = there.enlisted()
    assert there.machines.may_launch(member)
    _, news = there.machines.enlist(msgspec.structs.replace(ENLIST, leaving=True))
    assert news == ["loadgen-7 leaves: others take over what its workers do"]
    assert not there.machines.may_launch(member)
    other = msgspec.structs.replace(ENLIST, machine="m2", failure="no room")
    assert there.machines.enlist(other) == (0, ["loadgen-7 cannot take part: no room"])


def test_all_machines_hear_of_the_end() -> None:
    there = Headquarters()
    there.enlisted()
    (muster,) = there.musters(Over())
    assert muster.over
    assert muster.posts == ()
    assert muster.number == 2


def test_only_those_who_are_here_are_handed_the_archive() -> None:
    there = Headquarters()
    wanted = Fetch("abc", 0)
    assert there.machines.fetch(b"m1", wanted) == []
    there.enlisted()
    assert there.machines.fetch(b"m1", wanted) == [Supply(b"m1", wanted)]
    assert there.machines.fetch(b"\xff", wanted) == []


def test_versions_that_differ_are_both_named() -> None:
    there = Headquarters()
    fault = there.machines.fault_of(b"m1", msgspec.structs.replace(ENLIST, version="0.2.0", protocol=9))
    assert fault == (
        f"the controller runs swell 0.1.0 (protocol {PROTOCOL}), this worker swell 0.2.0 (protocol 9): "
        "install the same version"
    )


@pytest.mark.parametrize("changed", [{"pid": 4712}, {"host": "loadgen-8"}], ids=["another process", "another host"])
def test_a_second_machine_with_the_same_name_is_refused(changed: dict[str, object]) -> None:
    there = Headquarters()
    there.enlisted()
    second = msgspec.structs.replace(ENLIST, **changed)
    assert there.machines.fault_of(b"m1", second) == "another machine is called m1 already"
    assert there.machines.fault_of(b"m1", ENLIST) == ""


def test_who_is_turned_away_is_told_of_once_and_not_without_end() -> None:
    there = Headquarters()
    assert there.machines.turned_away(ENLIST, "it is too old") == ["loadgen-7 cannot join: it is too old"]
    assert there.machines.turned_away(ENLIST, "it is too old") == []
    others = [msgspec.structs.replace(ENLIST, machine=f"x{number}") for number in range(100)]
    assert sum(len(there.machines.turned_away(other, "")) for other in others) == MOST_TURNED_AWAY - 1


def test_nobody_can_enlist_another() -> None:
    assert Headquarters().machines.fault_of(b"m2", ENLIST) == "another machine is called m1 already"


@pytest.mark.parametrize("processes", [0, -1, MOST_WORKERS + 1])
def test_more_workers_than_there_is_room_for_are_refused(processes: int) -> None:
    fault = Headquarters().machines.fault_of(b"m1", msgspec.structs.replace(ENLIST, processes=processes))
    assert fault == f"the run has room for 1,000 more workers, not for {processes:,}"


def test_there_is_a_most_of_machines() -> None:
    there = Headquarters()
    for number in range(MOST_MACHINES):
        there.machines.enlist(msgspec.structs.replace(ENLIST, machine=f"x{number}", failure="none"))
    assert "1,000 machines already" in there.machines.fault_of(b"m1", ENLIST)


def test_a_run_that_does_not_listen_takes_nobody() -> None:
    assert "without --listen" in Headquarters(outline=None).machines.fault_of(b"m1", ENLIST)
