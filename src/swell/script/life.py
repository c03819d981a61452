"""The life of a user: it is made, `on_start`, turns of its task list until it is to leave, `on_stop`.

`turns` is the hot path between two requests. It calls tasks without anything of ours in between that is not plain
Python, so that a waiting user's greenlet holds little stack. What a task raises is sorted in one place, `_after`:

    StopUser, GreenletExit     up and out; every on_stop on the way runs
    InterruptTaskSet           up to the set around, where it becomes a reschedule (`dwell`)
    RescheduleTask[Immediately]  the next turn, after the wait or without
    anything else              counted and grouped; the next turn, after the wait
"""

from __future__ import annotations

from collections.abc import Callable
from operator import methodcaller

from swell.clock import Clock
from swell.script.current import current_seat
from swell.script.draws import Draws
from swell.script.environment import Environment
from swell.script.flow import (
    AUTHOR_FAULT,
    Flow,
    InterruptTaskSet,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopUser,
)
from swell.script.pacing import Pace
from swell.script.rest import Rest
from swell.script.task_list import TaskList, picker
from swell.script.task_set import SequentialTaskSet, TaskSet
from swell.script.traces import author_trace
from swell.script.turns import Turn
from swell.script.user import User
from swell.script.wait_times import Pacing, is_nothing, rule_of, seconds_ns, wait_ns
from swell.user import Gate, Seat

START_ATTEMPTS = 3
START_AGAIN_S = 1.0
"""Between two attempts at `on_start`, of a user without a wait time."""
FAULTY_WAIT_S = 1.0
"""The wait of a user whose `wait_time` failed."""


