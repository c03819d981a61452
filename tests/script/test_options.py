"""Options that a script declares."""

import argparse
from collections.abc import Callable

import pytest

from swell.errors import PlanError, ScriptError
from swell.script.loader import load
from swell.script.options import ScriptOptions, script_options

Script = Callable[..., str]
SCRIPT = """
@events.init_command_line_parser.add_listener
def declare(parser):
    parser.add_argument("--contest", type=int, env_var="CONTEST", default=3, help="which contest")
    group = parser.add_argument_group("Accounts", "who takes part")
    group.add_argument("--account", "-a", is_secret=True, include_in_web_ui=False, env_var="ACCOUNT")
    group.add_argument("--jury", action="store_true", env_var="JURY")

class A(User):
    @task
    def read(self): ...
"""


def options_of(*declarations: Callable[[ScriptOptions], object]) -> ScriptOptions:
    options = ScriptOptions("contest.py")
    for declare in declarations:
        declare(options)
    return options


def test_a_script_declares_options_as_with_argparse(script: Script) -> None:
    options = script_options(load(script(SCRIPT)))
    assert [action.option_strings for action in options.declared] == [["--contest"], ["--account", "-a"], ["--jury"]]
    values = options.values(["--contest", "4", "-a", "ann", "--jury"])
    assert values == argparse.Namespace(contest=4, account="ann", jury=True)
    assert options.values([]) == argparse.Namespace(contest=3, account=None, jury=False)


def test_what_locust_adds_to_argparse_is_kept_with_each_option(script: Script) -> None:
    account = vars(script_options(load(script(SCRIPT))).declared[1])
    assert (account["is_secret"], account["include_in_web_ui"], account["env_var"]) == (True, False, "ACCOUNT")


def test_a_script_without_options_has_none(script: Script) -> None:
    loaded = load(script("class A(User):\n    @task\n    def read(self): ..."))
    assert script_options(loaded).declared == ()


def test_values_from_the_environment_become_words_before_those_of_the_command_line(script: Script) -> None:
    options = script_options(load(script(SCRIPT)))
    words = options.words_from({"CONTEST": "7", "ACCOUNT": "an n", "JURY": "True", "OTHER": "x"})
    assert words == ["--contest=7", "-a=an n", "--jury"]
    assert options.values([*words, "--contest", "8"]) == argparse.Namespace(contest=8, account="an n", jury=True)
    assert options.words_from({"JURY": "0"}) == []


def test_several_values_from_the_environment_are_split_at_spaces() -> None:
    options = options_of(lambda parser: parser.add_argument("--ids", nargs="+", env_var="IDS"))
    assert options.values(options.words_from({"IDS": "a b"})).ids == ["a", "b"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--contest", "x"], "contest.py: argument --contest: invalid int value: 'x'"),
        (["--contset", "1"], "contest.py: unrecognized arguments: --contset 1"),
        (["--cont", "1"], "contest.py: unrecognized arguments: --cont 1"),
    ],
)
def test_words_that_do_not_parse_are_a_problem_of_the_plan(words: list[str], said: str) -> None:
    with pytest.raises(PlanError) as caught:
        options_of(lambda parser: parser.add_argument("--contest", type=int)).values(words)
    assert [str(problem) for problem in caught.value.problems] == [said]


def test_an_option_may_be_required() -> None:
    options = options_of(lambda parser: parser.add_argument("--key", is_required=True))
    with pytest.raises(PlanError, match="the following arguments are required: --key"):
        options.values([])


@pytest.mark.parametrize(
    ("declaration", "said"),
    [
        ('parser.add_argument("contest")', "ValueError: a script can declare options only, such as --contest"),
        ('parser.add_argument("--a"); parser.add_argument("--a")',
         "ArgumentError: argument --a: conflicting option string: --a"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_is_an_error_of_the_script(script: Script, declaration: str, said: str) -> None:
    loaded = load(
        script(f"""
        @events.init_command_line_parser.add_listener
        def declare(parser):
            {declaration}

        class A(User):
            @task
            def read(self): ...
        """)
    )
    with pytest.raises(ScriptError) as caught:
        script_options(loaded)
    assert str(caught.value) == f"contest.py:5: declaring its options fails: {said}"
    assert caught.value.author_traceback.startswith("contest.py:5 in declare\n")
