"""What is said before a run of a machine or a disk that will not carry it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from swell.cli.checks import fd_notices, host_problems, machine_problems, output_problems, port_notices
from swell.cli.machine import FdLimit
from swell.load_plan import Curve, Leg, Load, Open
from swell.plan import RunPlan, Scenario
from tests.plans import plan_with

NOBODY = 65_534


def plan_of(**changes: Any) -> RunPlan:
    return plan_with(**changes)


def said(cores: int = 2, **changes: Any) -> list[str]:
    return [str(problem) for problem in machine_problems(plan_of(**changes), cores)]


def test_each_worker_has_file_descriptors_of_its_own() -> None:
    limit = FdLimit(1_024, 1_024)
    assert fd_notices(plan_of(users=960, workers=1), limit) == []
    assert fd_notices(plan_of(users=1_920, workers=2), limit) == []
    assert fd_notices(plan_of(users=1_921, workers=2), limit) == [
        (
            "1,921 users need 1,025 open files in each of 2 workers, but 1,024 are allowed; "
            "`ulimit -n 1025` as root before it, or more --workers, makes room"
        )
    ]


def test_arrivals_may_need_far_fewer_users_than_there_is_room_for() -> None:
    load = Load(model=Open(Curve((Leg(0, 5, 5),), endless=True), max_users=2_000), scenarios=("Reader",))
    plan = msgspec.structs.replace(plan_of(workers=1), loads=(load,))
    (notice,) = fd_notices(plan, FdLimit(1_024, 1_024))
    assert notice.startswith("up to 2,000 users need 2,064 open files, but 1,024 are allowed")


def test_users_without_connections_need_no_file_descriptors() -> None:
    plan = plan_of(users=5_000, scenarios=(Scenario("Query", needs_host=False),))
    assert fd_notices(plan, FdLimit(64, 64)) == []


def test_far_more_workers_than_cores_are_refused() -> None:
    assert said(workers=64) == []
    what = "--workers: 900 workers are too many for the 1 usable core of this machine"
    assert said(workers=900, cores=1) == [f"{what} (at most 64; one per core is fastest)"]
    assert said(workers=900, cores=128) == []


def test_what_the_plan_says_itself_is_not_said_again() -> None:
    assert said(users=10**9, workers=10**9, source_addresses=("nonsense",)) == []


def test_a_source_address_is_an_address_of_this_machine() -> None:
    assert said(source_addresses=("127.0.0.1", "127.0.0.2")) == []
    assert said(source_addresses=("192.0.2.1",)) == [
        "--source-address: '192.0.2.1' is not an address of this machine (`ip -brief address` lists them)"
    ]


def test_more_users_than_local_ports_are_noticed_where_there_is_one_target() -> None:
    def noticed(**changes: Any) -> list[str]:
        plan = plan_with(**{"scenarios": (Scenario("A"),), "host": "http://a", "users": 30_000, **changes})
        return port_notices(plan, (32_768, 60_999))

    what = "30,000 users have 28,232 local ports to connect to one target from"
    assert noticed() == [f"{what}; --source-address with more addresses makes room"]
    assert noticed(users=28_232) == []
    assert noticed(source_addresses=("127.0.0.1", "127.0.0.2")) == []
    assert noticed(host="unix:/run/app.sock") == []
    assert noticed(host="", scenarios=(Scenario("A", host="http://a"), Scenario("B", host="http://b"))) == []
    assert noticed(scenarios=(Scenario("Query", needs_host=False),)) == []


def test_a_host_that_the_client_could_not_use_is_refused() -> None:
    plan = RunPlan(script="s.py", scenarios=(Scenario("A", host="http://a..b"), Scenario("B", host="ftp://a")))
    assert [problem.where for problem in host_problems(plan)] == ["A.host"]
    assert [problem.where for problem in host_problems(msgspec.structs.replace(plan, host="http://a%zz"))] == ["--host"]
    assert host_problems(msgspec.structs.replace(plan, host="http://a/base")) == []


def fault(path: Path | str) -> str:
    found = output_problems("--json", str(path))
    return str(found[0]).replace(f"--json: {str(path)!r} cannot be written: ", "") if found else ""


def test_an_output_that_can_be_written_is_not_made_yet(tmp_path: Path) -> None:
    assert [fault(path) for path in ("", "-", tmp_path / "new.json", "/dev/null")] == ["", "", "", ""]
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    path.write_text("old")
    assert (fault(path), path.read_text()) == ("", "old")
    assert list(tmp_path.iterdir()) == [path]


def test_an_output_that_cannot_be_written_is_said_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    bad = (tmp_path, tmp_path / "no" / "x", tmp_path / "file" / "x", tmp_path / ("x" * 300), "a\0b")
    assert [fault(path) for path in bad] == [
        "it is a folder",
        f"there is no folder '{tmp_path}/no'",
        "not a directory",
        "file name too long",
        "embedded null byte",
    ]
    assert fault("/proc/nothing.json") in {"no such file or directory", "permission denied"}


@pytest.fixture
def _without_root() -> Iterator[None]:
    """Root may write everywhere."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    yield
    os.seteuid(was)


@pytest.mark.usefixtures("_without_root")
def test_an_output_in_a_folder_without_permission_is_said() -> None:
    assert fault("/root.json") == "permission denied"


def test_a_pipe_is_not_opened_to_see_whether_it_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert fault(path) == ""
