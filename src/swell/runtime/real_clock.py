"""The real clock: the monotonic clock of this machine, and sleeping on it while gevent's loop runs.

Sleepers stand in a heap by their due moment; one alarm a process rings for the first of them. It switches straight
into the greenlets that are due. An entry is `[due_ns, order, greenlet]`, and its greenlet is taken out when its sleep
ends, however that ends: nothing but the sleep itself is ever woken through it. Entries of sleeps that ended early
are dropped once they are the larger part of the heap.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import gevent
import greenlet

from swell.runtime.alarm import Alarm, open_alarm

NEVER_NS = (1 << 63) - 1
_LITTER = 64
_now_ns = time.monotonic_ns


def _nothing() -> None: ...


class Guard:
    """Hands what a greenlet died of to the hub, which would otherwise stop calling whoever had switched into it."""

    __slots__ = ("_hub",)

    def __init__(self, hub: Any) -> None:
        self._hub = hub

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if kind is not None:
            self._hub.handle_error(self, kind, error, traceback)
        return True


class Call:
    """Something that is to be called in the hub; it stands in the heap like a sleeper, and is switched to like one."""

    __slots__ = ("_action", "_clock", "_entry")

    def __init__(self, clock: RealClock, action: Callable[[], None]) -> None:
        self._clock = clock
        self._action = action
        self._entry: list[Any] = []

    def __repr__(self) -> str:
        return f"<Call of {self._action!r}>"

    def switch(self) -> None:
        """Its moment has come."""
        self._clock._leave(self._entry, self)
        self._action()

    def cancel(self) -> None:
        """It is not called; nothing happens if it has been."""
        if self._entry[2] is self:
            self._clock._leave(self._entry, self)


class RealClock:
    """The clock of one gevent hub; the hub is the one of the thread that makes it."""

    __slots__ = (
        "_alarm",
        "_dead",
        "_guard",
        "_heap",
        "_hub",
        "_limit_ns",
        "_on_limit",
        "_order",
        "_ringing",
        "_sleepers",
    )

    now_ns = staticmethod(time.monotonic_ns)

    def __init__(self, alarm: Alarm | None = None) -> None:
        self._hub: Any = gevent.get_hub()
        self._guard = Guard(self._hub)
        self._heap: list[list[Any]] = []
        self._sleepers: dict[greenlet.greenlet | Call, list[Any]] = {}
        self._dead = 0
        self._order = 0
        self._ringing = False
        self._limit_ns = NEVER_NS
        self._on_limit: Callable[[], None] = _nothing
        self._alarm = alarm or open_alarm(self._hub.loop, self.ring)

    def __repr__(self) -> str:
        return f"<RealClock, {len(self._sleepers)} asleep, {self._dead} entries dead>"

    def sleep_until_ns(self, due_ns: int) -> None:
        """Let others run until `due_ns`, or until `wake`; returns at once if that has passed."""
        now_ns = _now_ns()
        if due_ns <= now_ns:
            return
        sleeper = greenlet.getcurrent()
        entry = self._enter(due_ns, now_ns, sleeper)
        try:
            while entry[2] is not None:
                self._hub.switch()
        finally:
            self._leave(entry, sleeper)

    def call_at_ns(self, due_ns: int, action: Callable[[], None]) -> Call:
        """Have `action` called in the hub at `due_ns`, or soon if that has passed. It must not wait."""
        call = Call(self, action)
        call._entry = self._enter(due_ns, _now_ns(), call)
        return call

    def limit(self, until_ns: int | None, on_limit: Callable[[], None]) -> None:
        """From `until_ns` on, have `on_limit` called in the hub before anybody is woken, once; None: no more. It is no
        alarm: `call_at_ns` sees to it that somebody is."""
        self._limit_ns = NEVER_NS if until_ns is None else until_ns
        self._on_limit = on_limit

    def wake(self, sleeper: greenlet.greenlet) -> bool:
        """End the sleep of `sleeper` in the loop's next turn; False, and nothing done, if it does not sleep here."""
        entry = self._sleepers.get(sleeper)
        if entry is None:
            return False
        self._hub.loop.run_callback(self._wake, entry)
        return True

    def ring(self) -> None:
        """Wake everyone who is due; called by the alarm, in the hub."""
        heap = self._heap
        now_ns = _now_ns()
        self._ringing = True
        try:
            if now_ns >= self._limit_ns:
                self._limit_ns = NEVER_NS
                self._on_limit()
            while heap and heap[0][0] <= now_ns:
                entry = heapq.heappop(heap)
                sleeper = entry[2]
                if sleeper is None:
                    self._dead -= 1
                else:
                    entry[2] = None
                    with self._guard:
                        sleeper.switch()
        finally:
            self._ringing = False
            self._tidy()
            self._arm()

    def _wake(self, entry: list[Any]) -> None:
        sleeper = entry[2]
        if sleeper is not None:
            entry[2] = None
            self._dead += 1
            sleeper.switch()

    def _enter(self, due_ns: int, now_ns: int, sleeper: greenlet.greenlet | Call) -> list[Any]:
        self._order += 1
        entry = [due_ns, self._order, sleeper]
        heapq.heappush(self._heap, entry)
        self._sleepers[sleeper] = entry
        if self._heap[0] is entry and not self._ringing:
            self._alarm.arm(due_ns - now_ns)
        return entry

    def _leave(self, entry: list[Any], sleeper: greenlet.greenlet | Call) -> None:
        del self._sleepers[sleeper]
        if entry[2] is not None:
            entry[2] = None
            self._dead += 1
        if self._dead and not self._ringing and self._tidy():
            self._arm()

    def _tidy(self) -> bool:
        """Drop the entries of ended sleeps, when they are many or when nobody sleeps any more."""
        if self._sleepers and (self._dead < _LITTER or 2 * self._dead < len(self._heap)):
            return False
        self._heap[:] = [entry for entry in self._heap if entry[2] is not None]
        heapq.heapify(self._heap)
        self._dead = 0
        return True

    def _arm(self) -> None:
        if self._heap:
            self._alarm.arm(self._heap[0][0] - _now_ns())
        else:
            self._alarm.disarm()

    def check(self) -> None:
        """Raise AssertionError if heap and sleepers disagree."""
        alive = [entry for entry in self._heap if entry[2] is not None]
        assert len(self._heap) - len(alive) == self._dead, (len(self._heap), len(alive), self._dead)
        assert all(self._sleepers.get(entry[2]) is entry for entry in alive)

    def close(self) -> None:
        """Close the alarm. Nobody may be asleep."""
        self._alarm.close()
