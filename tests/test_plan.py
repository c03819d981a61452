"""What a plan may hold, and everything that is said of one that holds something else."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.http.url import parse_url
from swell.load_plan import Closed, Curve, Leg, Load
from swell.plan import (
    RunPlan,
    Scenario,
    ShapeOptions,
    host_faults,
    notices,
    parse_override,
    problems,
    spawn_problems,
)
from tests.plans import plan_with

READER = Scenario("Reader", host="http://127.0.0.1:8000")


def plan(**changes: Any) -> RunPlan:
    return plan_with(**{"scenarios": (READER,), **changes})


def said(**changes: Any) -> list[str]:
    return [str(problem) for problem in problems(plan(**changes))]


def test_a_plan_of_defaults_has_no_problem() -> None:
    assert said() == []


@pytest.mark.parametrize(
    ("users", "shown"),
    [(0, "0"), (-5, "-5"), (1_000_001, "1,000,001"), (10**30, f"{10**30:,}")],
)
def test_users_are_a_number_over_zero_and_not_absurd(users: int, shown: str) -> None:
    found = [str(problem) for problem in spawn_problems(users, 1_000)]
    assert found == [f"--users: {shown} is not a number over 0 and up to 1,000,000"]


@pytest.mark.parametrize("rate_per_s", [0, -1.0, math.nan, math.inf, -math.inf, 1e9])
def test_a_rate_is_a_number_over_zero_and_not_absurd(rate_per_s: float) -> None:
    assert len(spawn_problems(1, rate_per_s)) == 1


def test_every_problem_is_named_and_not_the_first_alone() -> None:
    found = said(
        scenarios=(Scenario("Reader"), Scenario("Writer", host="ftp://x")),
        run_time_s=0,
        workers=0,
        stop_timeout_s=-1,
        tags=("a", "b"),
        exclude_tags=("b",),
        request_id_header="X Y",
        resolve=("a:b",),
        source_addresses=("here",),
    )
    assert found == [
        "--workers: 0 is not a number over 0 and up to 1,000",
        "--stop-timeout: -1 is not a number of 0 or more and up to 315,360,000",
        "--run-time: 0 is not a number over 0 and up to 315,360,000",
        "--host: Reader has no host (give -H URL, or set `host` in the class)",
        "Writer.host: 'ftp://x' is not an http:// or https:// URL",
        "--exclude-tags: 'b' is also among the --tags to run",
        "--request-id-header: 'X Y' is not the name of a header (letters, digits and -, for example X-Request-ID)",
        "--resolve: 'a:b' is not of the form HOST:PORT:ADDRESS",
        "--source-address: 'here' is not an IP address",
    ]


def test_a_ramp_longer_than_the_run_is_named_with_both_lengths() -> None:
    assert notices(plan(users=101, spawn_rate_per_s=10, run_time_s=10)) == []
    assert notices(plan(users=111, spawn_rate_per_s=10, run_time_s=10)) == [
        (
            "111 users at 10/s take 11 s to start, but the run ends after 10 s: "
            "raise --spawn-rate or --run-time to have them all"
        )
    ]


def test_a_load_that_begins_after_the_end_is_named() -> None:
    late = Load(model=Closed(Curve((Leg(0, 5, 5),), endless=True)), scenarios=("Reader",), start_s=30)
    assert notices(msgspec.structs.replace(plan(run_time_s=30), loads=(late,))) == [
        "Reader: the load starts after 30 s, when the run is over: it does nothing"
    ]


def test_loads_may_not_have_too_many_users_together() -> None:
    half = Load(model=Closed(Curve((Leg(0, 6e5, 6e5),), endless=True)), scenarios=("Reader",))
    (problem,) = problems(msgspec.structs.replace(plan(host="http://a"), loads=(half, half)))
    assert str(problem) == (
        "Reader.load, Reader.load: 1,200,000 users at a time are planned together; 1,000,000 can be "
        "(give max_users, or lower it)"
    )


def test_a_user_class_that_makes_no_http_calls_needs_no_host() -> None:
    assert said(scenarios=(Scenario("Query", needs_host=False),)) == []


@pytest.mark.parametrize(
    "host",
    ["http://a", "https://a.b:8443", "http://[::1]:80/base", "http://user:word@a", "unix:/run/app.sock", "HTTP://A"],
)
def test_a_base_url_is_http_or_https_or_a_unix_socket(host: str) -> None:
    assert host_faults(host) == []


@pytest.mark.parametrize(
    ("host", "fault"),
    [
        ("localhost:8000", "'localhost:8000' is not an http:// or https:// URL; did you mean http://localhost:8000?"),
        ("a.example", "'a.example' is not an http:// or https:// URL; did you mean http://a.example?"),
        ("http://", "'http://' is not an http:// or https:// URL"),
        ("http://a b", "'http://a b' is not an http:// or https:// URL"),
        ("http://a:0", "'http://a:0' is not an http:// or https:// URL"),
        ("http://a:99999", "'http://a:99999' is not a URL: Port out of range 0-65535"),
        ("http://a:x", "'http://a:x' is not a URL: Port could not be cast to integer value as 'x'"),
        ("http://a/?b=c", "'http://a/?b=c' has a query or a fragment, which the base URL of a target cannot have"),
        ("ftp://a", "'ftp://a' is not an http:// or https:// URL"),
    ],
)
def test_what_is_no_base_url_is_said_with_what_was_meant(host: str, fault: str) -> None:
    assert host_faults(host) == [fault]


@given(st.one_of(st.text(), st.builds("http://{}".format, st.text()), st.from_regex(r"https?://[a-z\[\]:@%0-9.]+")))
def test_no_text_breaks_the_check_of_a_host(text: str) -> None:
    assert len(host_faults(text)) <= 1


@given(st.from_regex(r"\Ahttps?://[a-z0-9]{1,9}(\.[a-z]{2,3}){0,2}(:[1-9][0-9]{0,3})?(/[a-z]{0,3}){0,2}\Z"))
def test_a_host_without_fault_is_one_that_the_client_can_use(host: str) -> None:
    assert host_faults(host) == []
    assert parse_url(host).origin.scheme in {"http", "https"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a.example:443:127.0.0.1", ("a.example", 443, "127.0.0.1")),
        ("A.example:80:::1", ("a.example", 80, "::1")),
        ("a.example:80:[2001:db8::1]", ("a.example", 80, "2001:db8::1")),
        ("[::1]:80:127.0.0.1", ("::1", 80, "127.0.0.1")),
    ],
)
def test_an_override_of_dns_is_host_port_and_address(text: str, parts: tuple[str, int, str]) -> None:
    assert parse_override(text) == parts


@pytest.mark.parametrize(
    "text", ["", "a:80", "a:0:127.0.0.1", "a:70000:127.0.0.1", "a:80:b", "a b:80:127.0.0.1", ":80:::1"]
)
def test_what_is_no_override_of_dns_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        parse_override(text)


def test_what_may_not_be_meant_is_noticed_and_not_refused() -> None:
    assert notices(plan()) == []
    assert notices(plan(scenarios=(Scenario("A", fixed_count=3),), workers=2)) == [
        "the classes' fixed_count adds up to 3 users, but only 1 run",
        "1 of 2 workers have no user to run",
    ]


def test_a_shapes_options_are_checked_like_a_plans() -> None:
    asked = ShapeOptions(users=0, spawn_rate_per_s=-1.0, run_time_s=1e12)
    plan = plan_with(0, 1.0, host="http://a", shape="Steps", shape_options=asked)
    assert [problem.where for problem in problems(plan)] == ["--users", "--spawn-rate", "--run-time"]


def test_nobody_wonders_at_users_that_a_shape_has_yet_to_ask_for() -> None:
    judge = Scenario("Judge", fixed_count=3, host="http://a")
    loads = (Load(model=Closed(Curve(endless=True)), scenarios=("Judge",)),)
    shaped = RunPlan(script="s.py", scenarios=(judge,), loads=loads, workers=8, shape="Steps")
    assert (problems(shaped), notices(shaped)) == ([], [])
