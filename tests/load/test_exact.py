from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.load.exact import exact


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (0.1, Fraction(1, 10)),
        (100, Fraction(100)),
        (7.3, Fraction(73, 10)),
        (0.00012345, Fraction(12_345, 10**8)),
        (1e-9, Fraction(1, 10**9)),
        (500 / 60, Fraction(25, 3)),
        (1 / 3, Fraction(1, 3)),
        (700 / 3600, Fraction(7, 36)),
        (0.1 + 0.2, Fraction(30000000000000004, 10**17)),
    ],
)
def test_a_float_is_the_number_that_was_meant(value: float, meant: Fraction) -> None:
    assert exact(value) == meant


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_it_is_a_number_with_that_float(value: float) -> None:
    assert float(exact(value)) == value


@given(st.integers(0, 10**12 - 1), st.integers(0, 20))
def test_what_a_person_writes_is_taken_to_the_letter(digits: int, places: int) -> None:
    assert exact(digits / 10**places) == Fraction(digits, 10**places)


@given(st.integers(0, 10**6), st.sampled_from([3, 60, 3_600, 7, 999]))
def test_a_quotient_is_what_was_divided(count: int, by: int) -> None:
    assert exact(count / by) == Fraction(count, by)
