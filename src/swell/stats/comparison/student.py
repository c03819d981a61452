"""Student's distribution: how far a mean strays whose spread is itself an estimate.

The regularised incomplete beta function is summed as a continued fraction: NIST Digital Library of Mathematical
Functions, §8.17.22, by the modified Lentz method (Thompson & Barnett 1986).
"""

from __future__ import annotations

import functools
import math

TINY = 1e-300
ACCURACY = 1e-14
MOST_TERMS = 1_000
FARTHEST = 1e4


def two_sided_p(t: float, df: float) -> float:
    """The probability that |T| exceeds |t|, with `df` degrees of freedom; an infinite `df` is the normal case."""
    if math.isinf(t):
        return 0.0
    if math.isinf(df):
        return math.erfc(abs(t) / math.sqrt(2))
    return incomplete_beta(df / 2, 0.5, df / (df + t * t))


@functools.lru_cache(maxsize=4_096)
def critical_t(p: float, df: float) -> float:
    """The t that |T| exceeds with probability `p`."""
    low, high = 0.0, 1.0
    while two_sided_p(high, df) > p and high < FARTHEST:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided_p(middle, df) > p else (low, middle)
    return high


def incomplete_beta(a: float, b: float, x: float) -> float:
    """I_x(a, b), for a and b above 0."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    front = math.exp(log_front)
    if x < (a + 1) / (a + b + 2):  # there it converges fast; elsewhere, the mirror image does
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _away_from_0(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _away_from_0(1 + term * d)
            c = _away_from_0(1 + term / c)
            found *= c * d
        if abs(c * d - 1) < ACCURACY:
            break
    return found


def _away_from_0(value: float) -> float:
    return value if abs(value) > TINY else TINY
