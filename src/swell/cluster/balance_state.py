"""Whether the workers' load still fits what they can carry, and what to deal by when it does not. Pure.

A worker that is *saturated* (for three seconds on end it has used nine tenths of the CPU that it could have had, or its
planned starts were late, or its quota held it up, while it did less than its share calls for) carries what it carries:
that is its capacity. One that is not carries in proportion more than it does, as far as its CPU goes. Both in calls per
second of the script that runs, which is why what was measured before the run counts only in proportion.

A new deal is made for a worker that is saturated while another has *room*; not where that would take less than a tenth
of its share from it, not within ten seconds of the last one, and never so that it keeps less than a quarter. So noise
moves nobody. Once dealt by capacity, all workers are as full as each other: if there is no room then, the cluster is
too small. `shortfall` says so, for a load that shows what it asks for: by workers that do all they are dealt, or
else by how fast planned starts fall behind. Late by half a second more each second, half as many were done as are due.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

import msgspec

from swell.clock import NS_PER_S
from swell.cluster.messages import Strain
from swell.result import Shortfall

BUSY = 0.9
"""Of the CPU that a worker could have."""
LATE_MS = 20.0
HELD_UP = 0.25
"""Of the time, by the quota."""
DONE_SHARE = 0.9
"""Of the calls that a worker's share calls for: who does more is late for another reason than its load."""
IDLE = 0.1
"""Who uses less CPU than this does not show what it could carry."""
TOO_MUCH = 1.1
"""What workers with room could carry is known to a tenth, no better."""
WORTH = 0.1
STEP = 4.0
SATURATED_S = 3.0
KEPT_S = 10.0
GAP_S = 10.0
NOTED_GROWTH = 1.25
NAMED = 3


@dataclass(frozen=True, slots=True)
class Felt:
    """A worker's strain, told at an instant."""

    at_ns: int
    strain: Strain


class Form:
    """How one worker has fared since it has its share."""

    def __init__(self, measured: float) -> None:
        self.measured = measured
        """Before it had users; 0: it was not."""
        self.carried = 0.0
        """What the latest deal took it to carry; 0: there was none since it is here."""
        self.share = 0.0
        self.calm_ns = 0
        """When it was last neither busy nor late."""
        self._felt: deque[Felt] = deque()

    def __repr__(self) -> str:
        return f"<Form, {self.share:.3f} of everything, carries {self.carried:.0f}/s, {len(self._felt)} kept>"

    def feel(self, at_ns: int, strain: Strain, share: float, kept_ns: int) -> None:
        """Take in how it fared; what it did with another share counts no more."""
        if abs(share - self.share) > 1e-9:
            self.forget()
        self.share = share
        self._felt.append(Felt(at_ns, strain))
        if not _is_busy(strain) and not _is_late(strain):
            self.calm_ns = at_ns
        while self._felt[0].at_ns < at_ns - kept_ns:
            self._felt.popleft()

    def forget(self) -> None:
        """What has been felt counts no more."""
        self._felt.clear()

    def covers(self, since_ns: int) -> bool:
        """Whether it has been heard of as long."""
        return bool(self._felt) and self._felt[0].at_ns <= since_ns <= self._felt[-1].at_ns

    def all_since(self, since_ns: int, shows: Callable[[Strain], bool]) -> bool:
        """Whether all strains since then show something."""
        return all(shows(felt.strain) for felt in self._felt if felt.at_ns > since_ns)

    def mean(self, of: Callable[[Strain], float], since_ns: int = 0) -> float:
        """A mean over the strains since then."""
        return fmean([of(felt.strain) for felt in self._felt if felt.at_ns > since_ns] or [0.0])

    def lag_growth(self, since_ns: int) -> float:
        """By how many seconds planned starts have fallen further behind in each second since then."""
        first = max((felt for felt in self._felt if felt.at_ns <= since_ns), key=_instant, default=None)
        if first is None:
            return 0.0
        last = self._felt[-1]
        span_ms = (last.at_ns - first.at_ns) / 1e6
        return (last.strain.lag_p99_ms - first.strain.lag_p99_ms) / span_ms if span_ms > 0 else 0.0


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
        self.because = ""
        """Why the latest deal was wanted."""

    def __repr__(self) -> str:
        return f"<Balance {self._forms}>"

    @property
    def capacities(self) -> dict[int, float]:
        """What each worker carries, as far as is known; 0: it is not."""
        return _supposed(self._forms, {})

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
        view = _View(self._forms, now_ns - self._saturated_ns)
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
        view = _View(self._forms, now_ns - self._saturated_ns)
        if not view.saturated:
            return 0
        asked_per_s, all_per_s = view.asked_per_s(), sum(view.capacities().values())
        if asked_per_s <= (1.0 if view.are_all_late else TOO_MUCH) * all_per_s:
            return 0
        return max(math.ceil(len(self._forms) * asked_per_s / (BUSY * all_per_s)), len(self._forms) + 1)

    def notice(self, now_ns: int, at_s: float) -> Shortfall | None:
        """What is to be said, at an instant of the run, of workers that are too few; None: nothing, or nothing new."""
        needed = self.shortfall(now_ns)
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


