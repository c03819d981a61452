"""The worker processes that a supervisor has to see to. Pure.

    posted ──launched──► running ──it ends──► told to the controller ──wanted──► recovered ──no longer posted──► gone

An incarnation that cannot be started is told as one that has ended, so that the controller can look for another place.
"""

from __future__ import annotations

import dataclasses

from swell.clock import NS_PER_S
from swell.cluster.messages import Duty, Ended, Post, Remains
from swell.cluster.supervisor_steps import Command, Forget, Kill, Launch, ProcessEnded, Recover, Recovered, Send

SEND_AGAIN_NS = 2 * NS_PER_S
CLEAN_END = "ended with exit code 0"
"""Of a process, as the launcher says it: all it had measured has been acknowledged."""
Name = tuple[int, int]
"""Of an incarnation: its worker's number and its own."""


@dataclasses.dataclass(slots=True)
class Charge:
    """An incarnation that was launched here, until the controller does not name it any more."""

    end: Ended | None = None
    """How its process ended, once it has."""
    is_recovering: bool = False
    parts: tuple[Remains, ...] = ()
    """What it left behind."""
    sent_ns: int = 0


class Charges:
    """All of one supervisor."""

    def __init__(self) -> None:
        self.launched = 0
        """Processes so far."""
        self.died = 0
        """Those of them whose remains were wanted."""
        self._charges: dict[Name, Charge] = {}

    def __repr__(self) -> str:
        return f"<Charges: {len(self.running)} run, {len(self.ended)} have ended>"

    def __len__(self) -> int:
        return len(self._charges)

    @property
    def running(self) -> tuple[Name, ...]:
        """Whose processes run."""
        return tuple(name for name, charge in self._charges.items() if charge.end is None)

    @property
    def ended(self) -> tuple[Ended, ...]:
        """Those that have ended and are still posted."""
        return tuple(charge.end for charge in self._charges.values() if charge.end is not None)

    @property
    def owes(self) -> bool:
        """Whether something that was measured here may not have come to the controller."""
        return any(charge.end is None or charge.end.because != CLEAN_END for charge in self._charges.values())

    def follow(self, posts: tuple[Post, ...], obstacle: str, *, can_launch: bool) -> list[Command]:
        """Bring about what the muster says. `obstacle`: why nobody can be started here any more."""
        posted = {(post.worker, post.incarnation): post for post in posts}
        commands: list[Command] = []
        for name in [name for name in self._charges if name not in posted]:
            commands.append(self._let_go(name))
        for name, post in posted.items():
            if name in self._charges:
                commands += self._see_to(name, post)
            elif obstacle or post.duty is not Duty.RUN:
                because = f": {obstacle}" if obstacle else ""
                self._charges[name] = Charge(Ended(*name, f"was not started{because}"))
            elif can_launch:
                self._charges[name] = Charge()
                self.launched += 1
                commands.append(Launch(*name))
        return commands

    def _let_go(self, name: Name) -> Command:
        if self._charges[name].end is None:
            return Kill(*name)
        del self._charges[name]
        return Forget(*name)

    def _see_to(self, name: Name, post: Post) -> list[Command]:
        charge = self._charges[name]
        if charge.end is None:
            return [Kill(*name)] if post.duty is Duty.END else []
        if post.duty is not Duty.RECOVER or charge.is_recovering:
            return []
        charge.is_recovering = True
        self.died += 1
        return [Recover(*name, post.applied, post.to_position)]

    def end(self, event: ProcessEnded) -> bool:
        """A process has ended; whether that is news."""
        name = event.worker, event.incarnation
        charge = self._charges.get(name)
        if charge is None or charge.end is not None:
            return False
        charge.end = Ended(*name, event.because, event.output)
        return True

    def give_away(self, posts: tuple[Post, ...]) -> list[Recover]:
        """Nobody is going to be asked any more: what is to be read of those that have ended."""
        posted = {(post.worker, post.incarnation): post for post in posts}
        wanted = [
            (posted[name], charge)
            for name, charge in self._charges.items()
            if charge.end is not None and charge.end.because != CLEAN_END and name in posted
        ]
        for _, charge in wanted:
            charge.is_recovering = True
        return [Recover(post.worker, post.incarnation, post.applied, post.to_position) for post, _ in wanted]

    def recovered(self, event: Recovered, now_ns: int) -> list[Command]:
        """It is known what one left behind."""
        charge = self._charges.get((event.worker, event.incarnation))
        if charge is None:
            return []
        charge.parts, charge.sent_ns = event.parts, now_ns
        return [Send(part) for part in event.parts]

    def send_again(self, posts: tuple[Post, ...], now_ns: int) -> list[Command]:
        """Remains that do not seem to have come: those parts alone that are missing, and the last, which ends it."""
        applied = {(post.worker, post.incarnation): post.applied for post in posts}
        commands: list[Command] = []
        for name, charge in self._charges.items():
            if charge.parts and now_ns - charge.sent_ns >= SEND_AGAIN_NS:
                charge.sent_ns = now_ns
                *rest, last = charge.parts
                missing = [part for part in rest if part.segments[-1].sequence > applied.get(name, 0)]
                commands += [Send(part) for part in (*missing, last)]
        return commands

    def check(self) -> None:
        """Raise AssertionError if anything contradicts itself."""
        for name, charge in self._charges.items():
            assert charge.end is None or (charge.end.worker, charge.end.incarnation) == name
            assert charge.end is not None or not charge.is_recovering
            assert charge.is_recovering or not charge.parts
