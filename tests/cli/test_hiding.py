import io
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from swell import secret
from swell.cli.hiding import hide_in_output, shown_plan
from swell.cli.worker_output import Outlet, OutletStream
from swell.cluster.messages import Output
from swell.plan import RunPlan, Scenario
from swell.script.secrets import hidden, secrets


@pytest.fixture(autouse=True)
def _token() -> Iterator[None]:
    secrets.look_in({"TOKEN": "abcdef"})
    secret("TOKEN")
    yield
    secrets.look_in({})


def test_what_is_printed_is_without_secrets_those_included_that_come_to_be_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "out").open("w") as real:
        monkeypatch.setattr(sys, "stdout", real)
        print("before, abcdef")
        hide_in_output()
        ours = sys.stdout
        hide_in_output()
        assert sys.stdout is ours
        print("token", "abcdef", flush=True)
        secrets.receive({"LATER": "ghijkl"})
        assert ours.write("ghijkl\n") == 7
        assert ours.fileno() == real.fileno()
        assert not ours.isatty()
        ours.flush()
    assert (tmp_path / "out").read_text() == "before, abcdef\ntoken ***\n***\n"


def test_a_stream_that_somebody_else_has_put_there_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    page = io.StringIO()
    monkeypatch.setattr(sys, "stdout", page)
    hide_in_output()
    assert sys.stdout is page


def test_lines_of_a_worker_leave_it_without_secrets_also_long_ones() -> None:
    sent: list[Output] = []
    outlet = Outlet(hidden)
    outlet.send = lambda output: not sent.append(output)
    stream = OutletStream(outlet, error=False)
    print("a", "abcdef", "b", file=stream)
    print("x" * 1_996 + "abcdef", file=stream)
    outlet.flush()
    assert sent == [Output(("a *** b", "x" * 1_996 + "***"))]


def test_the_plan_is_shown_without_secrets() -> None:
    plan = RunPlan(
        script="contest.py",
        host="http://abcdef.example.com",
        scenarios=(Scenario("A", host="http://x/abcdef"), Scenario("abcdef")),
        script_arguments=("--token", "abcdef"),
    )
    shown = shown_plan(plan)
    assert shown == msgspec.structs.replace(
        plan,
        host="http://***.example.com",
        scenarios=(Scenario("A", host="http://x/***"), Scenario("abcdef")),
        script_arguments=("--token", "***"),
    )
