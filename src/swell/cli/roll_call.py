"""Says where workers of other machines can join a run, and who is waited for before it begins."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import gevent

from swell.cli.listening import Listening
from swell.cli.terminal import Terminal
from swell.cluster.address import ANYWHERE, Address, is_unspecified
from swell.cluster.controller_state import ControllerState
from swell.cluster.course_state import Phase

LOOK_S = 0.1


class RollCall:
    """Of one run."""

    def __init__(self, terminal: Terminal, timeout_s: float) -> None:
        self._terminal = terminal
        self._timeout_s = timeout_s

    def __repr__(self) -> str:
        return f"<RollCall for {self._timeout_s:g} s>"

    def announce(self, listening: Listening, bound: Address, expected: int) -> None:
        """Say where the run can be joined, and how."""
        everywhere = bound.host == ANYWHERE or is_unspecified(bound.host)
        shown = Address(socket.gethostname(), bound.port) if everywhere else bound
        command = f"swell worker {shown}" + (f" --key {listening.key_path}" if listening.key_path else "")
        waits = f", waiting for {_workers(expected)}" if expected else ""
        self._terminal.note(f"listening at {bound}{waits}")
        self._terminal.note(f"to join, on another machine: {command}")

    @contextlib.contextmanager
    def watching(self, state: ControllerState) -> Iterator[None]:
        """A block in which workers may come."""
        looking = gevent.spawn(self._look, state)
        try:
            yield
        finally:
            looking.kill()
            self._terminal.status("")

    def _look(self, state: ControllerState) -> None:
        begun_s = time.monotonic()
        while state.phase in (Phase.GATHERING, Phase.MEASURING):
            self._say(state, max(self._timeout_s - (time.monotonic() - begun_s), 0))
            gevent.sleep(LOOK_S)
        self._terminal.status("")

    def _say(self, state: ControllerState, left_s: float) -> None:
        come, expected = state.come, state.plan.expected_workers
        if state.phase is Phase.MEASURING:
            self._terminal.status("measuring what each worker can carry")
        elif come < expected:
            here = f"{come:,} of {_workers(expected)} {'is' if come == 1 else 'are'} here"
            self._terminal.status(f"{here}; waiting up to {left_s:.0f} s for the rest")


def _workers(count: int) -> str:
    return f"{count:,} worker{'s' * (count != 1)}"
