"""`swell worker-process`: one worker, started by the controller, or on another machine by its supervisor.

It dies with whoever started it (parent-death signal) and leaves Ctrl-C to that; on SIGTERM it hands its users over and
goes. Its standard output is a pipe of which whoever started it keeps the end; once the link is up, what user code
prints travels over it. On another machine the script is in a folder of its own, which is the working directory there.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from swell.cli.patching import patch

if TYPE_CHECKING:
    from swell.cluster.worker import Worker

PR_SET_PDEATHSIG = 1
ORPHANED_EXIT_CODE = 4
PARENT_CHECK_S = 1.0


def main(words: Sequence[str]) -> int:
    """Take part in a run; returns the exit code of the process."""
    given = _arguments(words)
    if not _live_with(given.parent):
        return ORPHANED_EXIT_CODE
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    patch()
    return _take_part(given)


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="swell worker-process", allow_abbrev=False)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--link", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--worker", type=int, required=True)
    parser.add_argument("--incarnation", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--machine", default="")
    parser.add_argument("--folder", default="", help="the working directory")
    parser.add_argument("--script", default="", help="its path there, where that is not the controller's")
    parser.add_argument("--keyed", action="store_true", help="the cluster's key comes over standard input")
    return parser.parse_args(list(words))


def _live_with(parent: int) -> bool:
    """Have the kernel kill this process when its parent has died; False if that has happened already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent


def _end_with(parent: int) -> None:
    """Where the kernel knows no parent-death signal."""
    from gevent import sleep

    while os.getppid() == parent:
        sleep(PARENT_CHECK_S)
    os._exit(ORPHANED_EXIT_CODE)


def _leave_when_asked(worker: Worker) -> None:
    """SIGTERM: hand the users over, and go. A second one ends the process at once."""
    import gevent

    def asked() -> None:
        handler.cancel()
        worker.leave()

    handler = gevent.signal_handler(signal.SIGTERM, asked)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _take_standard_input() -> int:
    """Standard input by another number, so that user code finds an empty one."""
    taken = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return taken


def _take_part(given: argparse.Namespace) -> int:
    import gevent

    from swell.cli.hiding import hide_in_output
    from swell.cli.worker_cast import ScriptCast, WorkerRunner
    from swell.cli.worker_output import Outlet, OutletStream
    from swell.cluster.key import receive_key
    from swell.cluster.link import DealerLink
    from swell.cluster.member_state import identity_of, pulse_identity_of
    from swell.cluster.messages import Hello, Quit, WorkerPhase, encode
    from swell.cluster.spool import Spool
    from swell.cluster.supplies import Supplies
    from swell.cluster.worker import Worker
    from swell.cluster.worker_state import WorkerState
    from swell.cluster.worker_steps import FENCED_EXIT_CODE
    from swell.cluster.workshop import RingWorkshop
    from swell.errors import SwellError
    from swell.runtime.real_clock import RealClock
    from swell.script.secrets import hidden, secrets

    if given.folder:
        os.chdir(given.folder)
    secrets.look_in(os.environ)
    hide_in_output()
    outlet = Outlet(hidden)
    hello = Hello(given.run, given.worker, given.incarnation, socket.gethostname(), os.getpid(), machine=given.machine)
    state = WorkerState(hello)
    clock = RealClock()
    key = receive_key(_take_standard_input()) if given.keyed else None
    identity = identity_of(given.worker, given.incarnation)
    link = DealerLink(given.link, identity, key)
    pulse_link = DealerLink(given.link, pulse_identity_of(identity), key)
    runner = WorkerRunner(hello, lambda: len(state.crew), lambda: link.send(encode(Quit())))
    supplies = Supplies(clock, lambda wanted: link.send(encode(wanted)))
    cast = ScriptCast(runner, outlet, supplies, given.script)
    workshop = RingWorkshop(given.directory, hello, clock, cast, secrets.receive, hidden)
    outlet.send = lambda output: link.send(encode(output))
    outlet.count_lost = workshop.output_lost
    outlet.start()
    gevent.spawn(_end_with, given.parent)
    worker = Worker(state, link, pulse_link, clock, workshop, Spool(given.directory), supplies)
    _leave_when_asked(worker)
    ours = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = OutletStream(outlet, error=False), OutletStream(outlet, error=True)
    try:
        because = worker.run()
    except SwellError as error:
        return error.exit_code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = ours
        outlet.flush()
        workshop.close()
        link.close()
        pulse_link.close()
    if state.phase is WorkerPhase.FENCED:
        return FENCED_EXIT_CODE
    return 4 if because else 0
