"""Takes in what happens to a controller: frames from its link, and events of its own, the most urgent first.

One greenlet receives, many frames at a time, and puts them into `Lanes` unread. Whoever acts on them takes slices and
gives way after each: what has come meanwhile, a pulse for instance, is in the next one.
"""

from __future__ import annotations

from collections.abc import Iterator

import gevent
from gevent.event import Event as Flag

from swell.cluster.controller_steps import Event, Garbled, Heard
from swell.cluster.lanes_state import Lanes, Waiting
from swell.cluster.link import ControllerLink
from swell.cluster.messages import Refused, decode_from_worker

FRAMES_AT_ONCE = 2_048
"""A link never gives way while frames are there."""


class Intake:
    """All that a controller hears of."""

    def __init__(self, link: ControllerLink, lanes: Lanes | None = None) -> None:
        self.lanes = Lanes() if lanes is None else lanes
        self._link = link
        self._come = Flag()

    def __repr__(self) -> str:
        return f"<Intake of {self._link!r}, {self.lanes!r}>"

    def tell(self, event: Event) -> None:
        """Something has happened; from any greenlet, at any time."""
        self.lanes.tell(event)
        self._come.set()

    def receive(self) -> None:
        """Take frames from the link until it is closed."""
        while (frames := self._link.receive_some(FRAMES_AT_ONCE)) is not None:
            for sender, frame in frames:
                self.lanes.put(sender, frame)
            self._come.set()
            if len(frames) == FRAMES_AT_ONCE:
                gevent.sleep(0)

    def events(self) -> Iterator[Event]:
        """What happens, for ever. Between two slices others get their turn."""
        while True:
            if not len(self.lanes):
                self._come.clear()
                self._come.wait()
            for waiting in self.lanes.slice():
                yield _event(waiting)
            if len(self.lanes):
                gevent.sleep(0)


def _event(waiting: Waiting) -> Event:
    """What a frame says is found out when it is its turn."""
    if not isinstance(waiting, tuple):
        return waiting
    sender, frame = waiting
    try:
        return Heard(sender, decode_from_worker(frame))
    except Refused as refused:
        return Garbled(sender, refused.kind)
