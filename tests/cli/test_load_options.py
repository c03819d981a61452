"""Which loads options and script plan, and which options contradict each other."""

import types
from pathlib import Path

import pytest

from swell import LoadTestShape, User, hold, jump, users
from swell.cli import options
from swell.cli.load_options import Planned, planned
from swell.cli.opening import Opened
from swell.cli.settings import Given, config_layers, environment_layer, resolve, table_layer
from swell.load_plan import Closed, Curve, Iterations, Leg, Load, Model, Open, Spread
from swell.plan import Scenario, ShapeOptions
from swell.script.loader import LoadedScript

NAMES = ("Reader", "Writer")
OWN = users(jump(7), hold("1m"))


class Steps(LoadTestShape):
    def tick(self) -> None: ...


class Common(Steps):
    use_common_options = True


def script(own: object = None, fixed_count: int = 0, shape: type[LoadTestShape] | None = None) -> LoadedScript:
    """A script of two classes; the same load for each of them, if any."""
    classes = [type(name, (User,), {"load": own, "weight": 3, "fixed_count": fixed_count}) for name in NAMES]
    scenarios = tuple(Scenario(name, weight=3.0, fixed_count=fixed_count) for name in NAMES)
    return LoadedScript("contest.py", types.ModuleType("contest"), tuple(classes), scenarios, shape=shape)


def layer(words: str, place: str = "--{}") -> dict[str, Given]:
    """What `rate 5/s; users 3` gives."""
    pairs = [word.split(" ", 1) for word in words.split("; ") if word]
    return {name: Given(text, place.format(name)) for name, text in pairs}


def plan(*layers: str, own: object = None, fixed_count: int = 0, shape: type[LoadTestShape] | None = None) -> Planned:
    """What is planned by layers, the command line first."""
    settings, problems = resolve(options.ALL, [layer(words) for words in layers])
    return planned(Opened("contest.py", settings=settings, script=script(own, fixed_count, shape), problems=problems))


def model(*layers: str, fixed_count: int = 0) -> Model:
    """The model for all classes together, with which nothing is wrong."""
    found = plan(*layers, own=OWN, fixed_count=fixed_count)
    assert found.problems == ()
    (load,) = found.loads
    assert load.scenarios == NAMES
    return load.model


def faults(*layers: str) -> list[str]:
    found = plan(*layers)
    assert found.loads == ()
    return [str(problem) for problem in found.problems]


def open_at(rate: float, **more: object) -> Open:
    return Open(Curve((Leg(0, rate, rate),), endless=True), **{"max_users": 100, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("users 50; spawn-rate 5", Closed(Curve((Leg(10, 0, 50),), endless=True))),
        ("users 50", Closed(Curve((Leg(1, 0, 50),), endless=True))),
        ("spawn-rate 5", Closed(Curve((Leg(0.2, 0, 1),), endless=True))),
        ("rate 5/s", open_at(5)),
        ("rate 30/m; rate-spread poisson; users 3; max-users 9",
         open_at(0.5, max_users=9, users=3, spread=Spread.POISSON)),
        ("rate 5; users 300", open_at(5, max_users=300, users=300)),
        ("stage 2m:1000,10m:1000,0:20,30s:0",
         Closed(Curve((Leg(120, 0, 1000), Leg(600, 1000, 1000), Leg(30, 20, 0))))),
        ("rate-stage 2m:500,1m:600/m", Open(Curve((Leg(120, 0, 500), Leg(60, 500, 10))), max_users=5_000)),
        ("iterations 1000", Iterations(1, total=1_000)),
        ("iterations 1000; users 50", Iterations(50, total=1_000)),
    ],
)  # fmt: skip
def test_options_plan_one_load_for_all_classes(words: str, expected: Model) -> None:
    assert model(words) == expected


def test_without_options_the_classes_have_the_loads_of_their_own() -> None:
    found = plan("run-time 5s", own=OWN)
    curve = Curve((Leg(60, 7, 7),))
    assert found.loads == tuple(Load(model=Closed(curve), scenarios=(name,)) for name in NAMES)


def test_weights_and_fixed_counts_are_for_loads_that_classes_share() -> None:
    assert plan("", own=OWN, fixed_count=3).scenarios == (Scenario("Reader"), Scenario("Writer"))
    assert plan("users 5", own=OWN, fixed_count=3).scenarios == script(OWN, 3).scenarios


def test_without_options_or_loads_there_is_one_user() -> None:
    assert plan("").loads == (Load(model=Closed(Curve((Leg(1, 0, 1),), endless=True)), scenarios=NAMES),)


