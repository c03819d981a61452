"""Sorting a command line between swell, the script and nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.cli.arguments import MANY, ONE, OPTIONAL, Split, script_among, split

OURS = {"-u": ONE, "--users": ONE, "-q": 0, "--quiet": 0, "-T": ONE, "--tags": ONE, "--run-time": ONE}
THEIRS = {"--language": ONE, "-l": ONE, "--fast": 0, "--pair": 2, "--sizes": MANY, "--depth": OPTIONAL}


def sorted_out(line: str) -> Split:
    return split(line.split(), OURS, THEIRS)


@pytest.mark.parametrize(
    ("line", "ours", "script"),
    [
        ("s.py -u 5", "s.py -u 5", ""),
        ("-u 5 s.py Reader", "-u 5 s.py Reader", ""),
        ("s.py --language de -u 5", "s.py -u 5", "--language de"),
        ("s.py --language=de -u5", "s.py -u5", "--language=de"),
        ("--fast s.py", "s.py", "--fast"),
        ("s.py --pair a b Reader", "s.py Reader", "--pair a b"),
        ("s.py --sizes 1 2 3 -u 5", "s.py -u 5", "--sizes 1 2 3"),
        ("s.py --depth -u 5", "s.py -u 5", "--depth"),
        ("s.py --depth 2 -u 5", "s.py -u 5", "--depth 2"),
        ("s.py -l de", "s.py", "-l de"),
        ("-qu 5 s.py", "-q -u 5 s.py", ""),
        ("-qu5 s.py", "-q -u5 s.py", ""),
        ("s.py -u -5", "s.py -u -5", ""),
        ("s.py -- --fast", "s.py -- --fast", ""),
    ],
)
def test_each_word_goes_to_whose_option_it_is(line: str, ours: str, script: str) -> None:
    found = sorted_out(line)
    assert (" ".join(found.ours), " ".join(map(" ".join, found.script)), found.problems) == (ours, script, [])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("s.py --uzers 5", "--uzers: no such option (did you mean --users?)"),
        ("s.py --langauge de", "--langauge: no such option (did you mean --language?)"),
        ("s.py --zebra", "--zebra: no such option"),
        ("s.py -x 3", "-x: no such option"),
        ("s.py --runtime=5", "--runtime: no such option (did you mean --run-time?)"),
    ],
)
def test_an_option_that_nobody_knows_is_compared_with_those_of_both(line: str, problem: str) -> None:
    found = sorted_out(line)
    assert [str(problem) for problem in found.problems] == [problem]
    assert found.ours == ["s.py"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("s.py --users", "--users: a value is missing behind it"),
        ("s.py -u", "-u: a value is missing behind it"),
        ("s.py -qu", "-u: a value is missing behind it"),
        ("s.py --pair a", "--pair: a value is missing behind it"),
        ("s.py --quiet=yes", "--quiet: takes no value"),
        ("s.py --fast=1", "--fast: takes no value"),
    ],
)
def test_an_option_without_its_value_is_said(line: str, problem: str) -> None:
    assert [str(problem) for problem in sorted_out(line).problems] == [problem]


@pytest.mark.parametrize(
    ("line", "script"),
    [
        ("s.py --unknown 3", "s.py"),
        ("--unknown 3 s.py", "s.py"),
        ("--unknown s.py", "s.py"),
        ("--unknown=3 nosuch", "nosuch"),
        ("-u 5 -q", ""),
        ("", ""),
    ],
)
def test_the_script_is_found_before_its_options_are_known(line: str, script: str) -> None:
    assert script_among(split(line.split(), OURS, {}), lambda word: False) == script


WORDS = ["s.py", "-u", "5", "--fast", "--pair", "--nope", "--", "-qu", "-l", "--sizes", "x", "", "--users=5", "-q1"]


@given(st.lists(st.sampled_from(WORDS)))
def test_every_word_is_somebodys_or_part_of_a_problem(words: list[str]) -> None:
    found = split(words, OURS, THEIRS)
    theirs = [word for option in found.script for word in option]
    if not found.problems:
        assert sorted("".join(found.ours + theirs).replace("-", "")) == sorted("".join(words).replace("-", ""))
    assert set(found.loose) <= set(found.ours)
    assert all(option[0].partition("=")[0] in THEIRS or option[0][:2] in THEIRS for option in found.script)
