"""Machines that are namespaces, around one centre where the controller and the target are.

                 ┌──── link ── 10.9.1.2 ┐
    10.9.0.1 ────┤                      │ machine 1
    10.8.0.1 ────┼──── web ─── 10.8.1.2 ┘
      centre     └──── link ── ...        machine 2

Each machine has two cables to the centre, so that the link of the cluster can be cut, slowed and torn while its users
reach the target as before. A cable for the link may be one that delays and loses packets (`forwarder.py`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import os
from collections.abc import Iterator, Sequence

from tests.faults.lab.forwarder import open_tun
from tests.faults.lab.namespaces import Namespace, namespace, sweep
from tests.targets.process import TargetProcess

LINK_ADDRESS, TARGET_ADDRESS = "10.9.0.1", "10.8.0.1"
DROP_ARRIVALS = """
add table inet cut_{device}
add chain inet cut_{device} arrivals {{ type filter hook input priority 0; }}
add rule inet cut_{device} arrivals iifname "{device}" drop
"""
LET_IN = """
add table inet cut_{device}
delete table inet cut_{device}
"""  # there may be none to delete


class Way(enum.Enum):
    """Which way nothing gets across any more."""

    BOTH = "both ways"
    OUT = "from the machine to the controller"
    IN = "from the controller to the machine"


@dataclasses.dataclass(frozen=True, slots=True)
class Quality:
    """Of a cable, each way."""

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0


PERFECT = Quality()


@dataclasses.dataclass(frozen=True, slots=True)
class Carried:
    """What a bad cable has done."""

    packets: int
    lost: int


class Machine:
    """A namespace with two cables to the centre; there, that of the link is called `far`."""

    def __init__(self, place: Namespace, centre: Namespace, far: str) -> None:
        self.place = place
        self._centre = centre
        self._far = far

    def __repr__(self) -> str:
        return f"<Machine {self.place.name}>"

    @property
    def prefix(self) -> list[str]:
        """What to put in front of a command that is to run here."""
        return self.place.prefix

    def cut(self, way: Way = Way.BOTH) -> None:
        """From now on nothing gets across the cluster's cable. It is lost on arrival, so nobody is told."""
        if way is not Way.IN:
            _filter(self._centre, DROP_ARRIVALS, self._far)
        if way is not Way.OUT:
            _filter(self.place, DROP_ARRIVALS, "link")

    def heal(self) -> None:
        """It does again."""
        _filter(self._centre, LET_IN, self._far)
        _filter(self.place, LET_IN, "link")

    def reset_connections(self) -> None:
        """Every connection of the link ends with a reset, at both ends."""
        self.place.run("ss", "--tcp", "--kill", "dst", LINK_ADDRESS)


class Network:
    """The centre and its machines."""

    def __init__(self, centre: Namespace) -> None:
        self.centre = centre
        self.machines: list[Machine] = []
        self._forwarders: list[TargetProcess] = []

    def __repr__(self) -> str:
        return f"<Network around {self.centre.name}: {self.machines}>"

    def add(self, place: Namespace, quality: Quality = PERFECT) -> Machine:
        """Connect a machine to the centre."""
        number = len(self.machines) + 1
        self._lay_cable(place, "web", number, 8, PERFECT)
        self._lay_cable(place, "link", number, 9, quality)
        self.machines.append(Machine(place, self.centre, f"link{number}"))
        return self.machines[-1]

    def _lay_cable(self, place: Namespace, name: str, number: int, net: int, quality: Quality) -> None:
        here, there, far = f"10.{net}.{number}.1", f"10.{net}.{number}.2", f"{name}{number}"
        if quality == PERFECT:
            self.centre.ip(f"link add {far} type veth peer name {name} netns {place.name}")
        else:
            self._lay_bad_cable(place, name, far, quality)
        self.centre.ip(f"address add {here} peer {there} dev {far}", f"link set dev {far} up")
        place.ip(
            f"address add {there} peer {here} dev {name}",
            f"link set dev {name} up",
            f"route add 10.{net}.0.1 via {here} dev {name}",
        )

    def _lay_bad_cable(self, place: Namespace, name: str, far: str, quality: Quality) -> None:
        ends = self.centre.within(lambda: open_tun(far)), place.within(lambda: open_tun(name))
        words = (*ends, quality.delay_ms, quality.jitter_ms, quality.loss, len(self._forwarders))
        self._forwarders.append(TargetProcess("tests.faults.lab.forwarder", *map(str, words), pass_fds=ends))
        for end in ends:
            os.close(end)

    def take_up_cables(self) -> list[Carried]:
        """Stop the forwarders; what each has done."""
        said = []
        while self._forwarders:
            forwarder = self._forwarders.pop(0)
            said.append(Carried(*map(int, forwarder.last_line().split())))
            forwarder.stop()
        return said


def _filter(place: Namespace, rules: str, device: str) -> None:
    place.run("nft", "-f", "-", stdin=rules.format(device=device))


@contextlib.contextmanager
def network(machines: int, qualities: Sequence[Quality] = ()) -> Iterator[Network]:
    """A centre and so many machines; the first ones' cables of those qualities, the others' perfect."""
    sweep()
    with contextlib.ExitStack() as stack:
        centre = stack.enter_context(namespace("centre"))
        centre.ip(f"address add {LINK_ADDRESS}/32 dev lo", f"address add {TARGET_ADDRESS}/32 dev lo")
        made = Network(centre)
        stack.callback(made.take_up_cables)
        for number in range(machines):
            place = stack.enter_context(namespace(f"machine{number + 1}"))
            made.add(place, qualities[number] if number < len(qualities) else PERFECT)
        yield made