OF_SHAPE = tuple(Load(model=Closed(Curve(endless=True)), scenarios=(name,)) for name in NAMES)


def test_a_shape_has_a_load_for_each_class_and_deals_by_weight_and_fixed_count() -> None:
    assert plan("run-time 5s", fixed_count=2, shape=Steps) == Planned(
        OF_SHAPE, script(None, 2).scenarios, shape="Steps"
    )


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("", ShapeOptions()),
        ("users 7", ShapeOptions(7)),
        ("users 7; spawn-rate 3; run-time 2m", ShapeOptions(7, 3.0, 120.0)),
        ("spawn-rate 3", ShapeOptions(None, 3.0)),
    ],
)
def test_the_common_options_may_be_the_shapes_own(words: str, given: ShapeOptions) -> None:
    found = plan(words, shape=Common)
    assert (found.loads, found.shape, found.shape_options) == (OF_SHAPE, "Common", given)


@pytest.mark.parametrize(
    ("words", "shape", "said"),
    [
        ("users 7", Steps, "--users"),
        ("spawn-rate 7", Steps, "--spawn-rate"),
        ("rate 5/s", Steps, "--rate"),
        ("stage 1m:5", Steps, "--stage"),
        ("rate 5/s; users 3", Common, "--rate"),
        ("stage 1m:5", Common, "--stage"),
        ("iterations 5; users 3", Common, "--iterations"),
    ],
)
def test_options_that_plan_the_load_replace_a_shape_and_say_so(
    words: str, shape: type[LoadTestShape], said: str
) -> None:
    found = plan(words, own=OWN, shape=shape)
    assert (found.problems, found.shape, found.shape_options) == ((), "", None)
    assert found.notices == (f"{said} replaces the shape {shape.__name__}: it is not asked",)


def test_a_shape_beside_loads_of_classes_is_an_error_that_names_both() -> None:
    (problem,) = plan("", own=OWN, shape=Steps).problems
    assert str(problem) == (
        "Reader.load: the shape Steps says how many users there are, and so does the load of Reader, Writer "
        "(keep one of them)"
    )


def test_options_of_arrivals_are_refused_beside_a_shape_too() -> None:
    (problem,) = plan("max-users 5", shape=Steps).problems
    assert str(problem).startswith("--max-users: is for --rate and --rate-stage, and neither is given")


def test_problems_of_the_scripts_loads_are_problems_of_the_run_unless_options_replace_them() -> None:
    assert [problem.where for problem in plan("", own=5).problems] == ["Reader.load", "Writer.load"]
    assert plan("users 5", own=5).problems == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("rate 5; stage 1m:5", ["--stage: cannot be given with --rate"]),
        ("rate 5; rate-stage 1m:5", ["--rate-stage: cannot be given with --rate"]),
        ("iterations 5; stage 1m:5", ["--iterations: cannot be given with --stage"]),
        ("spawn-rate 5; rate 5", ["--spawn-rate: cannot be given with --rate"]),
        ("spawn-rate 5; iterations 5", ["--spawn-rate: cannot be given with --iterations"]),
        ("users 5; stage 1m:5", ["--users: cannot be given with --stage"]),
        ("max-users 5; rate-spread even", ["--max-users: is for --rate", "--rate-spread: is for --rate"]),
        ("max-users 5; users 5", ["--max-users: is for --rate and --rate-stage, and neither is given"]),
        ("rate 5; users 10; max-users 4", ["--users: 10 users are more than the 4 of --max-users"]),
        ("rate 0", ["--rate: 0/s is not a rate over 0/s and up to 1,000,000/s"]),
        ("rate inf", ["--rate: inf/s is not a rate"]),
        ("rate nan", ["--rate: nan/s is not a rate"]),
        ("rate 2e6", ["--rate: 2,000,000/s is not a rate"]),
        ("rate 5; max-users 0", ["--max-users: 0 is not a number from 1 to 1,000,000"]),
        ("rate 5; users -1", ["--users: -1 is not a number from 0 to 1,000,000"]),
        ("stage 1m:-5", ["--stage: -5 is not a number of users from 0 to 1,000,000"]),
        ("stage 1m:2000000", ["--stage: 2,000,000 is not a number of users from 0 to 1,000,000"]),
        ("stage -1:5", ["--stage: -1 s is not a time of 0 s or more"]),
        ("stage nan:5", ["--stage: nan s is not a time of 0 s or more"]),
        ("stage 1m:0", ["--stage: plans no load at all"]),
        ("stage 0s:50", ["--stage: plans no load at all"]),
        ("rate-stage 1m:2e9", ["--rate-stage: 2,000,000,000 is not a rate from 0 to 1,000,000"]),
        ("stage 2000d:5,2000d:5", ["--stage: plans more than ten years"]),
        ("iterations 0", ["--iterations: 0 is not a number from 1 to 1,000,000,000,000"]),
        ("iterations 5; users 0", ["--users: 0 is not a number from 1 to 1,000,000"]),
        ("users 1000001; spawn-rate inf", ["--users: 1,000,001 is not", "--spawn-rate: inf is not"]),
    ],
)  # fmt: skip
def test_what_is_impossible_is_said_with_both_options(words: str, said: list[str]) -> None:
    texts = faults(words)
    assert len(texts) == len(said)
    assert all(text.startswith(beginning) for text, beginning in zip(texts, said, strict=True))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("stage 1m", "'1m' is not of the form DURATION:LEVEL, such as 2m:1000"),
        ("stage 1m:1.5", "'1.5' is not a whole number"),
        ("stage -1m:5", "'-1m' is not a duration such as 30s"),
        ("stage 1x:5", "'1x' is not a duration such as 30s"),
        ("rate-stage 1m:5/x", "'5/x' is not a rate such as 100"),
    ],
)
def test_a_stage_that_does_not_parse_is_said_to_be_none(words: str, said: str) -> None:
    _, problems = resolve(options.ALL, [layer(words)])
    assert [problem.what for problem in problems] == [problem.what for problem in problems if said in problem.what]
    assert problems


