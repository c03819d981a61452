"""The laboratory itself: a cut cable is cut, a slow one is slow, and what a killed test has left behind is removed."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.faults.lab import namespaces
from tests.faults.lab.network import LINK_ADDRESS, TARGET_ADDRESS, Machine, Network, Quality, Way, network

HALF_AN_HOUR_S = 1_800


@pytest.fixture
def two_machines() -> Iterator[Network]:
    with network(2) as found:
        yield found


@contextlib.contextmanager
def datagrams(found: Network, address: str, machine: Machine) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two sockets: of the centre, and of a machine that is connected to it."""

    def bound() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((address, 0))
        return made

    with (
        found.centre.within(bound) as centre,
        machine.place.within(lambda: socket.socket(type=socket.SOCK_DGRAM)) as it,
    ):
        it.connect(centre.getsockname())
        it.send(b"from where")
        centre.connect(centre.recvfrom(100)[1])
        centre.settimeout(0.1)
        it.settimeout(0.1)
        yield centre, it


def gets_across(sender: socket.socket, receiver: socket.socket) -> bool:
    sender.send(b"hello")
    with contextlib.suppress(TimeoutError):
        return receiver.recv(100) == b"hello"
    return False


@pytest.mark.parametrize("way", Way)
def test_a_cut_cable_carries_nothing_that_way_until_it_is_healed(two_machines: Network, way: Way) -> None:
    cut, whole = two_machines.machines
    with (
        datagrams(two_machines, LINK_ADDRESS, cut) as (centre, machine),
        datagrams(two_machines, TARGET_ADDRESS, cut) as (target, user),
        datagrams(two_machines, LINK_ADDRESS, whole) as (centre_too, other),
    ):
        cut.cut(way)
        assert gets_across(centre, machine) == (way is Way.OUT)
        assert gets_across(machine, centre) == (way is Way.IN)
        assert gets_across(user, target)
        assert gets_across(target, user)
        assert gets_across(other, centre_too)
        cut.heal()
        assert gets_across(machine, centre)
        assert gets_across(centre, machine)


def test_a_reset_ends_connections_of_the_link_at_both_ends_and_no_others(two_machines: Network) -> None:
    machine = two_machines.machines[0]
    pairs = []
    for address in (LINK_ADDRESS, TARGET_ADDRESS):
        listener = two_machines.centre.within(lambda address=address: socket.create_server((address, 0)))
        mine = machine.place.within(lambda listener=listener: socket.create_connection(listener.getsockname(), 1))
        pairs.append((mine, listener.accept()[0]))
        listener.close()
    machine.reset_connections()
    for end in pairs[0]:
        with pytest.raises(ConnectionError):
            end.recv(100)
    assert gets_across(*pairs[1])
    for pair in pairs:
        for end in pair:
            end.close()


def test_a_bad_cable_delays_and_loses_as_much_as_it_says() -> None:
    with network(2, [Quality(delay_ms=40), Quality(loss=0.2)]) as found:
        slow, lossy = found.machines
        with datagrams(found, LINK_ADDRESS, slow) as (centre, machine):
            began_s = time.monotonic()
            assert gets_across(machine, centre)
            assert gets_across(centre, machine)
            assert time.monotonic() - began_s >= 0.08
        with datagrams(found, LINK_ADDRESS, lossy) as (centre, machine):
            came = 0
            for number in range(200):
                machine.send(b"%d" % number)
            with contextlib.suppress(TimeoutError):
                while centre.recv(100):
                    came += 1
            assert 130 < came < 190
        _, carried = found.take_up_cables()
        assert carried.lost > 10


def test_what_a_killed_test_has_left_behind_is_removed_and_what_lives_is_not() -> None:
    program = "import os; from tests.faults.lab.namespaces import Namespace; print(Namespace('left').name); os._exit(1)"
    left = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False).stdout.strip()
    with namespaces.namespace("mine") as mine:
        sleeper = subprocess.Popen(
            ["nsenter", f"--net={namespaces.PLACE / left}", "sleep", str(HALF_AN_HOUR_S)], start_new_session=True
        )
        while not subprocess.run(["ip", "netns", "pids", left], capture_output=True, text=True, check=False).stdout:
            time.sleep(0.01)
        assert left in namespaces.sweep()
        assert sleeper.wait(5) == -9
        assert not (namespaces.PLACE / left).exists()
        assert (namespaces.PLACE / mine.name).exists()
    assert not (namespaces.PLACE / mine.name).exists()
