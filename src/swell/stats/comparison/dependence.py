"""How far the seconds of a run depend on each other, and what the spread of a mean is then.

Calls that follow each other share a cache, a queue, a neighbour's backup. So 10,000 calls may tell as little as 100
independent ones, and a test that takes them for independent finds differences between two runs of the same thing.

`reach` tells over how many cells (seconds, as a rule) the dependence goes, from the autocorrelation, whose partial sums
are tested for a sign of it. `mean_variance` then estimates the variance of a mean from its slowest movements alone: the
mean square of the first B cosine coefficients, B being the number of stretches, four times the reach long, that the run
has room for. They are all but independent and normal, so what is divided by its root has Student's distribution with B
degrees of freedom. With no dependence, B = T - 1 and this is the ordinary variance.

  - E. Lazarus, D. Lewis, J. Stock, M. Watson (2018), HAR inference: recommendations for practice, Journal of Business
    & Economic Statistics 36, 541-559: the equal-weighted cosine estimator, with its t_B
  - U. Müller (2007), A theory of robust long-run variance estimation, Journal of Econometrics 141, 1331-1352
  - H. Künsch (1989), The jackknife and the bootstrap for general stationary observations, Annals of Statistics 17,
    1217-1241; D. Politis, J. Romano (1994), The stationary bootstrap, JASA 89, 1303-1313: blocks in time, of which
    this is the form that needs no resampling and stays true for few blocks
  - M. Bartlett (1946), On the theoretical specification and sampling properties of autocorrelated time-series,
    Supplement to the Journal of the Royal Statistical Society 8, 27-41: how far an autocorrelation strays
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WINDOWS = (1, 2, 4, 8, 16, 32)
"""Over how many lags autocorrelations are added up to be tested."""
END_OF_REACH = 1.0
"""Where the autocorrelation is within so many standard errors of 0, the dependence has come to its end."""
STRETCH_PER_REACH = 4
CORRECTIONS = 4


def reach(series: Sequence[Floats], threshold: float) -> int:
    """Over how many lags values depend on each other; 0 if no sum of autocorrelations is so many standard errors above
    0. Several series are taken for equally dependent, and their autocorrelations averaged."""
    length = len(series[0])
    weights = np.array([float(np.square(one - one.mean()).sum()) for one in series])
    if length < 3 or not weights.sum() > 0:
        return 0
    seen = sum(weight * autocorrelation(one) for weight, one in zip(weights, series, strict=True)) / weights.sum()
    error = math.sqrt(float(np.square(weights).sum()) / length) / float(weights.sum())
    sums = np.cumsum(seen[1 : max(2, length // 3) + 1] + 1 / length)
    if all(sums[lags - 1] < threshold * error * math.sqrt(lags) for lags in WINDOWS if lags <= len(sums)):
        return 0
    lag = 1
    for _ in range(CORRECTIONS):
        lag = max(lag, _end(seen + _taken_off(seen, lag), END_OF_REACH * error))
    return lag


def _end(correlation: Floats, least: float) -> int:
    """The lag from which on a correlation, of two lags together, is no longer above the least."""
    lag = 1
    while lag + 2 < len(correlation) // 2 and (correlation[lag + 1] + correlation[lag + 2]) / 2 > least:
        lag += 1
    return lag


def _taken_off(correlation: Floats, lag: int) -> float:
    """By how much autocorrelations are too low since the mean was taken off: the more, the farther values depend on
    each other (F. Marriott, J. Pope 1954, Bias in the estimation of autocorrelations, Biometrika 41, 390-402)."""
    length = len(correlation)
    dependence = 1 + 2 * max(float((correlation[1 : lag + 1] + 1 / length).sum()), 0.0)
    return min(dependence / length, 0.5)


def autocorrelation(series: Floats) -> Floats:
    """Of lag 0 (where it is 1), 1, 2, ...; all 0 for a series without variance."""
    length = len(series)
    size = 1 << (2 * length - 1).bit_length()
    spectrum = np.fft.rfft(series - series.mean(), size)
    covariance: Floats = np.fft.irfft(spectrum * np.conj(spectrum), size)[:length]
    return covariance / covariance[0] if covariance[0] > 0 else np.zeros(length)


def stretches(length: int, reached: int) -> int:
    """How many degrees of freedom a series of this length has, given how far its values depend on each other."""
    return length // (STRETCH_PER_REACH * reached) if reached else length - 1


def mean_variance(series: Floats, degrees: int) -> float:
    """The variance of the mean of a series, from its `degrees` slowest movements, but never less than if its values
    were independent: what seems to cancel out is luck more often than not."""
    length = len(series)
    centred = series - series.mean()
    independent = float(centred @ centred) / (length - 1)
    if degrees >= length - 1:
        return independent / length
    moments = np.arange(length) + 0.5
    waves = np.cos(np.pi * np.outer(np.arange(1, degrees + 1), moments) / length) * math.sqrt(2 / length)
    return max(float(np.square(waves @ centred).mean()), independent) / length


def exceeds_chance(variance_ratio: float, degrees: int, errors: float) -> bool:
    """Whether a variance over its expected value is greater than chance explains, at so many standard errors of a
    normal variate (E. Wilson, M. Hilferty 1931, The distribution of chi-square, PNAS 17, 684-688)."""
    spread = 2 / (9 * degrees)
    return variance_ratio > float(max(1 - spread + errors * math.sqrt(spread), 0) ** 3)