def test_what_could_not_be_read_makes_no_further_problem() -> None:
    assert plan("rate much; max-users 5").problems == ()


@pytest.mark.parametrize(
    ("stronger", "weaker", "expected"),
    [
        ("rate 5", "stage 1m:5", open_at(5)),
        ("rate 5", "users 50; spawn-rate 5", open_at(5)),
        ("rate 5", "max-users 9", open_at(5, max_users=9)),
        ("stage 1m:5", "users 50", Closed(Curve((Leg(60, 0, 5),)))),
        ("users 5", "rate 5; max-users 9", Closed(Curve((Leg(1, 0, 5),), endless=True))),
        ("users 5", "spawn-rate 1", Closed(Curve((Leg(5, 0, 5),), endless=True))),
        ("spawn-rate 1", "users 5", Closed(Curve((Leg(5, 0, 5),), endless=True))),
        ("", "iterations 7; users 2", Iterations(2, total=7)),
    ],
)
def test_a_stronger_source_replaces_the_load_of_a_weaker_one(stronger: str, weaker: str, expected: Model) -> None:
    assert model(stronger, weaker) == expected


def test_classes_of_fixed_counts_are_all_the_users_there_are() -> None:
    assert model("users 50", fixed_count=3) == Closed(Curve((Leg(1, 0, 6),), endless=True))
    assert model("stage 1m:10,1m:4", fixed_count=3) == Closed(Curve((Leg(60, 0, 6), Leg(60, 6, 4))))
    assert model("rate 5", fixed_count=3) == open_at(5, max_users=6)
    assert model("iterations 9; users 9", fixed_count=3) == Iterations(6, total=9)


def test_stages_may_stand_in_the_environment_in_a_config_file_and_in_the_script(tmp_path: Path) -> None:
    (tmp_path / "swell.toml").write_text('stage = ["1m:5", "2m:5"]\n')
    files, problems = config_layers(options.ALL, tmp_path, "")
    table, faults = table_layer(options.ALL, {"stage": ["1m:5", "2m:5"]}, "contest.py: swell_options[{key}]")
    environment = environment_layer(options.ALL, {"SWELL_STAGE": "1m:5, 2m:5"})
    assert (problems, faults) == ([], [])
    for sources in ([environment], files, [table]):
        settings, problems = resolve(options.ALL, sources)
        assert problems == []
        (load,) = planned(Opened(settings=settings, script=script())).loads
        assert load.model == Closed(Curve((Leg(60, 0, 5), Leg(120, 5, 5))))


def test_a_contradiction_in_a_file_is_said_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "swell.toml").write_text('rate = "5/s"\nstage = "1m:5"\n')
    files, _ = config_layers(options.ALL, tmp_path, "")
    settings, _ = resolve(options.ALL, files)
    (problem,) = planned(Opened(settings=settings, script=script())).problems
    assert str(settings.placed(problem)) == (
        "swell.toml:2: stage: cannot be given with swell.toml:1: rate: each says how much load there is (leave one out)"
    )
