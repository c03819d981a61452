"""Other machines, as the controller sees them: whose supervisor is there, and what it is to see to. Pure.

A supervisor that enlists is given as many workers as it would run; each has a number of its own and stays on that
machine, incarnation after incarnation. What the controller wants of such a worker (`Launch`, `Kill`) is what its
machine's `Muster` says from then on; what the supervisor says of it (`Ended`, `Remains`) is taken in once. A post is
kept until its process has ended and nothing more can come from it.

A supervisor of which nothing is heard needs no care: its workers have leases of their own. When it is back it goes on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import msgspec

from swell.cluster.controller_steps import Apply, Command, Kill, Launch, Over, Recover, Send, Supply
from swell.cluster.member_state import Member, Membership, identity_of
from swell.cluster.messages import PROTOCOL, Duty, Ended, Enlist, Fetch, Muster, Post, Remains
from swell.plan import MOST_WORKERS

MOST_MACHINES = MOST_WORKERS
MOST_TURNED_AWAY = 20
"""Of so many it is said."""


@dataclasses.dataclass(slots=True)
class Posted:
    """An incarnation on another machine."""

    member: Member
    to_position: int = 0
    """How far into its ring the reports reach that have been applied."""
    is_doomed: bool = False
    """It is to be ended at once."""
    has_ended: bool = False

    @property
    def post(self) -> Post:
        """What is to be seen to."""
        duty = Duty.RECOVER if self.has_ended else Duty.END if self.is_doomed else Duty.RUN
        return Post(self.member.worker, self.member.incarnation, duty, self.member.applied, self.to_position)

    @property
    def is_done(self) -> bool:
        """Nothing more can come from it."""
        return self.has_ended and self.member.finished


class Machine:
    """A supervisor."""

    def __init__(self, enlist: Enlist) -> None:
        self.name = enlist.machine
        self.host = enlist.host
        self.pid = enlist.pid
        self.leaving = False
        self.failure = ""
        self.posts: dict[bytes, Posted] = {}
        self._number = 0
        self._told: tuple[object, ...] = ()

    def __repr__(self) -> str:
        state = "failed" if self.failure else "leaving" if self.leaving else "there"
        return f"<Machine {self.name} on {self.host}, {state}, muster {self._number}>"

    @property
    def identity(self) -> bytes:
        """What it is called on the link."""
        return self.name.encode()

    def number_for(self, posts: tuple[Post, ...], is_over: bool) -> int:
        """The number of a muster that says this: the one before, if that said the same."""
        told = is_over, *((post.worker, post.incarnation, post.duty) for post in posts)
        if told != self._told:
            self._told = told
            self._number += 1
        return self._number


class Machines:
    """The machines of one run. `outline`: a muster with what is the same for all of them; None: none may come."""

    def __init__(self, members: Membership, outline: Muster | None = None) -> None:
        self._members = members
        self._outline = outline
        self._by_name: dict[str, Machine] = {}
        self._changed: set[str] = set()
        """Those that are to be told something."""
        self._turned_away: set[str] = set()
        self._is_over = False

    def __repr__(self) -> str:
        return f"<Machines {list(self._by_name.values())}>"

    def __iter__(self) -> Iterator[Machine]:
        return iter(self._by_name.values())

    def host_of(self, member: Member) -> str:
        """Where a worker runs; '': where the controller does."""
        machine = self._by_name.get(member.machine)
        return machine.host if machine is not None else ""

    def may_launch(self, member: Member) -> bool:
        """Whether another incarnation of the worker can be started where it lives."""
        machine = self._by_name.get(member.machine)
        return machine is None or not (machine.leaving or machine.failure)

    def restore(self, name: str, host: str, pid: int, *, leaving: bool) -> None:
        """A machine was there before this controller was."""
        machine = self._by_name[name] = Machine(Enlist(machine=name, host=host, processes=0, pid=pid))
        machine.leaving = leaving

    def post(self, member: Member, to_position: int) -> None:
        """A worker of such a machine was, too."""
        posted = Posted(member, to_position, has_ended=member.ended)
        if not posted.is_done:
            self._by_name[member.machine].posts[member.identity] = posted

    # --- what supervisors say ----------------------------------------------------------------------------------------

    def fault_of(self, sender: bytes, enlist: Enlist) -> str:
        """Why a supervisor cannot be part of the run; '' if it can."""
        if self._outline is None:
            return "this run takes no workers of other machines: it was started without --listen"
        if (enlist.protocol, enlist.version) != (PROTOCOL, self._outline.version):
            ours = f"swell {self._outline.version} (protocol {PROTOCOL})"
            theirs = f"swell {enlist.version} (protocol {enlist.protocol})"
            return f"the controller runs {ours}, this worker {theirs}: install the same version"
        known = self._by_name.get(enlist.machine)
        if sender != enlist.machine.encode() or (known and (known.host, known.pid) != (enlist.host, enlist.pid)):
            return f"another machine is called {enlist.machine} already"
        if known is not None:
            return ""
        if len(self._by_name) >= MOST_MACHINES:
            return f"the run has {MOST_MACHINES:,} machines already"
        room = MOST_WORKERS - len(self._members.present)
        if not 0 < enlist.processes <= room:
            return f"the run has room for {room:,} more workers, not for {enlist.processes:,}"
        return ""

    def turned_away(self, enlist: Enlist, fault: str) -> list[str]:
        """A supervisor cannot be part of the run: what whoever watches should know of it, once."""
        if enlist.machine in self._turned_away or len(self._turned_away) >= MOST_TURNED_AWAY:
            return []
        self._turned_away.add(enlist.machine)
        return [f"{enlist.host} cannot join: {fault}"]

    def enlist(self, enlist: Enlist) -> tuple[int, list[str]]:
        """A supervisor is there, for the first time or again, and is going to be answered. How many workers are to be
        recruited for it, and what whoever watches should know."""
        machine = self._by_name.get(enlist.machine)
        news: list[str] = []
        places = 0
        if machine is None:
            machine = self._by_name[enlist.machine] = Machine(enlist)
            if not (enlist.leaving or enlist.failure):
                places = enlist.processes
                news.append(f"{machine.host} joins with {count_workers(places)}")
        self._changed.add(machine.name)
        if enlist.leaving and not machine.leaving:
            news.append(f"{machine.host} leaves: others take over what its workers do")
        if enlist.failure and not machine.failure:
            news.append(f"{machine.host} cannot take part: {enlist.failure}")
        machine.leaving = machine.leaving or enlist.leaving
        machine.failure = machine.failure or enlist.failure
        return places, news

    def newly_ended(self, enlist: Enlist) -> list[Ended]:
        """Which of the ends that a supervisor tells of are news."""
        posts = self._by_name[enlist.machine].posts
        news = []
        for end in enlist.ended:
            posted = posts.get(identity_of(end.worker, end.incarnation))
            if posted is not None and not posted.has_ended:
                posted.has_ended = True
                news.append(end)
        return news

    def fetch(self, sender: bytes, wanted: Fetch) -> list[Command]:
        """A supervisor wants a part of the archive; nothing where it is none of ours."""
        return [Supply(sender, wanted)] if sender.decode("ascii", "replace") in self._by_name else []

    def left_behind(self, sender: bytes, remains: Remains) -> Member | None:
        """The lost worker of which a supervisor tells what it left behind; None: that is not its to say, or no news."""
        machine = self._by_name.get(sender.decode("ascii", "replace"))
        posted = machine.posts.get(identity_of(remains.worker, remains.incarnation)) if machine is not None else None
        if posted is None or not posted.has_ended:
            return None
        return posted.member if posted.member.lost and not posted.member.recovered else None

    # --- what supervisors are told -----------------------------------------------------------------------------------

    def routed(self, commands: list[Command]) -> list[Command]:
        """The commands, of which those about workers on other machines have become musters to their supervisors."""
        if not self._by_name:
            return commands
        kept: list[Command] = []
        for command in commands:
            if isinstance(command, Launch | Kill | Recover) and self._takes_over(command):
                continue
            if isinstance(command, Apply):
                self._note_applied(command)
            elif isinstance(command, Over):
                self._is_over = True
                self._changed.update(self._by_name)
            kept.append(command)
        names, self._changed = sorted(self._changed), set()
        return [*kept, *(self._muster(self._by_name[name]) for name in names)]

    def _takes_over(self, command: Launch | Kill | Recover) -> bool:
        identity = identity_of(command.worker, command.incarnation)
        member = self._members.called(identity)
        machine = self._by_name.get(member.machine) if member is not None else None
        if machine is None or member is None:
            return False
        if isinstance(command, Launch):
            machine.posts[identity] = Posted(member)
        elif isinstance(command, Kill) and identity in machine.posts:
            machine.posts[identity].is_doomed = True
        self._changed.add(machine.name)
        return True  # what it left behind comes by itself, once it has ended

    def _note_applied(self, applied: Apply) -> None:
        identity = identity_of(applied.segment.worker, applied.segment.incarnation)
        member = self._members.called(identity)
        machine = self._by_name.get(member.machine) if member is not None else None
        if machine is not None and identity in machine.posts:
            machine.posts[identity].to_position = applied.segment.to_position

    def _muster(self, machine: Machine) -> Command:
        assert self._outline is not None
        for identity in [identity for identity, posted in machine.posts.items() if posted.is_done]:
            del machine.posts[identity]
        posts = () if self._is_over else tuple(posted.post for posted in machine.posts.values())
        number = machine.number_for(posts, self._is_over)
        return Send(
            machine.identity, msgspec.structs.replace(self._outline, number=number, posts=posts, over=self._is_over)
        )

    def check(self) -> None:
        """Raise AssertionError if anything contradicts itself."""
        assert self._changed == set()
        for machine in self:
            assert all(posted.member.machine == machine.name for posted in machine.posts.values())
            assert all(posted.member.identity == identity for identity, posted in machine.posts.items())


def count_workers(workers: int) -> str:
    """So many of them, in words."""
    return "1 worker" if workers == 1 else f"{workers:,} workers"
