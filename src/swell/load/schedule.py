"""When user n starts and leaves, under a plan and its revisions: 100 users/s is one every 10 ms, not 100 each second.

The number of users is a step function. Each leg of the curve and each revision begins a *piece* of it, which steps by
one user towards its goal, 1 / rate apart, or all at once where the curve jumps; users are stacked, so a rise starts the
lowest number that is missing and a fall takes the highest away. A piece's first step comes at once, or after the
revision's delay; one that a revision begins never sooner than 1 / rate after the last step before, so that it does not
disturb the rhythm of a ramp that it interrupts. A piece ends where the next begins; what it had not done by then is not
done. The first revision is the end of the curve.

Instants are exact fractions of a nanosecond of the run, rounded up when asked for, so that nothing drifts: every worker
computes the same instants from the same revisions. A revision takes from what was before it only whole numbers, the
users and the instant of the last step. They can stand in it (`anchored`), so that of thousands of revisions the last
few are enough; fractions handed on from each to the next would have more digits each time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import msgspec

from swell.clock import NS_PER_S
from swell.load.exact import exact
from swell.load.shares import Share, everything
from swell.load_plan import Curve
from swell.plan import Revision

EVERYTHING = everything()
UNTIL_REVISED = Curve(endless=True)
AT_ONCE = Fraction(0)
LEAST_STEP_NS = 1_000
"""What is to come faster comes at once."""


@dataclass(frozen=True, slots=True)
class Piece:
    """From `from_ns` on, steps from `before` users to `goal`, one each `step_ns`; the one before was at `latest_ns`."""

    from_ns: int
    before: int
    goal: int
    step_ns: Fraction
    latest_ns: int | None = None
    delay_ns: int = 0

    @property
    def first_ns(self) -> Fraction:
        if self.latest_ns is not None and self.latest_ns + self.step_ns > self.from_ns:
            return self.latest_ns + self.step_ns
        return Fraction(self.from_ns + self.delay_ns)

    @property
    def rises(self) -> bool:
        return self.goal > self.before

    @property
    def steps(self) -> int:
        return abs(self.goal - self.before)

    def step_at(self, index: int) -> Fraction:
        """The exact instant of step `index`, counted from 0."""
        return self.first_ns + index * self.step_ns

    def steps_by(self, now_ns: int) -> int:
        """How many steps have been taken at `now_ns`, that instant included."""
        if now_ns < self.first_ns:
            return 0
        if not self.step_ns:
            return self.steps
        return min(self.steps, floor((now_ns - self.first_ns) / self.step_ns) + 1)

    def users_at(self, now_ns: int) -> int:
        steps = self.steps_by(now_ns)
        return self.before + steps if self.rises else self.before - steps

    def step_of(self, user: int) -> int | None:
        """The step that starts or takes away `user`; None if none does."""
        index = user - self.before if self.rises else self.before - 1 - user
        return index if 0 <= index < self.steps else None

    def next_user(self, now_ns: int, share: Share) -> int | None:
        """Whom of the share the piece starts or takes away next after `now_ns`."""
        users = self.users_at(now_ns)
        return share.next_mine(users) if self.rises else share.last_mine(users - 1)


class Schedule:
    """The number of users over time. Users are numbered from 0; at any moment those below `users_at` are there."""

    def __init__(self, revisions: Sequence[Revision], curve: Curve = UNTIL_REVISED, start_s: float = 0.0) -> None:
        first_ns = round(revisions[0].at_s * NS_PER_S) if revisions else None
        self._pieces = [piece for piece in _drawn(curve, start_s) if first_ns is None or piece.from_ns < first_ns]
        for revision in revisions:
            self._pieces.append(self._piece(revision))
        self._is_endless = curve.endless or bool(revisions)
        self._from_ns = [piece.from_ns for piece in self._pieces]

    def __repr__(self) -> str:
        goals = " -> ".join(f"{piece.goal} from {piece.from_ns / NS_PER_S:g} s" for piece in self._pieces)
        return f"<Schedule: {goals or 'no users'}>"

    def users_at(self, now_ns: int) -> int:
        """How many users there are at an instant of the run."""
        at = bisect_right(self._from_ns, now_ns) - 1
        return self._pieces[at].users_at(now_ns) if at >= 0 else 0

    def due_ns(self, user: int, by_ns: int | None = None) -> int | None:
        """When `user` starts: for the first time or, given `by_ns`, for the last time by then. None: not at all."""
        found = None
        for number, piece in enumerate(self._pieces):
            due_ns = self._step_ns(number, user) if piece.rises else None
            if due_ns is None:
                continue
            if by_ns is None or due_ns > by_ns:
                return found if by_ns is not None else due_ns
            found = due_ns
        return found

    def next_change_ns(self, after_ns: int, share: Share = EVERYTHING) -> int | None:
        """The first instant after `after_ns` at which a user of the share starts or leaves; None: no more."""
        for number in range(max(bisect_right(self._from_ns, after_ns) - 1, 0), len(self._pieces)):
            piece = self._pieces[number]
            user = piece.next_user(max(after_ns, piece.from_ns - 1), share)
            due_ns = self._step_ns(number, user) if user is not None else None
            if due_ns is not None:
                return due_ns
        return None

    def anchored(self, revision: Revision) -> Revision:
        """The next revision, with what it takes from this schedule."""
        piece = self._piece(revision)
        return msgspec.structs.replace(revision, from_users=piece.before, latest_ns=piece.latest_ns)

    @property
    def is_over(self) -> bool:
        """Whether no user is there once it has settled, and none will be: the curve has an end, and reaches it."""
        return not self._is_endless

    @property
    def settled_ns(self) -> int:
        """When the last goal is reached; 0 where there is none."""
        if not self._pieces:
            return 0
        piece = self._pieces[-1]
        return ceil(piece.step_at(piece.steps - 1)) if piece.steps else piece.from_ns

    @property
    def risen_ns(self) -> int:
        """When the last user that is to start has had its start; 0 where there is none."""
        rising = [piece for piece in self._pieces if piece.rises]
        return ceil(rising[-1].step_at(rising[-1].steps - 1)) if rising else 0

    @property
    def goal(self) -> int:
        """The last number of users that was asked for."""
        return self._pieces[-1].goal if self._pieces else 0

    @property
    def step_ns(self) -> Fraction:
        """The time between two starts, by the last revision."""
        return self._pieces[-1].step_ns

    def _step_ns(self, number: int, user: int) -> int | None:
        """When piece `number` starts or takes away `user`, if the next piece lets it come to that."""
        piece = self._pieces[number]
        step = piece.step_of(user)
        if step is None:
            return None
        due_ns = ceil(piece.step_at(step))
        if number + 1 == len(self._pieces) or not piece.step_ns:
            return due_ns
        return due_ns if due_ns < self._pieces[number + 1].from_ns else None

    def _piece(self, revision: Revision) -> Piece:
        step_ns = NS_PER_S / Fraction(revision.rate_per_s)
        from_ns, delay_ns = round(revision.at_s * NS_PER_S), round(revision.delay_s * NS_PER_S)
        if revision.from_users is not None:
            return Piece(from_ns, revision.from_users, revision.users, step_ns, revision.latest_ns, delay_ns)
        if not self._pieces:
            return Piece(from_ns, 0, revision.users, step_ns, None, delay_ns)
        last = self._pieces[-1]
        from_ns = max(from_ns, last.from_ns)
        taken = last.steps_by(from_ns - 1)
        latest_ns = ceil(last.step_at(taken - 1)) if taken else last.latest_ns
        return Piece(from_ns, last.users_at(from_ns - 1), revision.users, step_ns, latest_ns, delay_ns)


def _drawn(curve: Curve, start_s: float) -> Iterator[Piece]:
    """The pieces of a curve; a level that is held needs none."""
    at_s = exact(start_s)
    level = 0
    for leg in curve.legs:
        begin, end = round(leg.begin), round(leg.end)
        from_ns = ceil(at_s * NS_PER_S)
        if begin != level:
            yield Piece(from_ns, level, begin, AT_ONCE)
        if end != begin:
            step_ns = exact(leg.duration_s) * NS_PER_S / abs(end - begin)
            yield Piece(from_ns, begin, end, step_ns if step_ns >= LEAST_STEP_NS else AT_ONCE)
        level = end
        at_s += exact(leg.duration_s)
    if level and not curve.endless:
        yield Piece(ceil(at_s * NS_PER_S), level, 0, AT_ONCE)
