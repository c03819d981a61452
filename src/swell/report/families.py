"""What metrics are made of: families of samples, told apart by labels.

Their names have neither prefix nor unit; each exposition adds what its conventions want.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping

from swell.clock import NS_PER_S
from swell.histogram import Histogram

Labels = Mapping[str, str]


class FamilySort(enum.Enum):
    """What its values mean."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """A number, or a histogram, with the labels that tell it apart."""

    labels: Labels
    value: float | Histogram


@dataclasses.dataclass(frozen=True, slots=True)
class Family:
    """All samples of a name. `unit`: seconds, bytes, ratio, or ''. All samples have the same labels."""

    name: str
    text: str
    sort: FamilySort
    unit: str
    samples: tuple[Sample, ...]
    one_ns: int = NS_PER_S
    """Of histograms: the duration that stands for a value of 1."""
