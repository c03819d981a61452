"""A simulated cluster of several machines: some come late or are lost without a word; workers stand still, or leave."""

from dataclasses import dataclass, field

from swell.cluster import controller_steps as done_by_controller
from swell.cluster import worker_steps as done_by_worker
from swell.cluster.controller_state import ControllerState
from swell.cluster.course_state import Phase
from swell.cluster.member_state import identity_of
from swell.cluster.messages import (
    Duty,
    Ended,
    Enlist,
    FromController,
    FromWorker,
    Hello,
    Message,
    Muster,
    Remains,
    Welcome,
    WorkerPhase,
)
from swell.cluster.worker_state import WorkerState
from swell.plan import RunPlan
from tests.cluster.simulated import RUN, Cluster, SimulatedWorker

VERSION = "1.2"
LEASE_S = 4.0


@dataclass
class SimulatedMachine:
    """A supervisor: it does what the latest muster says."""

    name: str
    processes: int
    muster: Muster | None = None
    ended: dict[tuple[int, int], str] = field(default_factory=dict)
    gone: bool = False


class WideCluster(Cluster):
    """Workers of the controller's machine and of others; leases are short."""

    def __init__(self, plan: RunPlan) -> None:
        self.machines: dict[bytes, SimulatedMachine] = {}
        self.frozen: dict[bytes, list[Message]] = {}
        """Workers that stand still, and what has come for them."""
        self.vanished: set[bytes] = set()
        """Those whose machine is lost: what they measured is."""
        self.fell_silent = False
        super().__init__(plan, LEASE_S)

    def controller_of(self, plan: RunPlan) -> ControllerState:
        outline = Muster(1, 1, RUN, "", 0, "", VERSION, ())
        return ControllerState(RUN, plan, Welcome(plan, lease_s=LEASE_S), outline)

    # --- what a test may do ------------------------------------------------------------------------------------------

    def join(self, processes: int) -> None:
        """Another machine lends workers."""
        machine = SimulatedMachine(f"m{len(self.machines)}", processes)
        self.machines[machine.name.encode()] = machine
        self.enlist(machine)

    def lose(self, machine: SimulatedMachine) -> None:
        """A machine loses its power."""
        machine.gone = True
        for identity, one in self.workers.items():
            if one.state.hello.machine == machine.name:
                one.gone = True
                self.vanished.add(identity)

    def freeze(self, one: SimulatedWorker) -> None:
        self.fell_silent = True
        self.frozen.setdefault(identity_of(one.worker, one.incarnation), [])

    def thaw(self, identity: bytes) -> None:
        """It goes on; whatever comes first, it is asked first whether its lease is over."""
        held = self.frozen.pop(identity)
        self.to_worker(self.workers[identity], done_by_worker.Woke())
        self.wire += [(False, identity, message) for message in held]

    def leave(self, one: SimulatedWorker) -> None:
        self.to_worker(one, done_by_worker.LeaveWanted())

    def go_on(self, seconds: int) -> None:
        for _ in range(seconds):
            self.deliver_all()
            self.work()
            self.deliver_all()
            self.advance(1.0)

    # --- how it goes -------------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        for machine in self.machines.values():
            self.enlist(machine)

    def living(self) -> list[SimulatedWorker]:
        return [one for one in super().living() if identity_of(one.worker, one.incarnation) not in self.frozen]

    def acting(self) -> list[SimulatedWorker]:
        """Whoever lives, or will go on when it wakes up."""
        return [one for one in super().living() if one.state.bond.tenure.holds(self.now_ns)]

    def deliver(self, index: int = 0, *, keep: bool = False) -> None:
        to_controller, identity, message = self.wire[index] if keep else self.wire.pop(index)
        if identity in self.machines:
            machine = self.machines[identity]
            if to_controller:
                assert isinstance(message, FromWorker)
                self.to_controller(done_by_controller.Heard(identity, message))
            elif isinstance(message, Muster) and not machine.gone:
                self.obey(machine, message)
        elif not to_controller and identity in self.frozen:
            self.frozen[identity].append(message)
        elif to_controller:
            assert isinstance(message, FromWorker)
            self.to_controller(done_by_controller.Heard(identity, message))
        else:
            assert isinstance(message, FromController)
            self.to_worker(self.workers[identity], done_by_worker.Heard(message))

    def enlist(self, machine: SimulatedMachine) -> None:
        if not machine.gone:
            ended = tuple(Ended(*name, because) for name, because in machine.ended.items())
            enlist = Enlist(machine.name, "there", machine.processes, 7, version=VERSION, ended=ended)
            self.wire.append((True, machine.name.encode(), enlist))

    def obey(self, machine: SimulatedMachine, muster: Muster) -> None:
        known = machine.muster
        if known is not None and (muster.term, muster.number) < (known.term, known.number):
            return
        machine.muster = muster
        posts = {(post.worker, post.incarnation): post for post in muster.posts}
        machine.ended = {name: because for name, because in machine.ended.items() if name in posts}
        for name, post in posts.items():
            identity = identity_of(*name)
            if identity not in self.workers and post.duty is Duty.RUN:
                hello = Hello(RUN, *name, "there", 1, machine=machine.name)
                self.workers[identity] = SimulatedWorker(*name, WorkerState(hello))
                self.wire.append((True, identity, hello))
            elif identity in self.workers and post.duty is Duty.END:
                self.kill(identity)
            elif identity in self.workers and post.duty is Duty.RECOVER:
                one = self.workers[identity]
                self.seal_the_rest(one)
                left = tuple(segment for segment in one.spool if segment.sequence > post.applied)
                last = one.spool[-1].sequence if one.spool else 0
                self.wire.append((True, machine.name.encode(), Remains(*name, left, last)))

    def end(self, one: SimulatedWorker, because: str) -> None:
        identity = identity_of(one.worker, one.incarnation)
        self.frozen.pop(identity, None)
        machine = self.machines.get(one.state.hello.machine.encode())
        if machine is None:
            super().end(one, because)
        else:
            one.gone = True
            machine.ended[one.worker, one.incarnation] = because

    # --- what must hold ----------------------------------------------------------------------------------------------

    def check(self) -> None:
        super().check()
        held = [
            residue
            for one in self.acting()
            if one.state.phase in (WorkerPhase.PREPARING, WorkerPhase.RUNNING)
            for residue in one.state.orders.share.residues
        ]
        assert len(held) == len(set(held)), "a residue is held by two"

    def check_held(self) -> None:
        """Everything is held by somebody, if anybody is there who could."""
        ready = [one for one in self.living() if one.state.phase is WorkerPhase.RUNNING and not one.state._leaving]
        if self.controller.phase is not Phase.RUNNING or not ready:
            return
        held = {residue for one in self.acting() for residue in one.state.orders.share.residues}
        assert held == set(range(1_000)), f"{self.controller}, {self.controller.dealing}"

    def check_account(self) -> None:
        """Every call of every worker has been applied exactly once, but for what was lost with a machine."""
        assert self.controller.phase is Phase.OVER
        for identity, one in self.workers.items():
            applied = self.applied[identity]
            assert [segment.from_position for segment in applied[1:]] == [one.to_position for one in applied[:-1]]
            covered = applied[-1].to_position if applied else 0
            may_be_less = identity in self.vanished or self._is_given_up(identity)
            assert covered == one.calls or (may_be_less and covered < one.calls), identity

    def _is_given_up(self, identity: bytes) -> bool:
        """It stood still until long after the end: that it is missing was said."""
        member = self.controller.members.called(identity)
        return member is not None and member.lost and member.recovered and not member.final
