"""What to run: the plan is fixed before the start; what changes while it runs is a numbered revision of it."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

import msgspec

from swell.errors import Problem
from swell.feed_plan import FeedPlan
from swell.load_plan import Closed, Load, Model

MOST_USERS = 1_000_000
MOST_WORKERS = 1_000
LONGEST_S = 10 * 365 * 86_400
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
"""RFC 9110 §5.6.2: what a header may be called."""


class Scenario(msgspec.Struct, frozen=True):
    """One user class of the script, as far as the plan needs to know it."""

    name: str
    weight: float = 1.0
    fixed_count: int = 0
    host: str = ""
    needs_host: bool = True


class ShapeOptions(msgspec.Struct, frozen=True):
    """What -u, -r and -t say to a shape that makes of them what it will; None where one is not given."""

    users: int | None = None
    spawn_rate_per_s: float | None = None
    run_time_s: float | None = None


class RunPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run. Durations in seconds, rates per second."""

    script: str
    scenarios: tuple[Scenario, ...]
    host: str = ""
    loads: tuple[Load, ...] = ()
    """What the users do when, side by side."""
    shape: str = ""
    """The script's `LoadTestShape` that asks for users of the loads as the run goes on."""
    shape_options: ShapeOptions | None = None
    """None: the shape does not use them."""
    feeds: tuple[FeedPlan, ...] = ()
    run_time_s: float | None = None
    """The run is cut off then. None: it ends with its loads, or when it is stopped."""
    workers: int = 1
    """Started with the controller, on its machine."""
    expected_workers: int = 0
    """Of other machines: the run begins when so many are ready."""
    expect_timeout_s: float = 60.0
    lease_s: float = 15.0
    """How long a worker goes on of which the controller hears nothing, or the other way round."""
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    stop_timeout_s: float = 5.0
    seed: int = 0
    request_id_header: str = ""
    trace_ratio: float = 0.0
    """This share of calls carries a `traceparent`."""
    keep_records: bool = False
    """Workers send every call by itself too, to be written down."""
    resolve: tuple[str, ...] = ()
    source_addresses: tuple[str, ...] = ()
    log_level: str = "INFO"
    script_arguments: tuple[str, ...] = ()
    """The part of the command line that belongs to options the script declares."""
    thresholds: tuple[str, ...] = ()
    """What the run has to meet, as written: `stats/thresholds/parser.py` reads it."""
    baseline: str = ""
    """The stored run that limits in percent of the baseline refer to."""

    @property
    def most_users(self) -> int:
        """How many users there can be at a time."""
        return sum(load.most_users for load in self.loads)

    @property
    def first_workers(self) -> int:
        """How many workers the run begins with, at least."""
        return self.workers + self.expected_workers

    @property
    def target(self) -> str:
        """The base URLs that its users call."""
        of_classes = dict.fromkeys(scenario.host for scenario in self.scenarios if scenario.host)
        return self.host or ", ".join(of_classes)

    @property
    def ends_s(self) -> float | None:
        """When the last load is over, or the run is cut off; None: nobody knows beforehand."""
        ends = [load.ends_s for load in self.loads]
        known = [end_s for end_s in ends if end_s is not None]
        last_s = max(known) if known and len(known) == len(ends) else None
        return min((end_s for end_s in (last_s, self.run_time_s) if end_s is not None), default=None)

    @property
    def adjustable(self) -> int | None:
        """The load that keys change: the only closed one without an end; None: there is none, or there are several, or
        a shape says how many users there are."""
        if self.shape:
            return None
        closed = [number for number, load in enumerate(self.loads) if isinstance(load.model, Closed)]
        endless = [number for number in closed if self.loads[number].ends_s is None]
        return endless[0] if len(endless) == 1 else None

    @property
    def longest_stop_s(self) -> float:
        """How long any user at all may take to finish what it is doing."""
        given = (time_s for load in self.loads for time_s in (load.graceful_stop_s, load.graceful_ramp_down_s))
        return max((self.stop_timeout_s, *(time_s for time_s in given if time_s is not None)))

    @property
    def spawn_rate_per_s(self) -> float:
        """The rate at which users start first, where the plan has one; otherwise what -u without -r would take."""
        for load in self.loads:
            for leg in load.model.curve.legs if isinstance(load.model, Closed) else ():
                if leg.end > leg.begin:
                    return (leg.end - leg.begin) / leg.duration_s if leg.duration_s else float(MOST_USERS)
        return default_spawn_rate_per_s(self.most_users)


