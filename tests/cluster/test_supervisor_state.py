"""What a supervisor does, by what it hears and sees."""

import hashlib

import msgspec

from swell.clock import NS_PER_S
from swell.cluster.messages import Dismiss, Duty, Ended, Enlist, Fetch, Muster, Part, Post, Remains
from swell.cluster.supervisor_state import SupervisorPhase, SupervisorState
from swell.cluster.supervisor_steps import (
    Command,
    Exit,
    Forget,
    Heard,
    Kill,
    Launch,
    LeaveWanted,
    NotUnpacked,
    ProcessEnded,
    Recover,
    Recovered,
    Say,
    Send,
    Terminate,
    Ticked,
    Unpack,
    Unpacked,
)
from swell.segment import Segment

T0 = 1_000 * NS_PER_S
ARCHIVE = b"the script's archive"
ENLIST = Enlist("m1", "loadgen-7", 2, 4711, version="0.1.0")
OUTLINE = Muster(
    number=1,
    term=1,
    run="run-1",
    sha256=hashlib.sha256(ARCHIVE).hexdigest(),
    archive_bytes=len(ARCHIVE),
    script="contest.py",
    version="0.1.0",
    posts=(),
    lease_s=15.0,
)
KILLED = "was killed by signal 9"


def muster(number: int, *posts: Post, over: bool = False) -> Heard:
    return Heard(msgspec.structs.replace(OUTLINE, number=number, posts=posts, over=over))


class Machine:
    """A supervisor under test, and a clock."""

    def __init__(self) -> None:
        self.now_ns = T0
        self.state = SupervisorState(ENLIST, "10.0.0.7:5557", 60.0, T0)

    def after(self, *events: object, wait_s: float = 0.0) -> list[Command]:
        """What follows from the last of some events."""
        self.now_ns += round(wait_s * NS_PER_S)
        commands: list[Command] = []
        for event in events:
            commands = self.state.handle(event, self.now_ns)  # type: ignore[arg-type]
            self.state.check()
        return commands

    def serving(self, *posts: Post) -> list[Command]:
        """From the first muster to the script's being there."""
        self.after(muster(1, *posts), Heard(Part(OUTLINE.sha256, 0, ARCHIVE)))
        return self.after(Unpacked())

    def standing(self, wait_s: float = 1.0) -> Enlist:
        """What it says of itself next."""
        (said,) = [each.message for each in self.after(Ticked(), wait_s=wait_s) if isinstance(each, Send)][-1:]
        assert isinstance(said, Enlist)
        return said


def texts(commands: list[Command]) -> list[str]:
    return [command.text for command in commands if isinstance(command, Say | Exit)]


def without_sends(commands: list[Command]) -> list[Command]:
    return [command for command in commands if not isinstance(command, Send)]


def test_it_says_each_second_how_it_stands_until_somebody_answers() -> None:
    machine = Machine()
    assert machine.after(Ticked()) == [Send(ENLIST)]
    assert machine.after(Ticked(), wait_s=0.5) == []
    assert machine.after(Ticked(), wait_s=0.5) == [Send(ENLIST)]


def test_it_says_now_and_then_whom_it_waits_for_and_why_that_is_not_there() -> None:
    machine = Machine()
    machine.after(Ticked())
    said = machine.after(Ticked("does not answer"), wait_s=10)
    assert texts(said) == ["waiting for a controller at 10.0.0.7:5557: it does not answer"]
    assert not texts(machine.after(Ticked("does not answer"), wait_s=5))


def test_it_gives_up_when_no_controller_comes() -> None:
    machine = Machine()
    (exit_,) = without_sends(machine.after(Ticked("has another key"), wait_s=60))
    assert exit_ == Exit(4, "no controller at 10.0.0.7:5557 within 60 s: it has another key")
    assert machine.after(Ticked()) == []


def test_it_fetches_the_script_before_it_starts_anybody() -> None:
    machine = Machine()
    first = machine.after(muster(1, Post(0, 1), Post(1, 1)))
    assert texts(first) == ["joined run run-1 at 10.0.0.7:5557 with 2 workers"]
    assert Send(Fetch(OUTLINE.sha256, 0)) in first
    assert without_sends(machine.after(Heard(Part(OUTLINE.sha256, 0, ARCHIVE)))) == [Unpack(ARCHIVE)]
    assert without_sends(machine.after(Unpacked())) == [Launch(0, 1), Launch(1, 1)]
    assert without_sends(machine.after(muster(2, Post(0, 1), Post(1, 1)))) == []


