"""What a task raises to change what its user does next."""

from __future__ import annotations

import gevent

AUTHOR_FAULT: tuple[type[BaseException], ...] = (Exception, gevent.Timeout)
"""Whatever an author's code may raise: it is counted and grouped, and never ends a run. A kill is not among it."""
LOADING_FAULT: tuple[type[BaseException], ...] = (*AUTHOR_FAULT, SystemExit)
"""Whatever an author's code may raise where it does not run as a user."""


class Flow(Exception):
    """Changes what a user does next. It is not a failure: neither a sample nor an exception is counted for it."""


class StopUser(Flow):
    """Ends this user: its `on_stop` runs, and it does not come back."""


class RescheduleTask(Flow):
    """Leaves the task; the user waits, then goes on to the next one."""


class RescheduleTaskImmediately(Flow):
    """Leaves the task; the user goes on to the next one without a wait."""


class InterruptTaskSet(Flow):
    """Leaves the task set: the user goes on with the set around it, at once if `reschedule`, else after a wait."""

    def __init__(self, reschedule: bool = True) -> None:
        super().__init__(reschedule)
        self.reschedule = reschedule
