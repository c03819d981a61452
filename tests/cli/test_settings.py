"""Which source of options wins, and what is said of one that cannot be understood."""

from pathlib import Path

import pytest

from swell.cli import options
from swell.cli.settings import Given, config_layers, environment_layer, likely_slips, resolve, table_layer


def faults_of(folder: Path, named: str = "") -> list[str]:
    layers, problems = config_layers(options.ALL, folder, named)
    _, more = resolve(options.ALL, layers)
    return [str(problem) for problem in problems + more]


def test_the_command_line_wins_over_the_environment_over_swell_toml_over_pyproject(tmp_path: Path) -> None:
    (tmp_path / "swell.toml").write_text("users = 3\nspawn-rate = 3\nrun-time = '3s'\n")
    (tmp_path / "pyproject.toml").write_text("[tool.swell]\nusers = 4\nspawn-rate = 4\nrun-time = 4\nworkers = 4\n")
    files, problems = config_layers(options.ALL, tmp_path, "")
    environment = environment_layer(options.ALL, {"SWELL_USERS": "2", "SWELL_SPAWN_RATE": "2", "SWELL_SEED": ""})
    settings, faults = resolve(options.ALL, [{"users": Given("1", "--users")}, environment, *files])
    assert (problems, faults) == ([], [])
    assert repr(settings) == "<Settings users=1, spawn-rate=2.0, run-time=3.0, workers=4>"
    assert [settings.place(option) for option in (options.USERS, options.SPAWN_RATE, options.RUN_TIME)] == [
        "--users",
        "SWELL_SPAWN_RATE",
        "swell.toml:3: run-time",
    ]
    assert settings.place(options.WORKERS) == "pyproject.toml:5: workers"


def test_a_variable_that_looks_like_an_option_is_noticed() -> None:
    environment = {"SWELL_USRES": "5", "SWELL_USERS": "5", "SWELL_OF_THE_SEA": "1", "USERS": "5"}
    assert likely_slips(options.ALL, environment) == [
        "the variable SWELL_USRES is no option; did you mean SWELL_USERS?"
    ]


def test_what_no_source_has_is_the_default() -> None:
    settings, _ = resolve(options.ALL, [])
    assert (settings[options.USERS], settings[options.RUN_TIME], settings[options.TAGS]) == (1, None, ())
    assert not settings.is_given(options.USERS)


def test_every_value_that_does_not_parse_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "swell.toml").write_text(
        '# ours\nuser = 3\nrun_time = "soon"\nquiet = "maybe"\nstrict = 1\ntags = ["a", "b"]\nhost = ["x"]\n'
        "\n[load]\nx = 1\n"
    )
    assert faults_of(tmp_path) == [
        "swell.toml:2: user: unknown option 'user' (did you mean users?)",
        "swell.toml:4: quiet: 'maybe' is not true or false",
        "swell.toml:5: strict: 1 is not true or false",
        "swell.toml:7: host: ['x'] is not a text or a number",
        "swell.toml:9: load: unknown option 'load'",
        "swell.toml:3: run_time: 'soon' is not a duration such as 30s, 5m, 1h30m or 90 (seconds)",
    ]


def test_a_config_file_that_is_no_toml_is_named_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "swell.toml").write_text("users = \n")
    assert faults_of(tmp_path) == [f"{tmp_path}/swell.toml: cannot be read: Invalid value (at line 1, column 9)"]


def test_a_named_config_file_that_is_missing_is_a_problem(tmp_path: Path) -> None:
    path = str(tmp_path / "other.toml")
    assert faults_of(tmp_path, path) == [f"{path}: cannot be read: No such file or directory"]


def test_a_named_config_file_stands_in_for_the_others(tmp_path: Path) -> None:
    (tmp_path / "swell.toml").write_text("users = 3\n")
    (tmp_path / "other.toml").write_text("seed = 7\n")
    layers, _ = config_layers(options.ALL, tmp_path, str(tmp_path / "other.toml"))
    assert repr(resolve(options.ALL, layers)[0]) == "<Settings seed=7>"


def test_a_pyproject_without_a_section_of_ours_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nusers = 1\n[tool]\nswell = 3\n")
    assert faults_of(tmp_path) == []


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"usres": 1}, "s.py: unknown option 'usres' (did you mean users?)"),
        ({"users": True}, "s.py: True is not a text or a number"),
        ({"users": None}, "s.py: None is not a text or a number"),
    ],
)
def test_a_table_of_a_script_is_read_like_a_config_file(table: dict[str, object], fault: str) -> None:
    _, problems = table_layer(options.ALL, table, "s.py")
    assert [str(problem) for problem in problems] == [fault]


def test_every_option_has_names_of_its_own() -> None:
    for command in {command for option in options.ALL for command in option.commands}:
        flags = [flag for option in options.options_of(command) for flag in option.flags]
        assert len(flags) == len(set(flags))
    assert {option.variable for option in options.ALL} == {
        "SWELL_" + option.flag[2:].upper().replace("-", "_") for option in options.ALL
    }
