"""What can be known before a run of whether this machine and its disk will carry it. Nothing here leaves a trace."""

from __future__ import annotations

import os
import socket
import stat
import tempfile

from swell.cli.machine import FdLimit
from swell.errors import Problem
from swell.http.url import InvalidUrl, parse_url
from swell.load_plan import Open, Sessions
from swell.plan import MOST_WORKERS, RunPlan, host_faults
from swell.quantities import shown

FDS_OF_A_WORKER = 64
"""What a worker has open besides its users' connections: its ring, its link, its loop, the script's own files."""
WORKERS_PER_CORE = 8
LEAST_WORKERS_LIMIT = 64


def machine_problems(plan: RunPlan, cores: int) -> list[Problem]:
    """Why this machine cannot carry the plan. What `plan.problems` has said already is not said again."""
    return [
        *_worker_problems(plan.workers, cores),
        *(problem for address in plan.source_addresses if plan.workers for problem in _address_problems(address)),
    ]


def port_notices(plan: RunPlan, ports: tuple[int, int]) -> list[str]:
    """Whether users who keep their connections to one target will run out of local ports."""
    hosts = {plan.host or scenario.host for scenario in plan.scenarios if scenario.needs_host}
    room = (ports[1] - ports[0] + 1) * max(len(plan.source_addresses), 1)
    users = _users_here(plan)
    if len(hosts) != 1 or users <= room or next(iter(hosts)).startswith("unix:"):
        return []
    remedy = "--source-address with more addresses makes room"
    return [f"{_users_text(plan)} have {room:,} local ports to connect to one target from; {remedy}"]


def fd_notices(plan: RunPlan, limit: FdLimit) -> list[str]:
    """Whether users will run out of file descriptors: each holds a connection, and each worker has its own limit."""
    connects = not plan.scenarios or any(scenario.needs_host for scenario in plan.scenarios)
    needed = -(-plan.most_users // max(plan.first_workers, 1)) + FDS_OF_A_WORKER
    if limit.soft is None or not connects or not plan.workers or needed <= limit.soft:
        return []
    several = f" in each of {plan.first_workers} workers" if plan.first_workers > 1 else ""
    share = f"{needed:,} open files{several}"
    remedy = f"`ulimit -n {needed}` as root before it, or more --workers, makes room"
    return [f"{_users_text(plan)} need {share}, but {limit.soft:,} are allowed; {remedy}"]


def _users_here(plan: RunPlan) -> int:
    """How many of the users there can be on this machine."""
    return -(-plan.most_users * plan.workers // max(plan.first_workers, 1))


def _users_text(plan: RunPlan) -> str:
    """How many users there are; where arrivals make them, there may be far fewer."""
    up_to = "up to " if any(isinstance(load.model, Open | Sessions) for load in plan.loads) else ""
    return f"{up_to}{plan.most_users:,} users"


def host_problems(plan: RunPlan) -> list[Problem]:
    """Hosts that look like URLs of a target, but that the client could not send a request to."""
    of_classes = {f"{scenario.name}.host": scenario.host for scenario in plan.scenarios if scenario.host}
    found = []
    for place, host in ({"--host": plan.host} if plan.host else of_classes).items():
        try:
            if not host_faults(host):
                parse_url(host)
        except InvalidUrl as fault:
            found.append(Problem(f"{shown(host)} is not a URL: {fault}", place))
    return found


def output_problems(option: str, path: str) -> list[Problem]:
    """Why a file that is to be written at the end cannot be; `-` and '' always can."""
    if path in ("", "-"):
        return []
    try:
        fault = _fault_of_output(path)
    except OSError as error:
        fault = (error.strerror or str(error)).lower()
    except ValueError as error:  # a NUL in it
        fault = str(error)
    return [Problem(f"{path!r} cannot be written: {fault}", option)] if fault else []


def _worker_problems(workers: int, cores: int) -> list[Problem]:
    most = max(cores * WORKERS_PER_CORE, LEAST_WORKERS_LIMIT)
    if workers <= most or workers > MOST_WORKERS:
        return []
    what = f"{workers:,} workers are too many for the {cores} usable core{'s' * (cores > 1)} of this machine"
    return [Problem(what, "--workers", f"at most {most}; one per core is fastest")]


def _address_problems(text: str) -> list[Problem]:
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    try:
        socket.inet_pton(family, text.partition("%")[0])
    except OSError:
        return []  # no address at all
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((text, 0))
    except OSError:
        what = f"{text!r} is not an address of this machine"
        return [Problem(what, "--source-address", "`ip -brief address` lists them")]
    return []


def _fault_of_output(path: str) -> str:
    """Why `path` cannot be opened for writing, or ''. What is there stays as it is; nothing new is left behind."""
    folder = os.path.dirname(path) or "."
    if not os.path.lexists(folder):
        return f"there is no folder {folder!r}"
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = 0
    if stat.S_ISDIR(mode):
        return "it is a folder"
    if mode and not stat.S_ISREG(mode):
        return "" if os.access(path, os.W_OK) else "permission denied"  # opening a pipe might wait for its reader
    if mode:
        os.close(os.open(path, os.O_WRONLY))
    folder, name = os.path.split(os.path.realpath(path))
    handle, beside = tempfile.mkstemp(prefix=f".{name}.", dir=folder)  # it is written beside its place, and moved there
    os.close(handle)
    os.unlink(beside)
    return ""
