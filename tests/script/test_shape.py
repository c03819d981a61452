"""What a shape's `tick` may return, and what is said of anything else."""

from fractions import Fraction

import numpy
import pytest

from swell.clock import ManualClock
from swell.errors import ScriptError
from swell.load.shape import Wanted
from swell.script.shape import LoadTestShape, ask, begin, read_tick


class Reader: ...


class Steps(LoadTestShape):
    def tick(self) -> tuple[int, float] | None:
        return (10 * (1 + int(self.get_run_time() // 60)), 5) if self.get_run_time() < 120 else None


def test_a_shape_is_asked_for_users_and_rate_until_it_returns_none() -> None:
    clock = ManualClock(5_000_000_000)
    shape = Steps()
    begin(shape, clock, clock.now_ns())
    found = []
    for _ in range(3):
        found.append(ask(shape, [Reader]))
        clock.advance_s(60)
    assert found == [Wanted(10, 5.0), Wanted(20, 5.0), None]


def test_its_time_can_be_set_back() -> None:
    clock = ManualClock(0)
    shape = Steps()
    begin(shape, clock, 0)
    clock.advance_s(50)
    shape.reset_time()
    clock.advance_s(3)
    assert shape.get_run_time() == 3.0


def test_it_may_name_the_classes() -> None:
    assert read_tick((3.0, 0.5, [Reader]), "Steps", ["Reader"]) == Wanted(3, 0.5, ("Reader",))
    assert read_tick((3, 1, None), "Steps", ["Reader"]) == Wanted(3, 1.0)


def test_numbers_may_be_of_any_kind() -> None:
    found = read_tick((numpy.int64(7), numpy.float32(0.5)), "Steps", [])
    assert found == Wanted(7, 0.5)
    assert found is not None
    assert (type(found.users), type(found.rate_per_s)) == (int, float)
    assert read_tick((Fraction(7, 2), Fraction(1, 2)), "Steps", []) == Wanted(4, 0.5)


def test_time_does_not_begin_before_the_run() -> None:
    shape = Steps()
    assert shape.get_run_time() == 0.0
    begin(shape, ManualClock(0), 5_000_000)
    assert shape.get_run_time() == 0.0


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (7, "it is not a tuple of 2 or 3 parts"),
        ((7,), "it is not a tuple of 2 or 3 parts"),
        (("7", 1), "the users are not a number from 0 to 1,000,000"),
        ((float("inf"), 1), "the users are not a number from 0 to 1,000,000"),
        ((7, float("nan")), "the rate is not a number over 0 and up to 1,000,000"),
        ((7, 1, [None]), "None is no user class of this run"),
        ((7, 1, [], 1), "it is not a tuple of 2 or 3 parts"),
        ((-1, 1), "the users are not a number from 0 to 1,000,000"),
        ((float("nan"), 1), "the users are not a number from 0 to 1,000,000"),
        ((7, 0), "the rate is not a number over 0 and up to 1,000,000"),
        ((7, True), "the rate is not a number over 0 and up to 1,000,000"),
        ((7, 1, "Reader"), "its third part is not a list of user classes"),
        ((7, 1, [int]), "<class 'int'> is no user class of this run"),
    ],
)
def test_anything_else_is_an_error_that_says_why(value: object, said: str) -> None:
    with pytest.raises(ScriptError) as caught:
        read_tick(value, "Steps", ["Reader"])
    assert str(caught.value).startswith(f"Steps: tick() returned {value!r}: {said}")


def test_a_tick_that_fails_is_named_with_its_place() -> None:
    class Broken(LoadTestShape):
        def tick(self) -> None:
            raise KeyError("stage")

    with pytest.raises(ScriptError) as caught:
        ask(Broken(), [Reader])
    assert "Broken.tick() failed: KeyError: 'stage'" in str(caught.value)
    assert "test_shape.py" in str(caught.value)
