"""The script's hooks in the controller. They run one after the other in a greenlet of their own, and are watched: the
controller goes on meanwhile, and one that holds the whole process up is named in the result.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.event import Event as Flag
from gevent.queue import SimpleQueue

from swell.clock import NS_PER_S, Clock
from swell.cluster.controller import Controller
from swell.cluster.controller_steps import Cleared, StopWanted
from swell.cluster.messages import unpack_value
from swell.errors import LinkError
from swell.plan import RunPlan
from swell.result import End
from swell.script.environment import Environment
from swell.script.events import EventHook
from swell.script.loader import LoadedScript

STALL_S = 1.0
WATCH_S = 0.1
CALLS_REMEMBERED = 20


class RunRunner:
    """The whole run, as far as a script may see it."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.controller: Controller | None = None

    def __repr__(self) -> str:
        return f"<RunRunner of {self.controller!r}>"

    @property
    def user_count(self) -> int:
        """How many users are running."""
        return self.controller.state.users if self.controller is not None else 0

    def quit(self) -> None:
        """End the run as Ctrl-C would."""
        if self.controller is not None:
            self.controller.tell(StopWanted(End.STOPPED, "the script asked for it"))


@dataclass(slots=True)
class Call:
    """A hook being called, or that was."""

    name: str
    from_ns: int
    to_ns: int | None = None


class Hooks:
    """The hooks of one run, in its controller."""

    def __init__(self, script: LoadedScript, plan: RunPlan, clock: Clock) -> None:
        from swell.cli.script_options import parsed_options

        self.environment = script.environment(host=plan.host, parsed_options=parsed_options(plan))
        self.environment.runner = self._runner = RunRunner(self.environment)
        self._clock = clock
        self._waiting: SimpleQueue[tuple[str, Callable[[], None]]] = SimpleQueue()
        self._calls: deque[Call] = deque(maxlen=CALLS_REMEMBERED)
        self._greenlets: list[gevent.Greenlet] = []
        self.environment.events.init.fire(environment=self.environment, runner=self._runner, web_ui=None)

    def __repr__(self) -> str:
        return f"<Hooks, {self._waiting.qsize()} waiting>"

    def attend(self, controller: Controller) -> None:
        """Fire `test_start`, then let the run begin."""
        self._runner.controller = controller
        self._greenlets = [gevent.spawn(self._work), gevent.spawn(self._watch, controller)]
        self.fire("test_start", environment=self.environment)
        self._waiting.put(("", lambda: controller.tell(Cleared())))

    def fire(self, name: str, **arguments: Any) -> None:
        """Have a hook's listeners called in their turn."""
        hook: EventHook = getattr(self.environment.events, name)
        if hook.listeners:
            self._waiting.put((name, lambda: hook.fire(**arguments)))

    def call(self, name: str, function: Callable[[], None]) -> None:
        """Have another piece of the script's code called in its turn, known by a name if it holds the process up."""
        self._waiting.put((name, function))

    def deliver(self, worker: str, data: bytes) -> None:
        """A worker's listeners of `report_to_master` have sent this."""
        try:
            content = unpack_value(data)
        except LinkError:
            return
        self.fire("worker_report", client_id=worker, data=content)

    def finish(self) -> None:
        """Call what is left, with `test_stop` and `quitting` as the last; returns when they have returned."""
        self.fire("test_stop", environment=self.environment)
        self.fire("quitting", environment=self.environment)
        done = Flag()
        self._waiting.put(("", done.set))
        done.wait()

    def quit(self, exit_code: int) -> None:
        """The very last hook."""
        gevent.killall(self._greenlets)
        self.environment.events.quit.fire(exit_code=exit_code)

    def _work(self) -> None:
        while True:
            name, call = self._waiting.get()
            record = Call(name, self._clock.now_ns())
            if name:
                self._calls.append(record)
            call()
            record.to_ns = self._clock.now_ns()

    def _watch(self, controller: Controller) -> None:
        """Notice when this process as a whole stood still."""
        while True:
            before_ns = self._clock.now_ns()
            gevent.sleep(WATCH_S)
            now_ns = self._clock.now_ns()
            begin_ns = controller.state.course.begin_ns
            stalled_s = (now_ns - before_ns) / NS_PER_S - WATCH_S
            if stalled_s > STALL_S and begin_ns is not None:
                names = [call.name for call in self._calls if call.to_ns is None or call.to_ns > before_ns]
                from_s, to_s = ((at_ns - begin_ns) / NS_PER_S for at_ns in (before_ns, now_ns))
                controller.merge.controller_stalled(max(from_s, 0.0), to_s, " and ".join(names) or "swell itself")
