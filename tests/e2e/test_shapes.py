"""A `LoadTestShape` against a real server: how many users there are, second by second; what it may do to a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest

from swell.clock import NS_PER_S
from swell.load.schedule import Schedule
from swell.plan import Revision
from tests.e2e.command import Ended, SwellRun
from tests.targets.nginx import Nginx, nginx

Start = Callable[..., SwellRun]

SCRIPT = """
    import logging, time
    from swell import HttpUser, LoadTestShape, StopUser, constant, events, task

    class Reader(HttpUser):
        weight = 3
        wait_time = constant(0.1)

        @task
        def read(self):
            TASK

    class Writer(Reader):
        weight = 1

    class Evening(LoadTestShape):
        def tick(self):
            TICK
    """
EVENING = """
            seconds = self.get_run_time()
            if seconds < 3:
                return 60, 10
            if seconds < 6:
                return 12, 20
            return (20, 10, [Writer]) if seconds < 8 else None
    """


@pytest.fixture(scope="module")
def target() -> Iterator[Nginx]:
    with nginx() as server:
        yield server


@pytest.fixture
def start(swell: Start, target: Nginx) -> Start:
    """`start(TICK)`: users who read from the target, as many as `tick` says."""

    def run(tick: str, *words: str, task: str = 'self.client.get("/ok")', more: str = "") -> SwellRun:
        script = SCRIPT.replace("TICK", tick.strip()).replace("TASK", task) + more
        return swell(script, "-H", target.url, "-w", "2", "--no-store", *words)

    return run


def exact(ended: Ended) -> list[int]:
    """The users of the exact schedule at the end of each second, from the revisions without what they found."""
    loads: dict[int, list[Revision]] = {}
    for row in ended.result["run"]["revisions"]:
        revision = msgspec.convert({**row, "from_users": None, "latest_ns": None}, Revision)
        loads.setdefault(revision.load, []).append(revision)
    schedules = [Schedule(revisions) for revisions in loads.values()]
    seconds = range(1, int(ended.result["run"]["duration_s"]))
    return [sum(schedule.users_at(second * NS_PER_S) for schedule in schedules) for second in seconds]


def users_at_ends(ended: Ended) -> list[int]:
    return [point["users"] for point in ended.result["timeline"]]


def test_stages_that_begin_while_a_ramp_is_under_way_are_at_their_numbers_on_time(start: Start) -> None:
    ended = start(EVENING).finish()
    assert ended.exit_code == ended.documented_exit_code, ended.said
    run = ended.result["run"]
    assert (run["end"], run["end_text"], run["plan"]["shape"]) == ("completed", "", "Evening")
    assert 8 <= run["duration_s"] < 9.5
    changes = {(int(one["at_s"]), one["load"]): (one["from_users"], one["users"]) for one in run["revisions"]}
    assert {key: users for key, (_, users) in changes.items()} == {
        (0, 0): 45, (0, 1): 15, (3, 0): 9, (3, 1): 3, (6, 0): 0, (6, 1): 20,
    }  # fmt: skip
    assert 27 <= changes[3, 0][0] + changes[3, 1][0] <= 33, "half of the first ramp"
    planned, there = exact(ended), users_at_ends(ended)
    assert max(planned) < 35
    assert planned[4] == 12
    assert planned[-1] > 12
    assert [abs(users - wanted) <= 3 for users, wanted in zip(there, planned, strict=False)] == [True] * len(planned), (
        there,
        planned,
    )
    assert {row["name"]: row["model"] for row in ended.result["scenarios"]} == {"Reader": "closed", "Writer": "closed"}
    assert "load_not_reached" not in ended.reasons
    ended.check_sums()


def test_spawning_is_complete_once_for_each_answer_and_the_runner_knows_its_users(start: Start) -> None:
    ended = start(
        """
            print("users", self.get_current_user_count(), flush=True)
            return (6, 50) if self.get_run_time() < 2.5 else (2, 50) if self.get_run_time() < 5 else None
        """,
        more="""
    @events.spawning_complete.add_listener
    def told(user_count, **_):
        print("complete", user_count, flush=True)
    """,
    ).finish()
    lines = ended.stdout.splitlines()
    assert [line for line in lines if line.startswith("complete ")] == ["complete 6", "complete 2"]
    counts = [int(line.split()[1]) for line in lines if line.startswith("users")]
    assert (counts[0], counts[2], counts[-1]) == (0, 6, 2)


def test_a_shape_may_set_its_time_back_and_stop_the_run(start: Start) -> None:
    ended = start("""
            if self.get_run_time() > 1.5 and not hasattr(self, "again"):
                self.again = True
                self.reset_time()
            elif self.get_run_time() > 1.5:
                self.runner.quit()
            return 2, 50
        """).finish()
    assert (ended.result["run"]["end"], ended.result["run"]["end_text"]) == ("stopped", "the script asked for it")
    assert 3.9 < ended.result["run"]["duration_s"] < 5


def test_a_fault_ends_the_run_as_failed_with_what_was_measured_and_the_traceback_once(start: Start) -> None:
    ended = start("""
            stages = {0: (4, 50)}
            return stages[int(self.get_run_time()) // 2]
        """).finish()
    assert ended.exit_code == 4
    run = ended.result["run"]
    assert (run["end"], ended.result["totals"]["requests"] > 20) == ("failed", True)
    assert "Evening.tick() failed: KeyError: 1" in run["end_text"]
    (raised,) = ended.result["exceptions"]
    assert (raised["message"], raised["count"]) == ("Evening.tick() failed: KeyError: 1", 1)
    assert ended.said.count("return stages[int(self.get_run_time()) // 2]") == 1
    assert "swell/" not in raised["traceback"]


def test_a_shape_that_cannot_be_made_is_an_error_before_anything_is_sent(start: Start) -> None:
    ended = start("return 1, 1\n\n        def __init__(self, stages):\n            self.stages = stages").finish()
    assert ended.exit_code == 2
    assert "Evening() failed: TypeError" in ended.stderr
    assert ended.result == {}


def test_run_time_cuts_a_shape_off_even_in_a_tick_that_never_returns(start: Start) -> None:
    ended = start(
        """
            if self.get_run_time() > 1.5:
                time.sleep(3_600)
            return 3, 50
        """,
        "-t",
        "4s",
    ).finish(20)
    assert (ended.result["run"]["end"], ended.result["run"]["duration_s"]) == ("completed", 4.0)
    assert "controller_stalled" not in ended.reasons
    assert users_at_ends(ended)[3] == 3


def test_a_slow_tick_is_not_asked_again_meanwhile_and_its_late_ones_are_not_made_up_for(start: Start) -> None:
    ended = start(
        """
            print("asked at", self.get_run_time(), flush=True)
            if 0.5 < self.get_run_time() < 1.5:
                time.sleep(2.6)
            return 3, 50
        """,
        "-t",
        "6.5s",
    ).finish()
    asked = [float(line.split()[-1]) for line in ended.stdout.splitlines() if line.startswith("asked at")]
    assert [int(at_s) for at_s in asked] == [0, 1, 4, 5, 6]


def test_a_tick_that_holds_the_whole_process_up_is_named(start: Start) -> None:
    ended = start(
        """
            if 0.5 < self.get_run_time() < 1.5:
                end = time.monotonic() + 1.6
                while time.monotonic() < end:
                    pass
            return 3, 50
        """,
        "-t",
        "4s",
    ).finish()
    assert "Evening.tick()" in ended.reasons["controller_stalled"]
    assert users_at_ends(ended)[1:4] == [3, 3, 3]


def test_users_who_stop_of_their_own_accord_do_not_end_a_shape(start: Start) -> None:
    ended = start(
        "return (2, 50) if self.get_run_time() < 2.5 else (4, 50) if self.get_run_time() < 4 else None",
        task='self.client.get("/ok"); raise StopUser',
    ).finish()
    assert (ended.result["run"]["end"], ended.result["run"]["end_text"]) == ("completed", "")
    assert ended.result["totals"]["requests"] == 4
