"""Whose code is running: the user that a greenlet belongs to, and where its process records what it measures."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextvars import ContextVar

import gevent

from swell.clock import Clock
from swell.user import Recorder, Seat

current_seat: ContextVar[Seat | None] = ContextVar("current_seat", default=None)
"""Set in the greenlet that a user lives in; `seat_here` also finds it from greenlets spawned there."""


@dataclasses.dataclass(frozen=True, slots=True)
class Desk:
    """Where a sample goes: with `record`, as a call."""

    recorder: Recorder
    clock: Clock
    record: Callable[..., None]
    scenario: str = ""


_desks: list[Desk] = []


def bind_recorder(recorder: Recorder | None, clock: Clock | None = None) -> None:
    """Record what code outside of any user measures in this process there from now on; None: nowhere."""
    _desks.clear()
    if recorder is not None and clock is not None:
        _desks.append(Desk(recorder, clock, recorder.record))


def desk_here() -> Desk | None:
    """Where a sample belongs that is measured here: with the user whose code this is, else with the process."""
    seat = seat_here()
    if seat is not None:
        return desk_of(seat)
    return _desks[0] if _desks else None


def desk_of(seat: Seat) -> Desk:
    """Where the samples of a user belong."""
    return Desk(seat.recorder, seat.clock, seat.record, seat.scenario)


def seat_here() -> Seat | None:
    """The seat of the user whose code this is, also in a greenlet that it has spawned; None outside of any."""
    seat = current_seat.get()
    greenlet = gevent.getcurrent()
    while seat is None:
        spawned_by = getattr(greenlet, "spawning_greenlet", None)
        greenlet = spawned_by() if spawned_by is not None else None
        if greenlet is None:
            return None
        context = greenlet.gr_context
        seat = context.get(current_seat) if context is not None else None
    return seat
