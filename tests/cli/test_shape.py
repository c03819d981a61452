"""A `LoadTestShape` in a run: it is followed, watched, and replaced by what the command line says."""

from __future__ import annotations

import pytest

from tests.cli.working import Start

SHAPED = """
    import time
    from swell import LoadTestShape, User, constant, hold, jump, task, users

    class Reader(User):
        weight = 3
        wait_time = constant(0.02)

        @task
        def work(self):
            with self.measure("own", "nap"):
                time.sleep(0.001)

    class Writer(Reader):
        weight = 1

    class Waves(LoadTestShape):
        def tick(self):
            TICK
    """
UP_AND_DOWN = "return (8, 40) if self.get_run_time() < 2.5 else (2, 40) if self.get_run_time() < 3.5 else None"


def shaped(tick: str, **changes: str) -> str:
    script = SHAPED.replace("TICK", tick)
    for old, new in changes.items():
        script = script.replace(f"class {old}", f"{new}\n\n    class {old}")
    return script


def test_users_follow_the_shape_by_their_weights_until_it_ends(swell: Start) -> None:
    ended = swell(shaped(UP_AND_DOWN)).finish()
    run = ended.result["run"]
    assert (ended.exit_code, run["end"]) == (ended.documented_exit_code, "completed")
    assert 3.5 <= run["duration_s"] < 8
    assert {row["name"]: row["users_peak"] for row in ended.result["scenarios"]} == {"Reader": 6, "Writer": 2}
    assert [(change["load"], change["users"]) for change in run["revisions"]] == [(0, 6), (1, 2), (0, 2), (1, 0)]
    assert run["workers"] > 0


def test_nonsense_ends_the_run_too(swell: Start) -> None:
    ended = swell(shaped("return -1, 5")).finish()
    assert ended.exit_code == 4
    assert "Waves: tick() returned (-1, 5): the users are not a number from 0" in ended.result["run"]["end_text"]


@pytest.mark.parametrize("options", [("--users", "3", "-t", "1s"), ("--iterations", "5")])
def test_options_that_plan_the_load_replace_the_shape(swell: Start, options: tuple[str, ...]) -> None:
    ended = swell(shaped("raise AssertionError('asked')"), *options).finish()
    assert ended.result["run"]["end"] == "completed"
    assert (ended.result["run"]["revisions"], ended.result["run"]["plan"]["shape"]) == ([], "")
    assert f"notice: {options[0]} replaces the shape Waves: it is not asked" in ended.stderr


def test_a_shape_may_use_the_common_options_itself(swell: Start) -> None:
    tick = """
            given = self.runner.environment.parsed_options
            return (given.users, given.spawn_rate) if self.get_run_time() < given.run_time else None
    """
    script = shaped(tick.strip()).replace("def tick", "use_common_options = True\n\n        def tick")
    ended = swell(script, "-u", "4", "-r", "50", "-t", "1.5s").finish()
    assert ended.result["totals"]["users_peak"] == 4
    assert ended.result["run"]["duration_s"] >= 1.5


def test_a_shape_and_a_load_contradict_each_other(swell: Start) -> None:
    ended = swell(shaped(UP_AND_DOWN).replace("weight = 3", 'load = users(jump(1), hold("1s"))')).finish()
    assert ended.exit_code == 2
    said = "Reader.load: the shape Waves says how many users there are, and so does the load of Reader, Writer"
    assert said in ended.stderr


def test_two_shapes_are_one_too_many(swell: Start) -> None:
    second = "class More(LoadTestShape):\n        def tick(self):\n            return None"
    ended = swell(shaped(UP_AND_DOWN, Waves=second)).finish()
    assert ended.exit_code == 2
    assert "more than one LoadTestShape: More and Waves" in ended.stderr
