"""What a class says as its load, read for the plan."""

import datetime
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell import HttpUser, User, arrivals, from_log, hold, iterations, jump, ramp, sessions, steps, task, users
from swell.load_plan import Closed, Curve, Iterations, Leg, Load, Open, Sessions, Spread
from swell.script.loader import load as load_script
from swell.script.loads import LoadsRead, load_of, read_loads
from swell.script.user import User as AnyUser

NOWHERE = Path("/nonexistent")


def read(*loads: object, folder: Path = NOWHERE) -> LoadsRead:
    """The loads of classes A, B, ... that have these."""
    classes = [type(name, (AnyUser,), {"load": value}) for name, value in zip("ABCDEFG", loads, strict=False)]
    return read_loads(classes, folder)


def model(load: object) -> object:
    """The model of a load that nothing is wrong with."""
    found = read(load)
    assert found.problems == ()
    (made,) = found.loads
    assert made.scenarios == ("A",)
    return made.model


def faults(*loads: object, folder: Path = NOWHERE) -> list[str]:
    """What is wrong with loads, and that nothing comes of them."""
    found = read(*loads, folder=folder)
    assert found.loads == ()
    return [str(problem) for problem in found.problems]


def test_users_follow_a_curve_of_legs() -> None:
    assert model(users(ramp(to=2000, over="2m"), hold("10m"), ramp(to=0, over="30s"))) == Closed(
        Curve((Leg(120, 0, 2000), Leg(600, 2000, 2000), Leg(30, 2000, 0)))
    )


def test_arrivals_are_rates_and_may_jump() -> None:
    load = arrivals(
        *(ramp(to=500, over="1m"), hold("10m"), jump(to=1500), hold("2m")),
        spread="poisson",
        users=200,
        max_users=5000,
    )
    legs = (Leg(60, 0, 500), Leg(600, 500, 500), Leg(120, 1500, 1500))
    assert model(load) == Open(Curve(legs), max_users=5000, users=200, spread=Spread.POISSON)


def test_rates_and_durations_are_texts_or_numbers() -> None:
    legs = (Leg(90, 0, 10), Leg(60, 10, 10), Leg(0.25, 10, 0.5))
    for hour in (ramp(to="600/m", over=90), ramp(to=10, over="1m30s"), ramp(to="10/s", over="90")):
        load = arrivals(hour, hold(datetime.timedelta(minutes=1)), ramp(to="30/m", over="250ms"))
        assert model(load) == Open(Curve(legs), max_users=100)


def test_steps_hold_each_level_up_and_down() -> None:
    up_and_down = users(steps(to=5, by=2, every="1m"), steps(to=0, by=3, every=10))
    levels = [(60, 2), (60, 4), (60, 5), (10, 2), (10, 0)]
    assert model(up_and_down) == Closed(Curve(tuple(Leg(seconds, level, level) for seconds, level in levels)))
    tenths = model(arrivals(steps(to=0.3, by=0.1, every=1)))
    assert isinstance(tenths, Open)
    assert [leg.begin for leg in tenths.curve.legs] == [0.1, 0.2, 0.3]


def test_a_hold_without_a_time_has_no_end() -> None:
    assert model(users(jump(50), hold())) == Closed(Curve((Leg(0, 50, 50),), endless=True))


def test_iterations_are_shared_or_for_each() -> None:
    assert model(iterations(total=100, users=5, within="10m")) == Iterations(5, total=100, within_s=600)
    assert model(iterations(each=3)) == Iterations(1, each=3)


def test_sessions_end_with_a_number_of_iterations_or_a_time() -> None:
    curve = Curve((Leg(60, 2, 2),))
    assert model(sessions(jump(2), hold("1m"), iterations=5, max_users=9)) == Sessions(curve, 9, iterations=5)
    assert model(sessions(jump(2), hold("1m"), lives="5m", spread="poisson")) == Sessions(
        curve, max_users=1_200, lives_s=300, spread=Spread.POISSON
    )


@pytest.mark.parametrize(
    ("load", "room"),
    [
        (arrivals(jump(1), hold(5)), 100),
        (arrivals(jump(500), hold(5)), 5_000),
        (arrivals(jump(50_000), hold(5)), 10_000),
        (arrivals(jump(1), hold(5), users=300), 300),
        (sessions(jump(10), hold(5), iterations=4), 1_200),
        (sessions(jump(100), hold(5), lives="5m"), 60_000),
    ],
)
def test_without_max_users_there_is_room_for_slow_iterations(load: object, room: int) -> None:
    found = model(load)
    assert isinstance(found, Open | Sessions)
    assert found.max_users == room