class _View:
    """Who is saturated and who has room, of those that have been heard of since an instant."""

    def __init__(self, forms: Mapping[int, Form], since_ns: int) -> None:
        self._forms = forms
        self._since_ns = since_ns
        known = [worker for worker, form in forms.items() if form.covers(since_ns)]
        self.busy = [worker for worker in known if forms[worker].all_since(since_ns, _is_busy)]
        late = [worker for worker in known if forms[worker].all_since(since_ns, _is_late) and worker not in self.busy]
        calm = [worker for worker in known if worker not in self.busy and worker not in late]
        self._asked_per_s = self._asked_of(calm)
        self.behind = [worker for worker in late if self._is_behind(forms[worker])]
        self.saturated = [*self.busy, *self.behind]
        self.roomy = [worker for worker in calm if forms[worker].mean(_cpu, since_ns) < BUSY]

    @property
    def are_all_late(self) -> bool:
        """Whether all are saturated, and start late what is planned."""
        late = [form for form in self._forms.values() if form.all_since(self._since_ns, _is_late)]
        return len(self.saturated) == len(late) == len(self._forms)

    def _asked_of(self, workers: Sequence[int]) -> float:
        """The calls per second that everything asks for, by workers that do all that they are dealt."""
        share = sum(self._forms[worker].share for worker in workers)
        return sum(self._forms[worker].mean(_calls) for worker in workers) / share if share else 0.0

    def _is_behind(self, form: Form) -> bool:
        """Whether it does less than its share calls for; where nobody shows how much that is, it may."""
        return form.mean(_calls, self._since_ns) < DONE_SHARE * form.share * self._asked_per_s or not self._asked_per_s

    def asked_per_s(self) -> float:
        """The calls per second that everything asks for, as far as anybody shows it; 0: nobody does."""
        if self._asked_per_s:
            return self._asked_per_s
        if not self.are_all_late:
            return 0.0
        forms = self._forms.values()
        done = [form.mean(_calls, self._since_ns) for form in forms]
        growth = [min(max(form.lag_growth(self._since_ns), 0.0), 0.99) for form in forms]
        return sum(calls / (1 - growing) for calls, growing in zip(done, growth, strict=True))

    def capacities(self) -> dict[int, float]:
        """What each carries, in calls per second: as it has shown, or else as is to be supposed."""
        shown = {worker: carries for worker, form in self._forms.items() if (carries := self._shown(worker, form))}
        found = _supposed(self._forms, {worker: one for worker, one in shown.items() if worker not in self.saturated})
        mean = fmean(shown.values()) if shown else 0.0
        for worker, form in self._forms.items():
            idles = worker not in self.saturated and form.mean(_cpu) < IDLE
            found[worker] = max(shown.get(worker, 0.0), found[worker] if idles or worker not in shown else 0.0) or mean
        return found

    def _shown(self, worker: int, form: Form) -> float:
        if worker in self.behind:
            return form.mean(_calls, self._since_ns)
        since_ns = self._since_ns if worker in self.busy else 0
        return form.mean(_calls, since_ns) / min(max(form.mean(_cpu, since_ns), IDLE), 1.0)


def _bounded(found: dict[int, float], shares: Mapping[int, float]) -> dict[int, float]:
    """The capacities, none of them so small that its worker would keep less than a part of its share."""
    total = sum(found.values())
    least = {worker: share / STEP for worker, share in shares.items() if found[worker] < share / STEP * total}
    others = sum(carries for worker, carries in found.items() if worker not in least)
    return {worker: least[worker] / (1 - sum(least.values())) * others if worker in least else carries
            for worker, carries in found.items()}  # fmt: skip


def _supposed(forms: Mapping[int, Form], shown: Mapping[int, float]) -> dict[int, float]:
    """What each carries by what it was taken to carry last, or by what it has measured, in proportion to others."""
    known = {worker: shown.get(worker) or form.carried for worker, form in forms.items()}
    scale = median(
        [known[worker] / form.measured for worker, form in forms.items() if known[worker] and form.measured] or [1.0]
    )
    return {worker: form.carried or form.measured * scale for worker, form in forms.items()}


def _instant(felt: Felt) -> int:
    return felt.at_ns


def _cpu(strain: Strain) -> float:
    return strain.cpu


def _calls(strain: Strain) -> float:
    return strain.calls_per_s


def _is_busy(strain: Strain) -> bool:
    return strain.cpu >= BUSY


def _is_late(strain: Strain) -> bool:
    return strain.lag_p99_ms >= LATE_MS or strain.throttled >= HELD_UP
