"""`check(response, "has a title", lambda r: ...)`: whether a response is what it should be, counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from swell.script.caught import CaughtResponse
from swell.script.current import desk_here, seat_here
from swell.script.flow import AUTHOR_FAULT, Flow
from swell.script.names import name_of_measure
from swell.script.traces import author_trace
from swell.script.transactions import Transaction
from swell.script.values import record_value
from swell.segment import Outcome, Sort

R = TypeVar("R")


def check(response: R, name: str, condition: Callable[[R], object] | bool, *, fail: bool = False) -> bool:
    """Count whether `condition` holds of a response, or of anything else, and return that.

    A condition that raises does not hold, and what it raised is among the exceptions. The call goes on counting as it
    would. With `fail=True` what can still fail does so where the condition does not hold: a call made with
    `catch_response=True`, within its block, and every transaction that is open. Raises ValueError where there is
    neither: a call is recorded when it is made, and that cannot be taken back.
    """
    name = name_of_measure("check", name)
    caught = response if isinstance(response, CaughtResponse) and response.owner.is_open else None
    seat = seat_here()
    transactions = [heard for heard in seat.listeners if isinstance(heard, Transaction)] if seat is not None else []
    if fail and seat is not None and caught is None and not transactions:
        hint = "make it with catch_response=True and check within its block"
        raise ValueError(f"check {name!r} with fail=True comes too late, the call is recorded: {hint}")
    holds = _holds(response, condition)
    desk = desk_here()
    if desk is not None:
        record_value(desk, Sort.CHECK, name, 0, 0 if holds else int(Outcome.FAILED))
    if fail and not holds:
        if caught is not None and caught.owner.said in (None, True):
            caught.failure(f"check: {name}")
        for one in transactions:
            one.failure()
    return holds


def _holds(response: R, condition: Callable[[R], object] | bool) -> bool:
    if not callable(condition):
        return bool(condition)
    try:
        return bool(condition(response))
    except Flow:
        raise
    except AUTHOR_FAULT as raised:
        desk = desk_here()
        if desk is not None:
            desk.recorder.exception(*author_trace(raised))
        return False
