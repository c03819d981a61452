"""The way to a run's beginning: who is waited for, what each can carry, and which users are to be ready. Pure.

GATHERING ──all are there, cleared──► MEASURING ──known──► PREPARING ──users are ready──► RUNNING
                                  where workers are on       where arrivals are
                                  several machines           due
"""

from __future__ import annotations

from dataclasses import dataclass

from swell.clock import NS_PER_S
from swell.cluster.controller_steps import Command, Note, Send
from swell.cluster.course_state import Course, Phase
from swell.cluster.dealing_state import Dealing
from swell.cluster.gathering_state import Gathering, Measuring
from swell.cluster.member_state import Membership
from swell.cluster.ordering_state import Ordering

PREPARED_WITHIN_NS = 60 * NS_PER_S
PATIENCE_NS = NS_PER_S
"""Whoever waits for users to get ready for longer than this is told what for."""
BEFORE = (Phase.GATHERING, Phase.MEASURING, Phase.PREPARING)
"""The phases before the run begins."""


@dataclass(frozen=True, slots=True)
class Step:
    """What has come of a moment: how far the run is now, and what is to be done; or why it cannot begin."""

    phase: Phase
    commands: list[Command]
    failure: str = ""


class Opening:
    """One run's."""

    def __init__(
        self,
        gathering: Gathering,
        members: Membership,
        course: Course,
        dealing: Dealing,
        measuring: Measuring,
        ordering: Ordering,
    ) -> None:
        self.is_cleared = False
        """What has to be done here before the first user starts is done."""
        self._gathering = gathering
        self._members = members
        self._course = course
        self._dealing = dealing
        self._measuring = measuring
        self._ordering = ordering
        self._prepares_since_ns = 0
        self._said_what_for = False

    def __repr__(self) -> str:
        return f"<Opening after {self._gathering}>"

    def progress(self, phase: Phase, now_ns: int) -> Step:
        """What time, and all workers together, have brought about; at RUNNING the run can begin."""
        match phase:
            case Phase.GATHERING:
                return self._gather(now_ns)
            case Phase.MEASURING:
                return self._measure(now_ns)
            case _:
                return self._prepare(now_ns)

    def _gather(self, now_ns: int) -> Step:
        if not self._gathering.is_complete(self._members):
            return Step(Phase.GATHERING, [], self._gathering.failure(self._members, now_ns))
        if not self.is_cleared:
            return Step(Phase.GATHERING, [])
        if self._measuring.consider(self._members.live):
            return self._measure(now_ns)
        return self._place(now_ns)

    def _measure(self, now_ns: int) -> Step:
        asked = [(member, self._measuring.asks(member, now_ns)) for member in self._members.live]
        commands: list[Command] = [Send(member.identity, measure) for member, measure in asked if measure is not None]
        if not all(self._measuring.is_through(member, now_ns) for member, _ in asked):
            return Step(Phase.MEASURING, commands)
        if not self._gathering.is_complete(self._members):
            return Step(Phase.GATHERING, commands)
        placed = self._place(now_ns)
        return Step(placed.phase, commands + placed.commands)

    def _place(self, now_ns: int) -> Step:
        """Everybody gets a share of what is to come."""
        self._ordering.deal_first()
        if not self._course.prepares:
            return Step(Phase.RUNNING, [])
        self._prepares_since_ns = now_ns
        return Step(Phase.PREPARING, self._ordering.order_first(now_ns))

    def _prepare(self, now_ns: int) -> Step:
        """Wait until all is ready that is to be; not for ever."""
        commands = self._ordering.look_after(now_ns)
        with_shares = [member for member in self._members.live if member.share.residues]
        if with_shares and self._dealing.is_done and all(member.prepared for member in with_shares):
            return Step(Phase.RUNNING, commands)
        waited_ns = now_ns - self._prepares_since_ns
        who = f"{self._course.ready_users:,} users"
        if waited_ns >= PREPARED_WITHIN_NS:
            text = f"not all of {who} were ready within {PREPARED_WITHIN_NS // NS_PER_S} s: the run begins without them"
            return Step(Phase.RUNNING, [*commands, Note(text)])
        if waited_ns >= PATIENCE_NS and not self._said_what_for and self._course.ready_users:
            self._said_what_for = True
            commands.append(Note(f"{who} get ready before the run begins"))
        return Step(Phase.PREPARING, commands)
