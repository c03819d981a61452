"""Asks a script's `LoadTestShape` once a second how many users there are to be, and has the run go there.

Its `tick` is called in the turn of the script's hooks, so that it is watched like them; while it takes longer than a
second it is not asked again.
"""

from __future__ import annotations

import gevent

from swell.cli.hooks import Hooks
from swell.clock import Clock
from swell.cluster.controller import Controller
from swell.cluster.controller_steps import Reshaped, StopWanted
from swell.errors import Problem, ScriptError
from swell.load.shape import Wanted
from swell.result import End
from swell.script.flow import LOADING_FAULT
from swell.script.shape import LoadTestShape, ask, begin
from swell.script.traces import author_trace, place_of

TICK_S = 1.0


class ShapeTicks:
    """The shape of one run, in its controller. Raises ScriptError if it cannot be made."""

    def __init__(self, shape: type[LoadTestShape], hooks: Hooks, clock: Clock) -> None:
        self._hooks = hooks
        self._clock = clock
        self._controller: Controller | None = None
        self._latest: Wanted | None = None
        self._asking = False
        self._greenlet: gevent.Greenlet | None = None
        try:
            self._shape = shape()
        except LOADING_FAULT as raised:
            message, trace = author_trace(raised)
            raise ScriptError(Problem(f"{shape.__name__}() failed: {message}", place_of(raised)), trace) from raised
        self._shape.runner = hooks.environment.runner

    def __repr__(self) -> str:
        return f"<ShapeTicks of {type(self._shape).__name__}, latest {self._latest}>"

    def attend(self, controller: Controller) -> None:
        """From now on this is the run that follows the shape."""
        self._controller = controller

    def begun(self, begin_ns: int) -> None:
        """The run begins: ask for the first time, and then each second."""
        begin(self._shape, self._clock, begin_ns)
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """The run is ending: ask no more."""
        if self._greenlet is not None:
            self._greenlet.kill(block=False)
            self._greenlet = None

    def _run(self) -> None:
        name = f"tick of {type(self._shape).__name__}"
        while True:
            if not self._asking:
                self._asking = True
                self._hooks.call(name, self._ask)
            gevent.sleep(TICK_S)

    def _ask(self) -> None:
        if self._controller is None or self._greenlet is None:
            return
        try:
            wanted = ask(self._shape, self._hooks.environment.user_classes)
        except ScriptError as error:
            self._end(End.FAILED, str(error))
            return
        finally:
            self._asking = False
        if wanted is None:
            self._end(End.COMPLETED, "")
        elif wanted != self._latest:
            self._latest = wanted
            self._controller.tell(Reshaped(wanted))

    def _end(self, end: End, text: str) -> None:
        self.stop()
        if self._controller is not None:
            self._controller.tell(StopWanted(end, text))
