"""`with transaction("checkout"):` groups the calls of a user, and measures and counts them together.

Its duration is how long the user waited for the target: the time in which at least one of its calls was under way, each
from the moment that its response time counts from to the kernel's stamp of its end. So calls one after another add up
to the sum of their response times, and calls side by side (greenlets of the user's) count once. What lies between them
is not the target's: the script's own work and sleeps, and the moments that a busy generator takes to go on. Measuring
from the block's begin to its end would put all of these into the result.

A call belongs to the transactions that are open when it is recorded: with `catch_response`, at the end of its block.
"""

from __future__ import annotations

from types import TracebackType

from swell.script.current import seat_here
from swell.script.flow import AUTHOR_FAULT, Flow
from swell.script.names import name_of_measure
from swell.script.waited import Waited
from swell.segment import Outcome, Sort
from swell.user import Seat

_BY_USER_CLOCK = Outcome.USER_CLOCK | Outcome.OWN


class Transaction:
    """A group of calls in the making. It fails if a call in it fails, if an exception leaves it, or by `failure`."""

    __slots__ = ("_done_ns", "_failed", "_name", "_outcome", "_seat", "_waited")

    def __init__(self, name: str) -> None:
        self._name = name_of_measure("transaction", name)
        self._seat: Seat | None = None
        self._begin()

    def __repr__(self) -> str:
        return f"<Transaction {self._name}{', open' if self._seat is not None else ''}>"

    def _begin(self) -> None:
        self._waited = Waited()
        self._done_ns = 0
        self._failed = False
        self._outcome = Outcome(0)

    def failure(self) -> None:
        """Count it as failed."""
        self._failed = True

    def heard(self, begun_ns: int, done_ns: int, outcome: int) -> None:
        """A call of the user was recorded."""
        self._waited.add(begun_ns, done_ns)
        self._done_ns = max(self._done_ns, done_ns)
        self._failed = self._failed or bool(outcome & Outcome.FAILED)
        if outcome & _BY_USER_CLOCK:
            self._outcome = Outcome.USER_CLOCK

    def __enter__(self) -> Transaction:
        if self._seat is not None:
            raise RuntimeError(f"transaction {self._name!r} is open already: make a new one for each block")
        self._begin()
        self._seat = seat_here()
        if self._seat is not None:
            self._seat.listen(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, _: TracebackType | None) -> None:
        seat, self._seat = self._seat, None
        if seat is None:
            return  # outside of any user: there is nothing to measure
        seat.unlisten(self)
        if raised is not None and not isinstance(raised, Flow):
            if not isinstance(raised, AUTHOR_FAULT):
                return  # the user was killed in the middle of it
            self._failed = True
        recorder = seat.recorder
        number = recorder.measure(Sort.TRANSACTION, seat.scenario, self._name)
        outcome = self._outcome | (Outcome.FAILED if self._failed else Outcome(0))
        at_ns = self._done_ns or seat.clock.now_ns()
        recorder.measured(at_ns, number, Sort.TRANSACTION, self._waited.total_ns, int(outcome))


def transaction(name: str) -> Transaction:
    """Measure the calls of a `with` block together, under this name. Transactions nest."""
    return Transaction(name)