class Revision(msgspec.Struct, frozen=True):
    """Change `number`, from 1 on, of a running plan: from `at_s` on, the users of a load go to `users` at a rate."""

    number: int
    at_s: float
    users: int
    rate_per_s: float
    load: int = 0
    delay_s: float = 0.0
    """The first user of it starts or leaves so long after, unless it goes on with a change that is under way."""
    from_users: int | None = None
    """How many users it found. With this, nothing before it need be known; None: what is before it says so."""
    latest_ns: int | None = None
    """When the last user before it started or left, in ns of the run; None: there was none."""


def default_spawn_rate_per_s(users: int) -> float:
    """All have started within a second, but at most 100 start in one."""
    return float(min(max(users, 1), 100))


def spawn_problems(users: int, rate_per_s: float) -> list[Problem]:
    """What is wrong with the numbers of -u and -r."""
    return [*_range_problem("--users", users, MOST_USERS), *_range_problem("--spawn-rate", rate_per_s, MOST_USERS)]


def problems(plan: RunPlan) -> list[Problem]:
    """Everything that is wrong with a plan, as far as the plan alone shows it; an empty list means that it can run."""
    found = [*_number_problems(plan), *_load_problems(plan), *_host_problems(plan)]
    return [*found, *_tag_problems(plan), *_wire_problems(plan)]


def notices(plan: RunPlan) -> list[str]:
    """What is allowed in a plan without problems, but may not be what was meant."""
    users = plan.most_users
    found = [notice for load in plan.loads for notice in _ramp_notices(plan, load.model)]
    for load in plan.loads:
        if plan.run_time_s is not None and load.start_s >= plan.run_time_s:
            names = ", ".join(load.scenarios)
            found.append(f"{names}: the load starts after {load.start_s:g} s, when the run is over: it does nothing")
    fixed = sum(scenario.fixed_count for scenario in plan.scenarios)
    if fixed > users and not plan.shape:
        found.append(f"the classes' fixed_count adds up to {fixed:,} users, but only {users:,} run")
    if plan.first_workers > users and not plan.shape:
        found.append(f"{plan.first_workers - users} of {plan.first_workers} workers have no user to run")
    return found


def _ramp_notices(plan: RunPlan, model: Model) -> list[str]:
    if not isinstance(model, Closed) or not model.curve.endless or len(model.curve.legs) != 1:
        return []
    (leg,) = model.curve.legs
    ramp_s = leg.duration_s * (leg.end - 1) / leg.end
    """The first starts at once."""
    if plan.run_time_s is None or ramp_s <= plan.run_time_s:
        return []
    start = f"{leg.end:,.0f} users at {leg.end / leg.duration_s:g}/s take {ramp_s:g} s to start"
    remedy = "raise --spawn-rate or --run-time to have them all"
    return [f"{start}, but the run ends after {plan.run_time_s:g} s: {remedy}"]


def host_faults(host: str) -> list[str]:
    """Why `host` is no base URL of a target; empty when it is one."""
    shown = repr(host if len(host) <= 80 else host[:79] + "…")
    if host.startswith("unix:/"):
        return []
    try:
        parts = urlsplit(host)
        port = parts.port
    except ValueError as error:
        return [f"{shown} is not a URL: {error}"]
    spaces = any(character.isspace() or not character.isprintable() for character in host)
    if parts.scheme not in ("http", "https") or not parts.hostname or spaces or port == 0:
        meant = re.fullmatch(r"[\w.-]{1,60}(:\d{1,5})?", host, re.ASCII)
        return [f"{shown} is not an http:// or https:// URL" + (f"; did you mean http://{host}?" if meant else "")]
    if parts.query or parts.fragment:
        return [f"{shown} has a query or a fragment, which the base URL of a target cannot have"]
    return []


