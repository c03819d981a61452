"""`swell worker HOST:PORT`: lends this machine to a run on another one, for as long as it goes on."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from pathlib import Path

import gevent

from swell import __version__
from swell.analysis.exit_code import ExitCode
from swell.cli import options, settings
from swell.cli.interrupts import InterruptedTwice, Interrupts
from swell.cli.listening import read_wanted_key
from swell.cli.machine import raise_fd_limit, usable_cores
from swell.cli.printing import Printer
from swell.cli.run import PARTING_S, ROOM_PER_WORKER_BYTES
from swell.cli.settings import Layer, Settings
from swell.cli.status_line import StatusLine
from swell.cluster.address import Address, parse_address
from swell.cluster.key import ClusterKey
from swell.cluster.launcher import Launcher, python_command
from swell.cluster.link import DealerLink
from swell.cluster.messages import Enlist
from swell.cluster.supervisor import Supervisor
from swell.cluster.supervisor_state import SupervisorState
from swell.cluster.supervisor_steps import Exit, LeaveWanted
from swell.cluster.workplace import Workplace, open_workplace
from swell.errors import PlanError, Problem
from swell.plan import MOST_WORKERS
from swell.runtime.real_clock import RealClock

SCRIPT_FOLDER = "script"
SHOW_S = 0.5


def lend(address_text: str, given: Layer) -> int:
    """Run workers here until the run is over, and return the exit code. `given` is what the command line says."""
    wanted, address, processes, key = _understood(address_text, given)
    raise_fd_limit()
    workplace = open_workplace(processes * ROOM_PER_WORKER_BYTES)
    keeps = False
    try:
        lending = Lending(address, processes, key, wanted[options.CONNECT_TIMEOUT], workplace)
        ended = lending.carry_out()
        keeps = ended is not None and ended.keep
    finally:
        if not keeps:
            workplace.remove()
    if ended is None:
        return ExitCode.INTERRUPTED_TWICE
    lending.say(ended.text)
    if keeps:
        lending.say(f"what its workers had measured, and nobody has acknowledged, stays in {workplace.keep()}")
    return ended.exit_code


def _understood(address_text: str, given: Layer) -> tuple[Settings, Address, int, ClusterKey | None]:
    """What the words mean. Raises PlanError with all that is wrong."""
    known = options.options_of("worker")
    files, problems = settings.config_layers(options.ALL, Path.cwd(), "")
    wanted, faults = settings.resolve(known, [given, settings.environment_layer(known, os.environ), *files])
    problems += faults
    key = read_wanted_key(wanted, problems)
    processes = wanted[options.PROCESSES]
    if processes is None:
        processes = usable_cores()
    elif not 0 < processes <= MOST_WORKERS:
        what = f"{processes:,} is not a number over 0 and up to {MOST_WORKERS:,}"
        problems.append(wanted.placed(Problem(what, options.PROCESSES.flag)))
    try:
        address = parse_address(address_text, f"swell worker {address_text}")
    except PlanError as error:
        raise PlanError([*error.problems, *problems]) from error
    if problems:
        raise PlanError(problems)
    return wanted, address, processes, key


class Lending:
    """This machine's part in a run."""

    def __init__(
        self, address: Address, processes: int, key: ClusterKey | None, connect_timeout_s: float, workplace: Workplace
    ) -> None:
        self._address = address
        self._processes = processes
        self._key = key
        self._workplace = workplace
        self._printer = Printer(to_stderr=True)
        self._status = StatusLine(self._printer)
        self._machine = secrets.token_hex(8)
        self._clock = RealClock()
        enlist = Enlist(self._machine, socket.gethostname(), processes, os.getpid(), version=__version__)
        self._state = SupervisorState(enlist, str(address), connect_timeout_s, self._clock.now_ns())
        told = key.text.encode() if key is not None else b""
        self._launcher = Launcher(self._command, os.environ, told)

    def __repr__(self) -> str:
        return f"<Lending {self._processes} processes to {self._address}>"

    def say(self, text: str) -> None:
        """Tell whoever watches."""
        with self._status.aside():
            self._printer.line(f"swell: {text}", sys.stderr)

    def carry_out(self) -> Exit | None:
        """From the link to the end of the last process; None: somebody did not want to wait for that."""
        link = DealerLink(self._address.endpoint, self._machine.encode(), self._key)
        supervisor = Supervisor(
            self._state,
            link,
            self._launcher,
            self._workplace,
            self._workplace.path / SCRIPT_FOLDER,
            self._clock,
            self.say,
            lambda: link.trouble,
        )
        try:
            with Interrupts(self._printer.hang_up) as interrupts:
                interrupts.attend(lambda: supervisor.tell(LeaveWanted()))
                showing = gevent.spawn(self._show)
                try:
                    return supervisor.run()
                finally:
                    showing.kill()
                    self._status.show("")
        except InterruptedTwice:
            supervisor.abandon(PARTING_S)
            return None
        finally:
            self._launcher.kill_all()
            self._launcher.wait_ended(PARTING_S)
            link.close()

    def _show(self) -> None:
        """Keep saying how it stands."""
        while True:
            self._status.show(self._state.summary(self._clock.now_ns()))
            gevent.sleep(SHOW_S)

    def _command(self, worker: int, incarnation: int) -> list[str]:
        muster = self._state.muster
        assert muster is not None
        keyed = ["--keyed"] if self._key is not None else []
        return python_command(
            self._workplace.worker(worker, incarnation),
            *("--link", self._address.endpoint, "--run", muster.run, "--parent", str(os.getpid())),
            *("--worker", str(worker), "--incarnation", str(incarnation), "--machine", self._machine),
            *("--folder", str(self._workplace.path / SCRIPT_FOLDER), "--script", muster.script, *keyed),
        )
