"""A float as the number that was meant: 0.1 is a tenth, and 500/60 (of `500/m`) is 25 thirds."""

from __future__ import annotations

from fractions import Fraction

WRITTEN_DIGITS = 12
"""What a person wrote has no more; 963/999 as a float has 15."""
MOST_DENOMINATOR = 1_000_000


def exact(value: float) -> Fraction:
    """The decimal that it is written as; with more digits than anybody writes, a simple fraction that gives it."""
    text = repr(value)
    written = Fraction(text)
    if sum(map(str.isdigit, text.partition("e")[0].lstrip("-0."))) <= WRITTEN_DIGITS:
        return written
    simple = Fraction(value).limit_denominator(MOST_DENOMINATOR)
    return simple if float(simple) == value else written
