"""`swell debug`: one user of a script, once, in this process, with everything it sends and gets printed.

The user's class is subclassed: it takes each of its tasks once, in the order written, without waits, and its client
prints. Nothing is spawned and nothing is caught that a debugger would want to see first.
"""

from __future__ import annotations

import types
from typing import Any

import msgspec

from swell.cli.checks import host_problems, machine_problems
from swell.cli.load_options import Planned
from swell.cli.opening import Opened
from swell.cli.own_rows import bind_own_rows
from swell.cli.script_options import parsed_options
from swell.cli.start import plan_of
from swell.cli.transcript import Transcript, TranscriptRecorder, UncountedTraffic
from swell.http.client import Client
from swell.http.environment import HttpEnvironment
from swell.http.kernel_clock import KernelClock
from swell.http.names import Names
from swell.http.options import CallOptions
from swell.http.response import Response
from swell.http.target import Target
from swell.load_plan import spawned
from swell.plan import RunPlan, parse_override, problems
from swell.runtime.real_clock import RealClock
from swell.script.factory import ClassFactory
from swell.script.flow import StopUser
from swell.script.http_session import HttpSession
from swell.script.http_user import HttpUser
from swell.script.task_list import turn_table
from swell.script.user import Made, User
from swell.user import Seat, SimulatedUser

MOST_TURNS = 100
"""So many turns a user may take in all; one that stays in a task set without end is stopped."""


OUR_METHODS = {"__init__", "on_start", "on_stop"}


class DebugHttp(HttpEnvironment):
    """What the sessions of the user share, and the page that its clients print on."""

    transcript: Transcript


class PrintingClient(Client):
    """A client that prints each exchange."""

    __slots__ = ()

    def _head(self, target: Target, options: CallOptions) -> bytes:
        head = super()._head(target, options)
        assert isinstance(self.environment, DebugHttp)
        self.environment.transcript.request(head, str(target.url))
        return head

    def _exchange(self, target: Target, options: CallOptions, begun_ns: int) -> Response:
        response = super()._exchange(target, options, begun_ns)
        assert isinstance(self.environment, DebugHttp)
        self.environment.transcript.response(response)
        return response


class DebugSeat(Seat):
    """A seat whose user is watched: each turn is a heading, and there are not too many of them."""

    __slots__ = ("_task_name", "_turns", "transcript")
    transcript: Transcript

    @property
    def task_name(self) -> str:
        return getattr(self, "_task_name", "")

    @task_name.setter
    def task_name(self, name: str) -> None:
        self._task_name = name
        if not name:
            return
        self._turns = getattr(self, "_turns", 0) + 1
        self.transcript.heading(name, if_used=name.rpartition(".")[2] in OUR_METHODS)
        if self._turns == MOST_TURNS:
            self.transcript.note(f"{MOST_TURNS} turns are enough: the user stops after this one")
            self.leaving = True


def debug(opened: Opened) -> int:
    """Run one user once; the exit code is 1 if a call failed or an exception was raised, otherwise 0."""
    first = opened.script.scenarios[:1] if opened.script else ()
    alone = spawned(1, 1.0, [scenario.name for scenario in first])
    plan = msgspec.structs.replace(plan_of(opened, Planned((alone,), first)), workers=1, run_time_s=None)
    script = opened.script_without(*problems(plan), *host_problems(plan), *machine_problems(plan, 1))
    bind_own_rows(script, plan)
    transcript = Transcript()
    environment = script.environment(host=plan.host, parsed_options=parsed_options(plan))
    environment.http = _http(plan, transcript)
    events = environment.events
    events.init.fire(environment=environment, runner=None, web_ui=None)
    seat = DebugSeat(
        number=0,
        scenario=plan.scenarios[0].name,
        seed=plan.seed,
        host=plan.host,
        clock=RealClock(),
        recorder=TranscriptRecorder(transcript),
        shared=script.run_setup(environment),
    )
    seat.transcript = transcript
    events.test_start.fire(environment=environment)
    _live(ClassFactory([_for_debugging(script.classes[0])], environment).make(seat))
    events.test_stop.fire(environment=environment)
    events.quitting.fire(environment=environment)
    environment.http.close()
    return 1 if transcript.failures else 0


def _http(plan: RunPlan, transcript: Transcript) -> DebugHttp:
    """The HTTP of this one user, on kernel stamps where there are any."""
    stamps = KernelClock()
    stamps.ready(RealClock())
    names = Names({(host, port): address for host, port, address in map(parse_override, plan.resolve)})
    http = DebugHttp(UncountedTraffic(), stamps, names=names, source_addresses=plan.source_addresses)
    http.transcript = transcript
    return http


def _for_debugging(cls: type[User]) -> type[User]:
    """The class, with users that take each task once, and without waits."""
    changes: dict[str, Any] = {"get_next_task": _next_task_once, "wait_time": None, "__module__": cls.__module__}
    if issubclass(cls, HttpUser):
        changes["client"] = Made(_printing_session)
        changes["client"].__set_name__(cls, "client")
    once: type[User] = types.new_class(cls.__name__, (cls,), exec_body=lambda namespace: namespace.update(changes))
    return once


def _next_task_once(user: User) -> Any:
    left = vars(user).setdefault("_tasks_left", list(dict.fromkeys(turn_table(user).tasks)))
    if not left:
        raise StopUser
    return left.pop(0)


def _printing_session(user: HttpUser) -> HttpSession:
    session = HttpSession(user._seat, user.host or "", user.environment.http)
    session._client.__class__ = PrintingClient
    return session


def _live(user: SimulatedUser) -> None:
    try:
        user.live()
    finally:
        user.close()