def test_an_archive_that_does_not_fit_its_hash_is_a_failure_that_the_controller_hears_of() -> None:
    machine = Machine()
    machine.after(muster(1, Post(0, 1)), Heard(Part(OUTLINE.sha256, 0, b"x" * len(ARCHIVE))))
    said = machine.standing()
    assert "its hash differs" in said.failure
    assert said.ended == (Ended(0, 1, f"was not started: {said.failure}"),)
    assert machine.after(muster(2))[-1] == Exit(4, said.failure)


def test_what_cannot_be_unpacked_is_a_failure_too() -> None:
    machine = Machine()
    machine.after(muster(1, Post(0, 1)), Heard(Part(OUTLINE.sha256, 0, ARCHIVE)), NotUnpacked("no room"))
    assert machine.standing().failure == "no room"


def test_whoever_is_not_posted_any_more_is_ended_and_forgotten_once_it_has() -> None:
    machine = Machine()
    machine.serving(Post(0, 1))
    assert without_sends(machine.after(muster(2))) == [Kill(0, 1)]
    assert Forget(0, 1) in machine.after(ProcessEnded(0, 1, KILLED))


def test_an_older_muster_changes_nothing() -> None:
    machine = Machine()
    machine.serving(Post(0, 1))
    machine.after(muster(3, Post(0, 1)))
    assert without_sends(machine.after(muster(2))) == []


def test_a_dead_worker_is_told_at_once_and_again_until_it_is_not_posted_any_more() -> None:
    machine = Machine()
    machine.serving(Post(0, 1))
    end = Ended(0, 1, KILLED, "Killed")
    commands = machine.after(ProcessEnded(0, 1, KILLED, "Killed"))
    assert texts(commands) == ["worker 0.1 was killed by signal 9"]
    assert isinstance(commands[-1], Send)
    assert machine.standing().ended == (end,)
    assert machine.standing().ended == (end,)
    assert machine.after(muster(2))[0] == Forget(0, 1)
    assert machine.standing().ended == ()


def test_what_a_dead_worker_left_is_read_once_the_controller_wants_it_and_sent_until_it_has_come() -> None:
    machine = Machine()
    machine.serving(Post(0, 1))
    machine.after(ProcessEnded(0, 1, KILLED))
    wanted = muster(2, Post(0, 1, Duty.RECOVER, applied=3, to_position=40), Post(0, 2))
    assert without_sends(machine.after(wanted)) == [Recover(0, 1, 3, 40), Launch(0, 2)]
    assert without_sends(machine.after(wanted)) == []
    parts = tuple(Remains(0, 1, (Segment("run-1", 0, 1, n, 0, n, 1.0),), 6) for n in (4, 5, 6))
    assert machine.after(Recovered(0, 1, parts))[:3] == [Send(part) for part in parts]
    machine.after(muster(2, Post(0, 1, Duty.RECOVER, applied=4, to_position=50), Post(0, 2)))
    again = machine.after(Ticked(), wait_s=2)
    assert [each for each in again if isinstance(each, Send) and isinstance(each.message, Remains)] == [
        Send(parts[1]),
        Send(parts[2]),
    ]
    assert Forget(0, 1) in machine.after(muster(3, Post(0, 2)))


def test_a_worker_that_is_to_be_ended_is_killed_and_stays_posted() -> None:
    machine = Machine()
    machine.serving(Post(0, 1))
    assert without_sends(machine.after(muster(2, Post(0, 1, Duty.END)))) == [Kill(0, 1)]
    machine.after(ProcessEnded(0, 1, KILLED))
    assert machine.standing().ended == (Ended(0, 1, KILLED),)


def test_asked_to_leave_it_asks_its_workers_starts_nobody_and_goes_when_all_have_gone() -> None:
    machine = Machine()
    machine.serving(Post(0, 1), Post(1, 1))
    commands = machine.after(LeaveWanted())
    assert without_sends(commands)[1:] == [Terminate(0, 1), Terminate(1, 1)]
    said = commands[-1]
    assert isinstance(said, Send)
    assert isinstance(said.message, Enlist)
    assert said.message.leaving
    machine.after(ProcessEnded(0, 1, "ended with exit code 0"), muster(2, Post(1, 1), Post(2, 1)))
    assert Ended(2, 1, "was not started: its machine is leaving") in machine.standing().ended
    machine.after(ProcessEnded(1, 1, "ended with exit code 0"))
    assert machine.after(muster(3))[-1] == Exit(0, "left run run-1: 2 workers ran here")


