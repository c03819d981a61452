"""What a controller makes of what its workers say, apart from the course of the run. Pure.

Who is in, whose report is the next to be applied and acknowledged, which rows of data are handed to whom, and how many
frames were none of this run's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from swell.cluster.controller_steps import Apply, Command, Commit, Joined, Send, Serve
from swell.cluster.feed_state import Feeds
from swell.cluster.member_state import Member, Membership, identity_of
from swell.cluster.messages import Acknowledge, Dismiss, Hello, RowsWanted, Welcome
from swell.cluster.refusals_state import Refusals, fault_of, process_of
from swell.feed_plan import WhenOut
from swell.result import Refusal
from swell.segment import Segment


class Reception:
    """The workers of one run, as they announce themselves and report."""

    def __init__(self, run: str, welcome: Welcome, members: Membership) -> None:
        self.feeds = Feeds(welcome.plan.feeds)
        self.refused = Refusals()
        """Frames that were no message, or not this run's."""
        self.version = ""
        """Of this swell: workers are to be of the same. '': any will do."""
        self._run = run
        self._welcome = welcome
        self._members = members

    def __repr__(self) -> str:
        return f"<Reception of {self._run}, {self.refused.total()} frames refused>"

    @property
    def journaled(self) -> bool:
        """Whether what is applied is acknowledged only when it is stored."""
        return self._members.journaled

    def greet(self, sender: bytes, member: Member | None, hello: Hello) -> list[Command]:
        """Somebody introduces itself."""
        if fault := fault_of(hello, self._run, self.version, member):
            kind, because = fault
            return [*self.refuse(sender, kind), Send(sender, Dismiss(because))]
        assert member is not None
        first, member.greeted = not member.greeted, True
        member.process = process_of(hello)
        return [*([Joined(hello)] if first else []), Send(sender, self._welcome)]

    def segment(self, member: Member, segment: Segment) -> list[Command]:
        """A report has come, the next one or not."""
        if (segment.run, segment.worker, segment.incarnation) != (self._run, member.worker, member.incarnation):
            kind = Refusal.OTHER_INCARNATION if segment.run == self._run else Refusal.OTHER_RUN
            return self.refuse(member.identity, kind)
        commands = self._take(member, segment)
        if not self.journaled:
            member.stored = member.applied
        if not self.journaled or segment.sequence <= member.stored:
            commands.append(Send(member.identity, Acknowledge(member.stored)))
        return commands

    def recovered(self, member: Member, segments: Iterable[Segment]) -> list[Command]:
        """Nothing more can come from a lost worker than these reports."""
        self._members.settle(member)
        commands = [command for segment in segments for command in self._take(member, segment)]
        self.feeds.settle(member.identity, known=False)
        return commands

    def left_behind(self, member: Member, segments: Iterable[Segment]) -> list[Command]:
        """Some of the reports that a lost worker left behind have come."""
        named = self._run, member.worker, member.incarnation
        ours = (segment for segment in segments if (segment.run, segment.worker, segment.incarnation) == named)
        return [command for segment in ours for command in self._take(member, segment)]

    def stored(self, applied: Mapping[tuple[int, int], int]) -> list[Command]:
        """Let go those who have waited for it."""
        commands: list[Command] = []
        for worker, sequence in applied.items():
            member = self._members.called(identity_of(*worker))
            if member is not None:
                member.is_recorded = True
            if member is not None and sequence > member.stored:
                member.stored = min(sequence, member.applied)
                commands += [] if member.ended else [Send(member.identity, Acknowledge(member.stored))]
        return commands

    def serve(self, member: Member, wanted: RowsWanted) -> tuple[list[Command], str]:
        """Hand rows of a feed out; and why the run cannot go on without more of them, if it cannot."""
        plan = self.feeds.plan_of(wanted.feed)
        if plan is None:
            return self.refuse(member.identity, Refusal.OUT_OF_PLACE), ""
        if not member.live:
            return [], ""
        block = self.feeds.want(member.identity, wanted, len(self._members.live))
        if block is None:
            return [Commit()], ""
        served: list[Command] = [Serve(member.identity, wanted.feed, wanted.number, block)]
        if block.positions or not wanted.waiting or plan.when_out is not WhenOut.ERROR:
            return served, ""
        return served, f"{plan.name} has run out: all {plan.rows:,} rows are handed out"

    def refuse(self, sender: bytes, kind: Refusal = Refusal.OUT_OF_PLACE) -> list[Command]:
        """A frame was no message of this run."""
        self.refused.add(sender, kind)
        return []

    def _take(self, member: Member, segment: Segment) -> list[Command]:
        if not member.takes(segment):
            return []
        self.feeds.report(member.identity, segment.feeds)
        if segment.final and not segment.recovered:
            self.feeds.settle(member.identity, known=True)
            if member.lost:
                self._members.settle(member)
        return [Apply(segment)]
