"""Where the users of one worker process live: the crew, the ring they record into, the HTTP they share, the folding.

numpy, which folding needs, takes 0.1 s to import: that happens in a thread of its own once the first user has been
started, so that starts and time-outs go on meanwhile; before the beginning, where users get ready then.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import gevent
import msgspec
from gevent.event import Event as Flag

from swell.cluster.messages import FromWorker, Hello, Report, Welcome, unpack_value
from swell.cluster.user_steps import Arrive, StartUser
from swell.cluster.worker import Floor
from swell.http.environment import FOREVER_NS, HttpEnvironment
from swell.http.kernel_clock import KernelClock
from swell.http.names import Names
from swell.load.stream import seed_of
from swell.load_plan import Closed, Open, Sessions, load_of
from swell.plan import RunPlan, parse_override
from swell.runtime.capacity import measure
from swell.runtime.crew import Crew
from swell.runtime.gates import ArrivalGate, Gate, UserGate
from swell.runtime.health import HealthProbe, NetworkUse, settle_memory
from swell.runtime.real_clock import RealClock
from swell.runtime.ring import Ring
from swell.segment import ScenarioCount, Segment
from swell.user import Seat, UserFactory

if TYPE_CHECKING:
    from swell.runtime.fold import Folder

STAMP_CHECK_S = 1.0
FOLD_DELAY_NS = 5_000_000
"""Users that start at once are on their way by then."""


class Cast(Protocol):
    """The users of a script and its hooks, as a workshop needs them. Every method may wait."""

    def open(self, plan: RunPlan, http: HttpEnvironment, ring: Ring, clock: RealClock) -> UserFactory:
        """Load the script and let it start its test. Raises SwellError."""

    def stopping(self) -> None: ...

    def stopped(self) -> None: ...

    def report(self) -> bytes | None: ...


class RingWorkshop:
    """The workshop of a worker process; its files are in `directory`. `learn` is told the secrets that the controller
    has sent, and `hide` takes secrets out of what is recorded."""

    def __init__(
        self,
        directory: Path,
        hello: Hello,
        clock: RealClock,
        cast: Cast,
        learn: Callable[[Mapping[str, str]], None] | None = None,
        hide: Callable[[str], str] = str,
    ) -> None:
        self._hello = hello
        self._clock = clock
        self._cast = cast
        self._kernel_clock = KernelClock()
        self._learn = learn
        self._ring = Ring(directory, hide=hide)
        self._begin_ns = 0
        self._crew: Crew | None = None
        self._http: HttpEnvironment | None = None
        self._plan: RunPlan | None = None
        self._floor: Floor | None = None
        self._health: HealthProbe | None = None
        self._users_at_end: dict[str, int] = {}
        self._folder: Folder | None = None
        self._can_fold = Flag()
        self._helpers: list[gevent.Greenlet] = []

    def __repr__(self) -> str:
        return f"<RingWorkshop {self._hello.worker}.{self._hello.incarnation}, {self._crew!r}>"

    def open(self, welcome: Welcome, floor: Floor) -> None:
        plan = self._plan = welcome.plan
        self._floor = floor
        http = self._http = HttpEnvironment(
            self._ring,
            self._kernel_clock,
            names=Names({(host, port): address for host, port, address in map(parse_override, plan.resolve)}),
            source_addresses=plan.source_addresses,
            request_id=self._request_id(plan.request_id_header),
        )
        if self._learn is not None:
            self._learn(welcome.secrets.values)
        factory = self._cast.open(plan, http, self._ring, self._clock)
        seats = self._seats(plan, unpack_value(welcome.shared))
        self._crew = Crew(factory, seats, self._clock, self._ring, floor.gone)
        self._kernel_clock.ready(self._clock)
        settle_memory()

    def _request_id(self, header: str) -> tuple[str, str] | None:
        hello = self._hello
        return (header, f"{hello.run}/{hello.worker}.{hello.incarnation}/") if header else None

    def _seats(self, plan: RunPlan, shared: object) -> Callable[[int, str], Seat]:
        hosts = {scenario.name: plan.host or scenario.host for scenario in plan.scenarios}

        def seat(number: int, scenario: str) -> Seat:
            return Seat(
                number=number,
                scenario=scenario,
                seed=seed_of(plan.seed, number),
                host=hosts[scenario],
                clock=self._clock,
                recorder=self._ring,
                shared=shared,
            )

        return seat

    def warm_up(self) -> None:
        gevent.get_hub().threadpool.apply(_import_folding)

    def measure(self, every_ns: int) -> float:
        return measure(self._clock, every_ns)

    def hold(self, until_ns: int | None) -> None:
        if self._http is not None:
            self._http.until_ns = FOREVER_NS if until_ns is None else until_ns

    def fence(self) -> None:
        self.hold(0)
        if self._crew is not None:
            self._crew.end_all()

    def begin(self, begin_ns: int) -> None:
        self._begin_ns = begin_ns
        self._ring.begin(begin_ns)
        self._health = HealthProbe(self._clock, self._network)
        self._helpers = [gevent.spawn(self._prepare_folding), gevent.spawn(self._check_stamps)]

    def _network(self) -> NetworkUse:
        http = self._http
        if http is None:
            return NetworkUse()
        return NetworkUse(len(http.connections), http.fd_exhausted, http.ports_exhausted)

    def _prepare_folding(self) -> None:
        self._clock.sleep_until_ns(self._begin_ns + FOLD_DELAY_NS)
        gevent.get_hub().threadpool.apply(_import_folding)
        from swell.runtime.fold import Folder

        hello = self._hello
        assert self._plan is not None
        self._folder = Folder(
            self._ring,
            run=hello.run,
            worker=hello.worker,
            incarnation=hello.incarnation,
            begin_ns=self._begin_ns,
            keep_records=self._plan.keep_records,
        )
        self._can_fold.set()

    def _check_stamps(self) -> None:
        while True:
            gevent.sleep(STAMP_CHECK_S)
            self._kernel_clock.measure()

    def start(self, user: StartUser) -> None:
        """Users of a closed plan start as soon as they can: that one did so late is in nobody's response time, so it
        is given no due moment to be measured against."""
        assert self._crew is not None
        assert self._plan is not None
        load = self._plan.loads[load_of(user.number, len(self._plan.loads))[0]]
        gate: UserGate | None = None
        if isinstance(load.model, Open):
            gate = self._arrival_gate(user)
        elif not isinstance(load.model, Closed):
            assert self._floor is not None
            gate = Gate(self._floor.ready)
        due_ns = user.due_ns if isinstance(load.model, Sessions) else 0
        self._crew.start(user.number, user.scenario, gate, due_ns)

    def _arrival_gate(self, user: StartUser) -> ArrivalGate:
        assert self._floor is not None
        if user.arrival is None:
            return ArrivalGate(self._floor.ready)
        return ArrivalGate(self._floor.ready, user.due_ns, self._choices_of(user.arrival))

    def _choices_of(self, arrival: int) -> int:
        assert self._plan is not None
        return seed_of(self._plan.seed, arrival)

    def arrive(self, arrival: Arrive) -> None:
        assert self._crew is not None
        self._crew.arrive(arrival.number, arrival.due_ns, self._choices_of(arrival.arrival))

    def drop(self, scenario: str) -> None:
        assert self._crew is not None
        self._crew.drop(scenario)

    def leave(self, number: int, grace_s: float) -> None:
        assert self._crew is not None
        self._crew.leave(number, grace_s)

    def stop(self) -> None:
        assert self._crew is not None
        self._users_at_end = {count.name: count.users for count in self._crew.counts()}

    def stopping(self) -> None:
        self._cast.stopping()

    def stopped(self) -> None:
        self._cast.stopped()

    def report(self) -> FromWorker | None:
        data = self._cast.report()
        return None if data is None else Report(data)

    def seal(self, *, final: bool) -> Segment:
        self._can_fold.wait()
        assert self._folder is not None
        health = self._health.sample() if self._health is not None else None
        return self._folder.seal(self._clock.now_ns(), scenarios=self._counts(), health=health, final=final)

    def _counts(self) -> tuple[ScenarioCount, ...]:
        """Where each scenario stands. The second in which the plan ends is reported with the users that it had then."""
        if self._crew is None:
            return ()
        at_end, self._users_at_end = self._users_at_end, {}
        most = self._crew.take_most_users()
        return tuple(
            msgspec.structs.replace(
                count, users=max(count.users, at_end.get(count.name, 0)), most_users=most[count.name]
            )
            for count in self._crew.counts()
        )

    def output_lost(self, lines: int) -> None:
        """Count lines that user code has written and nobody will see."""
        self._ring.output_lost(lines)

    def close(self) -> None:
        """Close everything; the files stay."""
        gevent.killall(self._helpers)
        if self._health is not None:
            self._health.close()
        if self._http is not None:
            self._http.close()
        self._kernel_clock.close()


def _import_folding() -> None:
    for name in ("swell.runtime.fold", "numpy.ma"):  # the latter numpy would import in the middle of a fold
        importlib.import_module(name)
