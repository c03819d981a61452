"""What users and task sets have in common: a list of tasks, put together once per class from all that declares one.

`tasks` of a class is, once the class is made, what its bases have and then its own: from a list or dict `tasks` and
from methods and nested task sets with @task. A method that overrides a task of a base takes that task's place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any, ClassVar

from swell.script.marks import weight_of
from swell.script.turns import Task, Turn, TurnTable, is_number, is_task, turn_of, weighted_tasks

if TYPE_CHECKING:
    from swell.script.life import Life
    from swell.script.pacing import Pace

Weighted = tuple[Task, Any]


class TaskList:
    """Something that has tasks and works through them."""

    wait_time: Any = None
    tasks: Any = ()
    user: Any
    _life: Life
    _queue: deque[Turn] | None = None
    _order: cycle[Task] | None = None
    _pace: Pace | None = None
    _task_faults: ClassVar[tuple[str, ...]] = ()
    _in_order: ClassVar[bool] = False
    _turn_table: ClassVar[TurnTable | None] = None

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        faults: list[str] = []
        weighted = list(_inherited(cls)) + list(_declared(cls, faults))
        cls._task_faults = tuple(faults)
        cls.tasks = _sequence(weighted) if cls._in_order else _weights(weighted)

    def on_start(self) -> None:
        """Runs before the first task; override it."""

    def on_stop(self) -> None:
        """Runs after the last task; override it."""

    def wait(self) -> None:
        """Wait here for as long as the `wait_time` says."""
        self._life.wait(self)

    def schedule_task(self, task_callable: Task, first: bool = False) -> None:
        """Have `task_callable` run next: after those scheduled before it, or before them if `first`."""
        if self._queue is None:
            self._queue = deque()
        turn = turn_of(task_callable, type(self), ends=1)
        if first:
            self._queue.appendleft(turn)
        else:
            self._queue.append(turn)

    def get_next_task(self) -> Task:
        """Pick the next task. Override it to choose in a way of your own."""
        table = turn_table(self)
        if not self._in_order:
            return table.tasks[table.index_of(self._life.draws.next())]
        if self._order is None:
            self._order = cycle(table.tasks)
        return next(self._order)


def turn_table(owner: TaskList) -> TurnTable:
    """The turns that `owner` picks from: one table per class, unless the instance has `tasks` of its own."""
    cls, tasks = type(owner), owner.tasks
    table = vars(cls).get("_turn_table")
    if isinstance(table, TurnTable) and table.source is tasks:
        return table
    table = TurnTable(cls, tasks, in_order=cls._in_order)
    if "tasks" not in vars(owner):
        cls._turn_table = table
    return table


def picker(owner: TaskList) -> Callable[[], Turn]:
    """A function that picks the next turn of `owner`, through its `get_next_task` if the author has overridden that."""
    cls = type(owner)
    if cls.get_next_task is not TaskList.get_next_task:
        return lambda: turn_of(owner.get_next_task(), cls, ends=1)
    return turn_table(owner).picker(owner._life.draws.next)


def _inherited(cls: type[TaskList]) -> Iterator[Weighted]:
    """The tasks of the bases, an overriding method in the place of the one it overrides."""
    own = vars(cls)
    for base in cls.__bases__:
        for task, weight in weighted_tasks(getattr(base, "tasks", ())):
            name = getattr(task, "__name__", "")
            if name in own and getattr(base, name, None) is task:
                if weight_of(own[name]) is None and callable(own[name]):
                    yield own[name], weight
            else:
                yield task, weight


def _declared(cls: type[TaskList], faults: list[str]) -> Iterator[Weighted]:
    """The tasks of the class itself, in the order written."""
    for name, value in vars(cls).items():
        if name == "tasks":
            try:
                given = weighted_tasks(value)
            except TypeError as error:
                faults.append(str(error))
                continue
            faults += [f"`tasks` holds {task!r}, which is no task" for task, _ in given if not is_task(task)]
            yield from ((task, weight) for task, weight in given if is_task(task))
        elif (weight := weight_of(value)) is not None:
            yield value, weight


def _weights(weighted: Sequence[Weighted]) -> dict[Task, Any]:
    tasks: dict[Task, Any] = {}
    for task, weight in weighted:
        tasks[task] = tasks[task] + weight if task in tasks and is_number(weight) else weight
    return tasks


def _sequence(weighted: Sequence[Weighted]) -> list[Task]:
    return [task for task, weight in weighted for _ in range(weight if isinstance(weight, int) else 1)]
