"""Asks a script's `LoadTestShape` once a second how many users there are to be, and has the run go there.

`tick` is called in the turn of the script's hooks, so that neither runs while the other waits for something, and it is
watched like them. A second that comes while it is still busy passes without a question, and is not made up for. It runs
in a greenlet of its own: one that never returns does not keep a run from ending.
"""

from __future__ import annotations

import gevent

from swell.cli.hooks import Hooks
from swell.clock import NS_PER_S, Clock
from swell.cluster.controller import Controller
from swell.cluster.controller_steps import Reshaped, StopWanted
from swell.errors import Problem, ScriptError
from swell.load.shape import Wanted
from swell.result import End
from swell.script.flow import LOADING_FAULT
from swell.script.shape import LoadTestShape, ask, begin
from swell.script.traces import author_trace, place_of


class ShapeTicks:
    """The shape of one run, in its controller. Raises ScriptError if it cannot be made."""

    def __init__(self, shape: type[LoadTestShape], hooks: Hooks, clock: Clock) -> None:
        self._hooks = hooks
        self._clock = clock
        self._controller: Controller | None = None
        self._latest: Wanted | None = None
        self._is_over = False
        self._is_asked = False
        self._asking: gevent.Greenlet | None = None
        self._tick: gevent.Greenlet | None = None
        self._shape = _made(shape)
        self._shape.runner = hooks.environment.runner

    def __repr__(self) -> str:
        return f"<ShapeTicks of {self._name}, latest {self._latest}>"

    @property
    def _name(self) -> str:
        return type(self._shape).__name__

    def attend(self, controller: Controller) -> None:
        """From now on this is the run that follows the shape."""
        self._controller = controller

    def begun(self, begin_ns: int) -> None:
        """The run begins: ask for the first time, and then each second."""
        begin(self._shape, self._clock, begin_ns)
        self._asking = gevent.spawn(self._ask_each_second, begin_ns)

    def stop(self) -> None:
        """The run is ending: ask no more, and wait for no answer."""
        self._is_over = True
        for greenlet in (self._asking, self._tick):
            if greenlet is not None:
                greenlet.kill(block=False)

    def _ask_each_second(self, begin_ns: int) -> None:
        second = 0
        while True:
            if not self._is_asked:
                self._is_asked = True
                self._hooks.call(f"{self._name}.tick()", self._call)
            second = max(second + 1, (self._clock.now_ns() - begin_ns) // NS_PER_S + 1)
            self._clock.sleep_until_ns(begin_ns + second * NS_PER_S)

    def _call(self) -> None:
        """It is the shape's turn among the hooks."""
        if not self._is_over:
            self._tick = gevent.spawn(self._ask)
            self._tick.join()
        self._is_asked = False

    def _ask(self) -> None:
        try:
            wanted = ask(self._shape, self._hooks.environment.user_classes)
        except ScriptError as error:
            self._fail(error)
            return
        if wanted is None:
            self._end(End.COMPLETED, "")
        elif wanted != self._latest and self._controller is not None:
            self._latest = wanted
            self._controller.tell(Reshaped(wanted))

    def _fail(self, error: ScriptError) -> None:
        """The run cannot go on without it; what was measured so far is reported all the same."""
        if self._controller is not None and error.author_traceback:
            self._controller.merge.raised(error.problems[0].what, error.author_traceback)
        self._end(End.FAILED, str(error))

    def _end(self, end: End, text: str) -> None:
        self._is_over = True
        if self._asking is not None:
            self._asking.kill(block=False)
        if self._controller is not None:
            self._controller.tell(StopWanted(end, text))


def _made(shape: type[LoadTestShape]) -> LoadTestShape:
    try:
        return shape()
    except LOADING_FAULT as raised:
        message, trace = author_trace(raised)
        raise ScriptError(Problem(f"{shape.__name__}() failed: {message}", place_of(raised)), trace) from raised
