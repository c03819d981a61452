"""What the contest consists of: its problems, and the made-up teams that have already taken part."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Iterator


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """One task of the contest, worth `points` to each team that solves it."""

    id: int
    title: str
    points: int
    statement: str


_PROBLEM_TEXTS = (
    ("Two Queues", 100, "Two queues lead to one desk. Given when each person joins, print who waits longest."),
    ("The Patient Postman", 100, "A postman may turn around only once. Print the shortest walk past all his houses."),
    ("Halves", 150, "Cut a string of beads in two places so that both thieves get the same number of each colour."),
    ("Night Bus", 150, "Given a timetable and a watch that is wrong by an unknown constant, print the constant."),
    ("Bridge of Sighs", 200, "A bridge holds k kilograms. Print the fewest crossings that bring the whole party over."),
    ("Leftovers", 200, "Print the smallest number that leaves each of the given remainders."),
    ("Quiet Neighbours", 250, "Seat n people on a ring so that no two who quarrel sit side by side."),
    ("Lighthouse", 250, "Given the coast as a polygon, print the least number of lamps that light all of it."),
    ("Undo", 300, "An editor knows type, delete, undo and redo. Print the text after a million commands."),
    ("Tides", 300, "Ships of different draught wait for water. Print the order in which they can leave."),
    ("Long Division", 400, "Print the digit at position k of p/q, where k has up to eighteen digits."),
    ("The Last Train", 500, "Trains may be late by at most d minutes. Print the earliest safe departure for home."),
)

PROBLEMS = tuple(
    Problem(number, title, points, statement) for number, (title, points, statement) in enumerate(_PROBLEM_TEXTS, 1)
)

_ADJECTIVES = ("Busy", "Calm", "Clever", "Early", "Gentle", "Lucky", "Quick", "Sleepy")
_ANIMALS = ("Badgers", "Crows", "Geese", "Hares", "Newts", "Otters", "Owls", "Toads")

TEAM_NAMES = tuple(f"{adjective} {animal}" for adjective, animal in itertools.product(_ADJECTIVES, _ANIMALS))


def past_submissions(count: int) -> Iterator[tuple[str, Problem, str]]:
    """Team, problem and code of `count` submissions from before the visitor came: the same ones at every start."""
    dice = random.Random(20_000)
    for number in range(count):
        problem = dice.choice(PROBLEMS)
        solves = dice.random() < 100 / (100 + problem.points)
        yield dice.choice(TEAM_NAMES), problem, f"print({number})" if solves else "pass"


def judge(code: str) -> str:
    """The verdict on a program. The judge is kind: whatever prints something is accepted."""
    return "accepted" if "print" in code else "rejected"