def test_whoever_asked_it_to_leave_is_told_now_and_then_why_it_has_not() -> None:
    machine = Machine()
    machine.serving(Post(0, 1))
    machine.after(LeaveWanted())
    machine.after(muster(2, Post(0, 1)), wait_s=8)
    said = machine.after(Ticked(), wait_s=2)
    assert texts(said) == ["nobody has taken over from 1 worker yet; a second signal ends them at once"]
    machine.after(muster(2, Post(0, 1)))
    assert not texts(machine.after(Ticked(), wait_s=1))


def test_it_can_say_in_a_few_words_how_it_stands() -> None:
    machine = Machine()
    summary = machine.state.summary
    assert summary(T0 + 75 * NS_PER_S) == "looking for a controller at 10.0.0.7:5557, for 1:15"
    machine.after(muster(1, Post(0, 1)))
    assert summary(T0) == "fetching the script: 0% of 0.0 MB"
    machine.serving(Post(0, 1))
    assert summary(T0 + 3_605 * NS_PER_S) == "run run-1: 1 worker here, for 1:00:05"
    machine.after(LeaveWanted())
    assert summary(T0) == "run run-1: leaving, 1 worker here, for 0:00"


def test_asked_to_leave_before_there_is_a_run_it_goes() -> None:
    assert Machine().after(LeaveWanted())[-1] == Exit(0, "left before there was a run")


def test_when_the_run_is_over_it_waits_for_its_workers_but_not_for_ever() -> None:
    machine = Machine()
    machine.serving(Post(0, 1), Post(1, 1))
    assert without_sends(machine.after(muster(2, over=True))) == []
    assert without_sends(machine.after(ProcessEnded(0, 1, "ended with exit code 0"))) == []
    assert machine.after(Ticked(), wait_s=2)[-1] == Exit(0, "run run-1 is over: 2 workers ran here")


def test_a_silent_controller_is_named_and_waited_for_after_all_leases_are_over() -> None:
    machine = Machine()
    machine.serving(Post(0, 1))
    said = machine.after(Ticked("has hung up"), wait_s=3)
    assert texts(said) == [
        "the controller at 10.0.0.7:5557 has hung up: users go on until the workers' lease of 15 s is over"
    ]
    assert not without_sends(machine.after(Ticked("has hung up"), wait_s=56))
    (exit_,) = without_sends(machine.after(Ticked("has hung up"), wait_s=1))
    assert exit_ == Exit(4, "nothing was heard of the controller at 10.0.0.7:5557 for 60 s", keep=True)


def test_a_controller_that_comes_back_is_followed_again() -> None:
    machine = Machine()
    machine.serving(Post(0, 1))
    machine.after(Ticked(), wait_s=20)
    assert texts(machine.after(muster(1, Post(0, 1)))) == ["the controller at 10.0.0.7:5557 is back"]
    assert not without_sends(machine.after(Ticked(), wait_s=2))


def test_a_controller_that_has_gone_when_all_workers_were_through_is_no_failure() -> None:
    machine = Machine()
    machine.serving(Post(0, 1))
    machine.after(ProcessEnded(0, 1, "ended with exit code 0"), Ticked())
    assert machine.after(Ticked(), wait_s=60)[-1] == Exit(0, "the controller is gone: 1 worker ran here")


def test_who_is_dismissed_says_why() -> None:
    assert Machine().after(Heard(Dismiss("the controller is of another version")))[-1] == Exit(
        4, "the controller is of another version"
    )


def test_another_run_at_the_same_address_is_not_joined_in_the_middle() -> None:
    machine = Machine()
    machine.serving(Post(0, 1))
    other = msgspec.structs.replace(OUTLINE, run="run-2")
    assert machine.after(Heard(other))[-1] == Exit(4, "run run-1 is gone: 10.0.0.7:5557 has run run-2 now")
    assert machine.state.phase is SupervisorPhase.OVER