class Life:
    """One user of a class in a seat, as the runtime sees it."""

    __slots__ = ("_cls", "_draws", "_environment", "_rest", "seat", "user")

    def __init__(self, cls: type[User], seat: Seat, environment: Environment) -> None:
        self._cls = cls
        self._environment = environment
        self.seat = seat
        self.user: User | None = None
        """Made when its life begins, since an author's `__init__` may wait."""
        self._draws: Draws | None = None

    def __repr__(self) -> str:
        return f"<Life of {self.user!r} in {self.seat!r}>"

    def live(self) -> None:
        """Do everything the user does, from its `__init__` to its `on_stop`."""
        token = current_seat.set(self.seat)
        self._rest = Rest(self.seat)
        try:
            self.user = user = object.__new__(self._cls)
            if self._settle(user):
                self._stay(user)
        finally:
            current_seat.reset(token)

    def close(self) -> None:
        """Close the client of the user, if it has made one."""
        if self.user is not None:
            self.user._close()
            self.user = None

    @property
    def clock(self) -> Clock:
        return self.seat.clock

    @property
    def draws(self) -> Draws:
        """The user's own stream for the choice of tasks and waits."""
        if self._draws is None:
            self._draws = Draws(self.seat.seed, self.seat.number)
        return self._draws

    def turns(self, owner: TaskList) -> None:
        """Work through the task list of `owner` until the user is to leave."""
        seat = self.seat
        pick = picker(owner)
        pause = self._pause_of(owner)
        counted = self._counts_iterations(owner)
        if counted and seat.gate is not None:
            self._given_turns(owner, seat.gate, pick, pause)
            return
        while not seat.leaving:
            call, seat.task_name, ends = owner._queue.popleft() if owner._queue else pick()
            try:
                call(owner)
                rest = pause
            except AUTHOR_FAULT as raised:
                rest = self._after(raised, owner, pause)
            seat.iterations += ends & counted
            rest()

    def _given_turns(self, owner: TaskList, gate: Gate, pick: Callable[[], Turn], pause: Callable[[], None]) -> None:
        """Do so as a user who asks for each iteration. In a sequence the first pass is the iteration that led there:
        the gate is asked between two passes, and the user waits between two steps of one."""
        seat = self.seat
        begins = owner is self.user
        rest: Callable[[], None] | None = None
        while True:
            if begins:
                if not gate.admit(seat):
                    return
                if seat.choices is not None:
                    self.draws.restart(seat.choices)
                if not gate.waits:
                    rest = None
            if rest is not None:
                rest()
            if seat.leaving and (gate.waits or not begins):
                return
            call, seat.task_name, ends = owner._queue.popleft() if owner._queue else pick()
            try:
                call(owner)
                rest = pause
            except AUTHOR_FAULT as raised:
                rest = self._after(raised, owner, pause)
            seat.iterations += ends
            begins = bool(ends)

    def dwell(self, nested: TaskSet) -> None:
        """Go into a task set and stay until it is interrupted; what follows is raised."""
        try:
            nested.on_start()
            try:
                self.turns(nested)
            finally:
                self._raised_by(nested.on_stop, f"{type(nested).__name__}.on_stop")
        except InterruptTaskSet as interrupted:
            if interrupted.reschedule:
                raise RescheduleTaskImmediately from None
            raise RescheduleTask from None
        raise StopUser

    def wait(self, owner: TaskList) -> None:
        """The wait that an author asks for in a task; the task ends with it if the user is to leave."""
        self._pause_of(owner)()
        self._rest.unplanned()
        if self.seat.leaving:
            raise StopUser

    def pace_of(self, owner: TaskList, pacing: Pacing) -> Pace:
        """The due moments of the tasks of `owner`, the first of which is now."""
        pace = owner._pace
        if pace is None:
            pace = owner._pace = Pace(seconds_ns(pacing.period_s), self._rest.now_ns())
        return pace

    def _pause_of(self, owner: TaskList) -> Callable[[], None]:
        """What to do between two turns of `owner`: wait as its `wait_time` says, or the user's; or just breathe."""
        rest = self._rest
        holder = owner if rule_of(owner) is not None else owner.user
        rule = rule_of(holder)
        if rule is None or is_nothing(rule):
            return rest.breathe
        now_ns = rest.now_ns
        if isinstance(rule, Pacing):
            pace = self.pace_of(holder, rule)

            def keep_pace() -> None:
                free_ns = now_ns()
                rest.start_at(pace.next_ns(free_ns), free_ns)
                self.seat.missed += pace.take_missed()

            return keep_pace

        def think() -> None:
            free_ns = now_ns()
            rest.start_at(free_ns + self._wait_ns(holder), free_ns)

        return think

    def _wait_ns(self, holder: TaskList) -> int:
        try:
            return wait_ns(holder)
        except StopUser:
            raise
        except AUTHOR_FAULT as raised:
            self._count(raised)
            return seconds_ns(FAULTY_WAIT_S)

    def _after(self, raised: BaseException, owner: TaskList, pause: Callable[[], None]) -> Callable[[], None]:
        """What to do before the next turn, now that a task has raised; raises it again if it ends these turns."""
        outermost = owner is self.user
        if isinstance(raised, StopUser) or (isinstance(raised, InterruptTaskSet) and not outermost):
            raise raised
        self._rest.unplanned()
        if isinstance(raised, RescheduleTaskImmediately) or (
            isinstance(raised, InterruptTaskSet) and raised.reschedule
        ):
            return self._rest.breathe
        if not isinstance(raised, Flow):
            self._count(raised)
            self._rest.after_fault()
        return pause

    def _counts_iterations(self, owner: TaskList) -> int:
        """1 if a turn of `owner` can end an iteration: of the user's own list, or of a sequence right inside it."""
        in_sequence = isinstance(owner, SequentialTaskSet) and owner.parent is self.user
        return int(owner is self.user or in_sequence)

    def _settle(self, user: User) -> bool:
        """Run the `__init__` of a user, which has its seat by then; False if that failed."""
        user._seat, user._life = self.seat, self
        user.environment = self._environment
        if self.seat.host:
            user.host = self.seat.host
        initialise = methodcaller("__init__", self._environment)
        return self._raised_by(lambda: initialise(user), "__init__") is None

    def _stay(self, user: User) -> None:
        try:
            self._begin(user)
            self.turns(user)
        except StopUser:
            pass
        finally:
            self._rest.unplanned()  # a wait may have been cut short: what follows was planned for no moment
            self._raised_by(user.on_stop, "on_stop")

    def _begin(self, user: User) -> None:
        """Run `on_start` until it succeeds, three times at the most."""
        for _ in range(START_ATTEMPTS):
            if self.seat.leaving:
                return
            raised = self._raised_by(user.on_start, "on_start")
            if isinstance(raised, StopUser):
                raise raised
            if raised is None or isinstance(raised, Flow):
                return
            self._wait_to_begin_again(user)

    def _wait_to_begin_again(self, user: User) -> None:
        if rule_of(user) is None:
            self._rest.sleep_s(START_AGAIN_S)
        else:
            self._pause_of(user)()
            self._rest.unplanned()

    def _raised_by(self, call: Callable[[], object], name: str) -> BaseException | None:
        """What a method of the user raises outside of its tasks, if anything; counted, if it is a fault."""
        self.seat.task_name = f"{self._cls.__name__}.{name}"
        try:
            call()
        except Flow as raised:
            return raised
        except AUTHOR_FAULT as raised:
            self._count(raised)
            return raised
        return None

    def _count(self, raised: BaseException) -> None:
        message, trace = author_trace(raised)
        self.seat.recorder.exception(message, trace)
        user_error = self._environment.events.user_error
        if user_error.listeners:
            user_error.fire(user_instance=self.user, exception=raised, tb=raised.__traceback__)
