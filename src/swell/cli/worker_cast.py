"""A script in a worker: loaded, its hooks fired, its users made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from swell.cli.logs import start_logging
from swell.cli.worker_output import Outlet
from swell.cluster.messages import Hello, pack_value
from swell.cluster.supplies import Supplies
from swell.errors import LinkError
from swell.http.environment import HttpEnvironment
from swell.http.trace import Tracing
from swell.plan import RunPlan
from swell.runtime.real_clock import RealClock
from swell.runtime.ring import Ring
from swell.user import UserFactory

if TYPE_CHECKING:
    from swell.script.environment import Environment


class WorkerRunner:
    """The worker, as far as a script may see it."""

    environment: Environment

    def __init__(self, hello: Hello, count_users: Callable[[], int], ask_to_quit: Callable[[], object]) -> None:
        self.client_id = f"{hello.worker}.{hello.incarnation}"
        self.worker_index = hello.worker
        self._run = hello.run
        self._count_users = count_users
        self._ask_to_quit = ask_to_quit

    def __repr__(self) -> str:
        return f"<WorkerRunner {self.client_id}>"

    def tracing(self, plan: RunPlan) -> Tracing | None:
        """Which calls are marked with trace ids; None for none."""
        return Tracing(plan.trace_ratio, self._run) if plan.trace_ratio else None

    @property
    def user_count(self) -> int:
        """How many users are running in this worker."""
        return self._count_users()

    def quit(self) -> None:
        """End the whole run as Ctrl-C would."""
        self._ask_to_quit()


class ScriptCast:
    """The `Cast` of a script."""

    def __init__(self, runner: WorkerRunner, outlet: Outlet, supplies: Supplies, script: str = "") -> None:
        """`script`: where it is below the working directory, if it has come from another machine."""
        self._script = script
        self._runner = runner
        self._outlet = outlet
        self._supplies = supplies
        self._environment: Environment | None = None

    def __repr__(self) -> str:
        return f"<ScriptCast of {self._environment!r}>"

    def open(self, plan: RunPlan, http: HttpEnvironment, ring: Ring, clock: RealClock) -> UserFactory:
        start_logging(plan.log_level)
        if self._script:
            plan = msgspec.structs.replace(plan, script=self._script)
        from swell.cli.script_options import parsed_options
        from swell.script.current import bind_recorder
        from swell.script.loader import load
        from swell.script.traces import leave_out

        if self._script:
            leave_out(Path.cwd())
        script = load(
            plan.script,
            travelled=bool(self._script),
            class_names=[scenario.name for scenario in plan.scenarios],
            tags=plan.tags,
            exclude_tags=plan.exclude_tags,
        )
        script.bind_feeds(plan.feeds, self._supplies.open(plan.feeds))
        environment = script.environment(host=plan.host, parsed_options=parsed_options(plan))
        http.tracing = self._runner.tracing(plan)
        environment.http = http
        environment.runner, self._runner.environment = self._runner, environment
        self._environment = environment
        bind_recorder(ring, clock)
        environment.events.init.fire(environment=environment, runner=self._runner, web_ui=None)
        environment.events.test_start.fire(environment=environment)
        return script.factory(environment)

    def stopping(self) -> None:
        if self._environment is not None:
            self._environment.events.test_stopping.fire(environment=self._environment)

    def stopped(self) -> None:
        if self._environment is not None:
            events = self._environment.events
            events.test_stop.fire(environment=self._environment)
            events.quitting.fire(environment=self._environment)
        self._outlet.flush()  # the controller may listen no longer once it has the last segment

    def report(self) -> bytes | None:
        if self._environment is None or not self._environment.events.report_to_master.listeners:
            return None
        data: dict[str, object] = {}
        self._environment.events.report_to_master.fire(client_id=self._runner.client_id, data=data)
        try:
            return pack_value(data)
        except LinkError as error:
            self._outlet.write(f"ERROR swell: what listeners of report_to_master gave cannot be sent: {error}", True)
            return None
