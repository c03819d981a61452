"""How large the faults are: as the table says (`--faults=full`, which `make faults` gives), or a fifth of it."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Scale:
    """What all times are divided by, and how often what is random is tried."""

    divisor: float
    kills: int

    @property
    def lease_s(self) -> float:
        return 15 / self.divisor

    def seconds(self, as_written_s: float) -> float:
        """A time of the table, in this scale."""
        return as_written_s / self.divisor


SCALES = {"quick": Scale(divisor=5, kills=5), "full": Scale(divisor=1, kills=20)}