def test_delay_and_grace_are_the_loads_own() -> None:
    found = read(
        users(jump(1), hold(5), start="30s", graceful_stop=0, graceful_ramp_down="1m"),
        iterations(each=1, start=2, graceful_stop="10s"),
    )
    assert [(load.start_s, load.graceful_stop_s, load.graceful_ramp_down_s) for load in found.loads] == [
        (30, 0, 60),
        (2, 10, None),
    ]
    assert [load.scenarios for load in found.loads] == [("A",), ("B",)]


@pytest.mark.parametrize(
    ("load", "what"),
    [
        (users(), "users(): has no curve"),
        (users(hold("5m")), "users(hold('5m')): plans no users at all"),
        (arrivals(jump(0), hold(1)), "plans no arrivals at all"),
        (users(jump(5)), "users(jump(to=5)): ends with a jump, which takes no time"),
        (users(ramp(to=2.5, over=1)), "ramp(to=2.5, over=1): to: 2.5 is not a whole number from 0 to 1,000,000"),
        (users(jump(-1), hold(1)), "jump(to=-1): to: -1 is not a whole number"),
        (users(jump(True), hold(1)), "to: True is not a whole number"),
        (users(jump("many"), hold(1)), "to: 'many' is not a whole number"),
        (users(jump(10**400), hold(1)), "is not a whole number from 0 to 1,000,000"),
        (users(jump(2_000_000), hold(1)), "to: 2000000 is not a whole number from 0 to 1,000,000"),
        (users(ramp(to=5, over="2x")), "over: '2x' is not a duration such as 30s, 5m, 1h30m or 90 (seconds)"),
        (users(ramp(to=5, over=-1)), "over: -1 is not a time of 0 s or more"),
        (users(ramp(to=5, over=[1])), "over: [1] is not a duration such as '30s'"),
        (users(ramp(to=5, over="nan")), "over: 'nan' is not a time"),
        (users(ramp(to=5, over=float("inf"))), "over: inf is not a duration"),
        (users(ramp(to=5, over="4000d")), "over: '4000d' is not a time of 0 s or more, and up to ten years"),
        (users(jump(5), *[hold("3000d")] * 2), "takes 518,400,000 s, which is more than ten years"),
        (users(50), "users(50): 50 is no part of a curve (jump(to), hold(for_), "),
        (users(jump(5), hold(), hold(5)), "part 3 comes behind a hold() without end"),
        (users(steps(to=5, by=0, every=1)), "by: must be more than 0"),
        (users(steps(to=5, by=1, every=0)), "every: must be more than 0"),
        (users(steps(to=100_000, by=1, every=1)), "has 100,000 steps; at most 10,000 can be planned"),
        (arrivals(jump("5/x"), hold(1)), "to: '5/x' is not a rate such as 100, 100/s or 30/m"),
        (arrivals(jump(-1), hold(1)), "to: -1 is not a rate from 0/s to 1,000,000/s"),
        (arrivals(jump(1e9), hold(1)), "is not a rate from 0/s to 1,000,000/s"),
        (arrivals(jump(1), hold(1), spread="poison"), "'poison' is none of even, poisson (did you mean poisson?)"),
        (arrivals(jump(1), hold(1), users=5, max_users=4), "users: 5 are more than max_users, 4"),
        (arrivals(jump(1), hold(1), max_users=0), "max_users: 0 is not a whole number from 1 to"),
        (sessions(jump(1), hold(1)), "does not say when a session ends"),
        (sessions(jump(1), hold(1), lives=0), "lives: must be more than 0"),
        (sessions(jump(1), hold(1), iterations=0), "iterations: 0 is not a whole number from 1"),
        (iterations(), "takes either `total`, for all users together, or `each`"),
        (iterations(total=1, each=1), "takes either `total`"),
        (iterations(total=0), "total: 0 is not a whole number from 1"),
        (iterations(each=1, users=0), "users: 0 is not a whole number from 1"),
        (users(from_log("x")), "a log has arrivals, not users (write arrivals(from_log(...)))"),
        (from_log(5), "from_log(5): 5 is not the path of a log"),
        (from_log("access.log"), "from_log('access.log'): no such file in /nonexistent"),
        (from_log("access.log", scale=0), "scale: 0 is not a number from 1/1,000,000 to 1,000,000"),
        (from_log("access.log", speed=5e-324), "speed: 5e-324 is not a number from 1/1,000,000 to 1,000,000"),
        (users, "(call it: users(...))"),
        (from_log("access.log", speed="fast"), "speed: 'fast' is not a number"),
        (5, "5 is not a load (for example users(ramp("),
        ([users(jump(1), hold(1))], "is not a load"),
        (hold("5m"), "hold('5m') is not a load (write users(hold('5m')) or arrivals(hold('5m')))"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_class_and_argument(load: object, what: str) -> None:
    (text,) = faults(load)
    assert text.startswith("A.load: ")
    assert what in text


def test_everything_that_is_wrong_is_said_at_once() -> None:
    texts = faults(users(ramp(to=1.5, over="?"), jump(-1), start="soon"), 5, arrivals(jump(1), hold(1)))
    assert [text.partition(":")[0] for text in texts] == ["A.load"] * 4 + ["B.load"]


def test_a_class_without_a_load_beside_one_that_has_one_is_a_problem() -> None:
    (text,) = faults(users(jump(1), hold(1)), None)
    assert text.startswith("B.load: there is none, but A has a load (")
    assert read(None, None) == LoadsRead()


def test_a_task_or_method_called_load_is_none() -> None:
    class Reader(HttpUser):
        @task
        def load(self) -> None: ...

    class Writer(User):
        @staticmethod
        def load() -> None: ...

    assert load_of(Reader) is None
    assert load_of(Writer) is None


def test_a_load_is_inherited() -> None:
    class Base(User):
        load = users(jump(1), hold(1))

    class Child(Base): ...

    assert load_of(Child) is Base.load


def test_more_users_than_iterations_are_noticed() -> None:
    assert read(iterations(total=3, users=5)).notices == (
        "A.load: iterations(total=3, users=5): 2 of the users have nothing to do",
    )


def test_a_long_call_is_shown_shortly() -> None:
    (text,) = faults(users(*[hold("1m")] * 1_000))
    assert len(text) < 300


def test_a_script_gives_its_loads_to_whoever_makes_the_plan(tmp_path: Path) -> None:
    script = tmp_path / "contest.py"
    script.write_text(
        dedent("""
            from swell import HttpUser, arrivals, from_log, hold, ramp, task, users

            class Contestant(HttpUser):
                load = users(ramp(to=20, over="2m"), hold("10m"))
                @task
                def read(self): ...

            class Visitor(HttpUser):
                load = from_log("access.log", scale=2)
                @task
                def read(self): ...
        """)
    )
    (tmp_path / "access.log").write_text('h - - [10/Oct/2000:12:00:00 +0000] "GET / HTTP/1.1" 200 5\n')
    found = load_script(str(script)).read_loads()
    assert found.problems == ()
    assert found.loads == (
        Load(model=Closed(Curve((Leg(120, 0, 20), Leg(600, 20, 20)))), scenarios=("Contestant",)),
        Load(model=Open(Curve((Leg(1, 2, 2),), source="access.log"), max_users=100), scenarios=("Visitor",)),
    )


values = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=3)),
    *(st.sampled_from(["1m", "5/s", "500/m"]), st.lists(st.integers(), max_size=2), st.just(object())),
)
segments = st.one_of(
    st.builds(ramp, to=values, over=values),
    st.builds(hold, values),
    st.builds(jump, values),
    st.builds(steps, to=values, by=values, every=values),
    st.builds(from_log, values, scale=values, speed=values),
    values,
)


@given(st.sampled_from([users, arrivals, sessions]), st.lists(segments, max_size=4), values, values)
def test_any_arguments_give_a_load_or_a_problem(make: object, curve: list[object], start: object, stop: object) -> None:
    assert callable(make)
    found = read(make(*curve, start=start, graceful_stop=stop))
    assert bool(found.loads) != bool(found.problems)
    assert all("\n" not in str(problem) for problem in found.problems)


@given(st.builds(iterations, total=values, each=values, users=values, within=values))
def test_any_numbers_give_iterations_or_a_problem(load: object) -> None:
    found = read(load)
    assert bool(found.loads) != bool(found.problems)
