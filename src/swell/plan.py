"""What to run: the plan is fixed before the start; what changes while it runs is a numbered revision of it."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

import msgspec

from swell.errors import Problem

MOST_USERS = 1_000_000
MOST_WORKERS = 1_000


class Scenario(msgspec.Struct, frozen=True):
    """One user class of the script, as far as the plan needs to know it."""

    name: str
    weight: float = 1.0
    fixed_count: int = 0
    host: str = ""
    needs_host: bool = True


class RunPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run. Durations in seconds, rates per second."""

    script: str
    scenarios: tuple[Scenario, ...]
    host: str = ""
    users: int = 1
    spawn_rate_per_s: float = 1.0
    run_time_s: float | None = None
    """None: until it is stopped."""
    workers: int = 1
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    stop_timeout_s: float = 5.0
    seed: int = 0
    request_id_header: str = ""
    resolve: tuple[str, ...] = ()
    source_addresses: tuple[str, ...] = ()
    log_level: str = "INFO"
    script_arguments: tuple[str, ...] = ()
    """The part of the command line that belongs to options the script declares."""

    @property
    def ramp_s(self) -> float:
        """How long it takes until all users have started."""
        return self.users / self.spawn_rate_per_s


class Revision(msgspec.Struct, frozen=True):
    """Change `number` of a running plan: from `at_s` of the run on, go to `users` at `rate_per_s`. Number 0 is the plan."""

    number: int
    at_s: float
    users: int
    rate_per_s: float


def default_spawn_rate_per_s(users: int) -> float:
    """All have started within a second, but at most 100 start in one."""
    return float(min(max(users, 1), 100))


def problems(plan: RunPlan) -> list[Problem]:
    """Everything that is wrong with a plan; an empty list means that it can run."""
    found = [
        *_number_problems("--users", plan.users, MOST_USERS),
        *_number_problems("--spawn-rate", plan.spawn_rate_per_s, MOST_USERS),
        *_number_problems("--workers", plan.workers, MOST_WORKERS),
    ]
    if plan.run_time_s is not None:
        found += _number_problems("--run-time", plan.run_time_s, 10 * 365 * 86_400)
    if not (math.isfinite(plan.stop_timeout_s) and plan.stop_timeout_s >= 0):
        found.append(Problem(f"{plan.stop_timeout_s:g} is not a time of 0 s or more", "--stop-timeout"))
    if not found and plan.run_time_s is not None and plan.ramp_s > plan.run_time_s:
        found.append(_ramp_problem(plan))
    return found + _host_problems(plan)


def _number_problems(option: str, value: float, most: float) -> list[Problem]:
    if math.isfinite(value) and 0 < value <= most:
        return []
    return [Problem(f"{value:g} is not a number over 0 and up to {most:,}", option)]


def _ramp_problem(plan: RunPlan) -> Problem:
    return Problem(
        f"{plan.users} users at {plan.spawn_rate_per_s:g}/s take {plan.ramp_s:g} s to start, "
        f"but the run ends after {plan.run_time_s:g} s",
        "--spawn-rate",
        "raise --spawn-rate or --run-time, or lower --users",
    )


def _host_problems(plan: RunPlan) -> list[Problem]:
    found = []
    if plan.host:
        found += [Problem(text, "--host") for text in host_faults(plan.host)]
        return found
    for scenario in plan.scenarios:
        if scenario.host:
            found += [Problem(text, f"{scenario.name}.host") for text in host_faults(scenario.host)]
        elif scenario.needs_host:
            found.append(Problem(f"{scenario.name} has no host", "--host", "give -H URL, or set `host` in the class"))
    return found


def host_faults(host: str) -> list[str]:
    """Why `host` is no base URL of a target; empty when it is one."""
    if host.startswith("unix:/"):
        return []
    try:
        parts = urlsplit(host)
        port_ok = parts.port is None or parts.port > 0
    except ValueError as error:
        return [f"{host!r} is not a URL: {error}"]
    if parts.scheme not in ("http", "https") or not parts.hostname or any(c.isspace() for c in host) or not port_ok:
        return [f"{host!r} is not an http:// or https:// URL"]
    return []
