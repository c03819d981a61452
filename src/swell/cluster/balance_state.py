"""Whether the workers' load still fits what they can carry, and what to deal by when it does not. Pure.

A new deal is made for a worker that has been saturated for three seconds on end while another has *room*
(`carrying_state.py`); not where that would take less than a tenth of its share from it, not within ten seconds of the
last one, and never so that it keeps less than a quarter. So noise moves nobody. Once dealt by capacity, all workers
are as full as each other: if there is no room then, they are too few. `shortfall` says so, for a load that shows what
it asks for: by workers that do all they are dealt, or else by how fast planned starts fall behind. Late by half a
second more each second, half as many were done as are due.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence

import msgspec

from swell.clock import NS_PER_S
from swell.cluster.carrying_state import BUSY, Form, View, supposed
from swell.cluster.messages import Strain
from swell.result import Shortfall

TOO_MUCH = 1.1
"""What workers with room could carry is known to a tenth, no better."""
WORTH = 0.1
STEP = 4.0
SATURATED_S = 3.0
KEPT_S = 10.0
GAP_S = 10.0
NOTED_GROWTH = 1.25
NAMED = 3
LOOKS = 3


class Balance:
    """What each worker carries, and whether another deal would carry more."""

    def __init__(self, measured: Mapping[int, float] | None = None, *, pulse_interval_s: float = 1.0) -> None:
        """`measured`: who is there, and what each has measured, in any unit that is the same for all; 0: nothing. All
        times are told for a pulse a second."""
        self._forms: dict[int, Form] = {}
        self.among(measured or {})
        self._gap_ns = round(GAP_S * pulse_interval_s * NS_PER_S)
        self._saturated_ns = round(SATURATED_S * pulse_interval_s * NS_PER_S)
        self._kept_ns = round(KEPT_S * pulse_interval_s * NS_PER_S)
        self._pulse_interval_ns = round(pulse_interval_s * NS_PER_S)
        self._look_again_ns = 0
        self._not_before_ns = 0
        self._noted = 0
        self._looked_ns = 0
        self._looks: deque[int] = deque(maxlen=LOOKS)
        self.because = ""
        """Why the latest deal was wanted."""

    def __repr__(self) -> str:
        return f"<Balance {self._forms}>"

    @property
    def capacities(self) -> dict[int, float]:
        """What each worker carries, as far as is known; 0: it is not."""
        return supposed(self._forms, {})

    def among(self, measured: Mapping[int, float]) -> None:
        """These are the workers now, with what each has measured. A new one counts in proportion to it."""
        if measured.keys() != self._forms.keys():
            self._forms = {worker: self._forms.get(worker) or Form(found) for worker, found in measured.items()}

    def dealt(self, now_ns: int) -> None:
        """Shares are changed for another reason: what is felt until all have theirs says nothing."""
        self._not_before_ns = max(self._not_before_ns, now_ns + self._gap_ns)
        for form in self._forms.values():
            form.forget()

    def felt(self, worker: int, at_ns: int, strain: Strain, share_fraction: float, measured: float = 0.0) -> None:
        """A worker, which may be a new one that has `measured` so much, tells how it fares with this part of
        everything."""
        if all(0 <= value < math.inf for value in msgspec.structs.astuple(strain)):
            form = self._forms.get(worker) or self._forms.setdefault(worker, Form(measured))
            form.feel(at_ns, strain, share_fraction, self._kept_ns)

    def is_strained(self, now_ns: int) -> bool:
        """Whether it is worth while to look closer, once for each pulse: there may be a thousand workers."""
        if now_ns < self._look_again_ns or not self._is_strained(now_ns):
            return False
        self._look_again_ns = now_ns + self._pulse_interval_ns
        return True

    def _is_strained(self, now_ns: int) -> bool:
        since_ns = now_ns - self._saturated_ns
        return any(form.calm_ns <= since_ns and form.covers(since_ns) for form in self._forms.values())

    def wanted(self, now_ns: int) -> dict[int, float] | None:
        """What to deal by from now on; None: as before. Whoever asks and is told has dealt."""
        if now_ns < self._not_before_ns or not self._is_strained(now_ns):
            return None
        view = View(self._forms, now_ns - self._saturated_ns)
        if not view.saturated or not view.roomy:
            return None
        shares = self._shares()
        found = _bounded(view.capacities(), shares)
        total = sum(found.values())
        if not total or not any(found[worker] / total <= (1 - WORTH) * shares[worker] for worker in view.saturated):
            return None
        self.because = _named(sorted(view.saturated))
        for worker, form in self._forms.items():
            form.carried = found[worker]
        self.dealt(now_ns)
        return found

    def shortfall(self, now_ns: int) -> int:
        """How many workers like these it would take, at least, where they are too few; 0: they may do."""
        if not self._is_strained(now_ns):
            return 0
        view = View(self._forms, now_ns - self._saturated_ns)
        if not view.saturated:
            return 0
        asked_per_s, all_per_s = view.asked_per_s(), sum(view.capacities().values())
        if not all_per_s or (not view.are_all_late and asked_per_s <= TOO_MUCH * all_per_s):
            return 0
        return max(math.ceil(len(self._forms) * asked_per_s / (BUSY * all_per_s)), len(self._forms) + 1)

    def notice(self, now_ns: int, at_s: float) -> Shortfall | None:
        """What is to be said, at an instant of the run, of workers that are too few; None: nothing, or nothing new. Of
        what the latest looks have found, it is the least: a worker that is so late reports in jerks."""
        if now_ns - self._looked_ns > self._saturated_ns:
            self._looks.clear()
        self._looked_ns = now_ns
        self._looks.append(self.shortfall(now_ns))
        needed = min(self._looks) if len(self._looks) == LOOKS else 0
        if needed < max(NOTED_GROWTH * self._noted, 1):
            return None
        self._noted = needed
        return Shortfall(at_s, len(self._forms), needed)

    def _shares(self) -> dict[int, float]:
        """As they were last heard of, in parts of what all have."""
        total = sum(form.share for form in self._forms.values())
        return {worker: form.share / total for worker, form in self._forms.items() if total}

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        assert all(0 <= form.share <= 1 and form.carried >= 0 for form in self._forms.values())


def _named(workers: Sequence[int]) -> str:
    if len(workers) == 1:
        return f"worker {workers[0]} cannot carry its share"
    named = ", ".join(map(str, workers[:NAMED])) + (f" and {len(workers) - NAMED} more" if workers[NAMED:] else "")
    return f"workers {named} cannot carry their shares"


def _bounded(found: dict[int, float], shares: Mapping[int, float]) -> dict[int, float]:
    """The capacities, none of them so small that its worker would keep less than a part of its share."""
    total = sum(found.values())
    least = {worker: share / STEP for worker, share in shares.items() if found[worker] < share / STEP * total}
    others = sum(carries for worker, carries in found.items() if worker not in least)
    return {worker: least[worker] / (1 - sum(least.values())) * others if worker in least else carries
            for worker, carries in found.items()}  # fmt: skip
