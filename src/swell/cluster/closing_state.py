"""The way to a run's end: whose last report is still to come, for how long it is waited for, and who is ended. Pure."""

from __future__ import annotations

from swell.clock import NS_PER_S
from swell.cluster.controller_steps import Command, Commit, Kill
from swell.cluster.losses_state import KILL_AFTER_NS, Losses
from swell.cluster.member_state import Membership
from swell.plan import RunPlan


class Closing:
    """One run's."""

    def __init__(self, plan: RunPlan, members: Membership, losses: Losses) -> None:
        self.parting_ns = round(plan.longest_stop_s * NS_PER_S) + KILL_AFTER_NS
        """How long a worker may take from the end on to send its last report."""
        self.is_committing = False
        """What has been applied is being stored, at once."""
        self._members = members
        self._losses = losses
        self._give_up_ns = 0

    def __repr__(self) -> str:
        return f"<Closing, at {self._give_up_ns} ns at the latest>"

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to come from anybody, and all that has come is stored."""
        return self._members.are_finished and not self._is_unstored

    @property
    def _is_unstored(self) -> bool:
        return any(member.stored < member.applied for member in self._members if not member.lost)

    def begin(self, now_ns: int) -> None:
        """From now on nothing new starts."""
        self._give_up_ns = now_ns + self.parting_ns

    def progress(self, now_ns: int) -> list[Command]:
        """What time, and all workers together, have brought about."""
        if self._members.are_finished:
            return self._commit() if self._is_unstored else []
        if now_ns < self._give_up_ns:
            return []
        self._give_up_ns = now_ns + KILL_AFTER_NS
        return self._part_with(now_ns)

    def _part_with(self, now_ns: int) -> list[Command]:
        """End those who take too long. Whether those of other machines still run, nobody can say: they are given up."""
        commands: list[Command] = []
        for member in [*self._members.live, *self._members.missing.values()]:
            if member.machine and (member.lost or member.is_doomed):
                commands += self._losses.give_up(member, now_ns)
            elif not member.ended:
                member.is_doomed = True
                commands.append(Kill(member.worker, member.incarnation))
        return commands

    def _commit(self) -> list[Command]:
        """The last reports are in: nobody has to wait for the journal's next turn."""
        if self.is_committing:
            return []
        self.is_committing = True
        return [Commit()]