def parse_override(text: str) -> tuple[str, int, str]:
    """The host, port and address of `HOST:PORT:ADDRESS`; brackets around IPv6 are optional. Raises ValueError."""
    found = re.fullmatch(
        r"(?P<host>\[[^\]]*\]|[^:\[\]\s]+):(?P<port>\d{1,5}):\[?(?P<address>[^\[\]\s]+?)\]?", text, re.ASCII
    )
    if found is None or not 0 < int(found["port"]) < 65_536:
        raise ValueError(f"{text!r} is not of the form HOST:PORT:ADDRESS")
    return found["host"].strip("[]").lower(), int(found["port"]), str(_address(found["address"]))


def _number_problems(plan: RunPlan) -> list[Problem]:
    found = [
        *_range_problem("--workers", plan.workers, MOST_WORKERS, zero_ok=plan.expected_workers > 0),
        *_range_problem("--expect-workers", plan.expected_workers, MOST_WORKERS, zero_ok=True),
        *_range_problem("--expect-timeout", plan.expect_timeout_s, LONGEST_S),
        *_range_problem("--lease", plan.lease_s, LONGEST_S),
        *_range_problem("--stop-timeout", plan.stop_timeout_s, LONGEST_S, zero_ok=True),
    ]
    given = plan.shape_options or ShapeOptions(run_time_s=plan.run_time_s)
    for option, value, most in (
        ("--users", given.users, MOST_USERS),
        ("--spawn-rate", given.spawn_rate_per_s, MOST_USERS),
        ("--run-time", given.run_time_s, LONGEST_S),
    ):
        found += [] if value is None else _range_problem(option, value, most)
    return found


def _range_problem(option: str, value: float, most: int, *, zero_ok: bool = False) -> list[Problem]:
    if 0 < value <= most or (zero_ok and value == 0):
        return []
    shown = f"{value:,}" if isinstance(value, int) else f"{value:g}"
    least = "of 0 or more" if zero_ok else "over 0"
    return [Problem(f"{shown} is not a number {least} and up to {most:,}", option)]


def _host_problems(plan: RunPlan) -> list[Problem]:
    if plan.host:
        return [Problem(text, "--host") for text in host_faults(plan.host)]
    found = []
    for scenario in plan.scenarios:
        if scenario.host:
            found += [Problem(text, f"{scenario.name}.host") for text in host_faults(scenario.host)]
        elif scenario.needs_host:
            found.append(Problem(f"{scenario.name} has no host", "--host", "give -H URL, or set `host` in the class"))
    return found


def _load_problems(plan: RunPlan) -> list[Problem]:
    if plan.most_users <= MOST_USERS or len(plan.loads) < 2:
        return []
    where = ", ".join(f"{name}.load" for load in plan.loads for name in load.scenarios)
    what = f"{plan.most_users:,} users at a time are planned together; {MOST_USERS:,} can be"
    return [Problem(what, where, "give max_users, or lower it")]


def _tag_problems(plan: RunPlan) -> list[Problem]:
    both = sorted(set(plan.tags) & set(plan.exclude_tags))
    return [Problem(f"{tag!r} is also among the --tags to run", "--exclude-tags") for tag in both]


def _wire_problems(plan: RunPlan) -> list[Problem]:
    found = []
    if plan.request_id_header and not TOKEN.fullmatch(plan.request_id_header):
        what = f"{plan.request_id_header!r} is not the name of a header"
        found.append(Problem(what, "--request-id-header", "letters, digits and -, for example X-Request-ID"))
    if not 0 <= plan.trace_ratio <= 1:
        what = f"{plan.trace_ratio:g} is not a share from 0 to 1"
        found.append(Problem(what, "--trace", "0.01, or 1%, marks one call in a hundred"))
    for option, texts, parse in (
        ("--resolve", plan.resolve, parse_override),
        ("--source-address", plan.source_addresses, _address),
    ):
        for text in texts:
            try:
                parse(text)
            except ValueError as fault:
                found.append(Problem(str(fault), option))
    return found


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address") from None
