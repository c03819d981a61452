"""Task sets: lists of tasks inside the list of a user or of another set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from swell.script.flow import InterruptTaskSet
from swell.script.task_list import TaskList

if TYPE_CHECKING:
    from swell.script.user import User


class TaskSet(TaskList):
    """A group of tasks that a user stays in until one of them calls `interrupt`.

    A user goes in by picking the set as a task. `wait_time` counts here if the set has one, else the user's does.
    """

    def __init__(self, parent: User | TaskSet) -> None:
        self.parent = parent
        """The user or task set that this set is a task of."""
        self.user: Any = parent.user if isinstance(parent, TaskSet) else parent
        """The user who is in it."""
        self._life = parent._life

    def __repr__(self) -> str:
        return f"<{type(self).__name__} in {self.parent!r}>"

    @property
    def client(self) -> Any:
        """The client of the user."""
        return self.user.client

    def interrupt(self, reschedule: bool = True) -> NoReturn:
        """Leave this set. The user goes on with the list around it, at once, or after a wait if not `reschedule`."""
        raise InterruptTaskSet(reschedule)


class SequentialTaskSet(TaskSet):
    """A task set whose tasks run one after the other, in the order written, and then from the first again.

    As a task of a user, each pass through it is an iteration.
    """

    _in_order: ClassVar[bool] = True
