"""How each worker has fared since it has its share, and what that shows of what it can carry. Pure.

A worker that is *saturated* carries what it carries: that is its capacity. It is saturated when, for as long as is
asked for, it has used nine tenths of the CPU that it could have had; or when its planned starts were late, or its
quota held it up, and it did less than its share calls for: otherwise, less load would be as late. One that is not
saturated carries in proportion more than it does, as far as its CPU goes. Both are in calls per second of the script
that runs, which is why what was measured before the run counts only in proportion.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from swell.cluster.messages import Strain

BUSY = 0.9
"""Of the CPU that a worker could have."""
LATE_MS = 20.0
HELD_UP = 0.25
"""Of the time, by the quota."""
DONE_SHARE = 0.9
"""Of the calls that a worker's share calls for: who does more is late for another reason than its load."""
IDLE = 0.1
"""Who uses less CPU than this does not show what it could carry."""


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

    def lag_growth(self) -> float:
        """By how many seconds planned starts have fallen further behind in each second, since they were in time."""
        first = next((felt for felt in self._felt if felt.at_ns >= self.calm_ns), None)
        if first is None:
            return 0.0
        last = self._felt[-1]
        span_ms = (last.at_ns - first.at_ns) / 1e6
        return (last.strain.lag_p99_ms - first.strain.lag_p99_ms) / span_ms if span_ms > 0 else 0.0


class View:
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
        """Whether all have no CPU left, and start late what is planned."""
        late = [worker for worker in self.busy if self._forms[worker].all_since(self._since_ns, _is_late)]
        return len(late) == len(self._forms)

    def _asked_of(self, workers: Sequence[int]) -> float:
        """The calls per second that everything asks for, by workers that do all that they are dealt."""
        share = sum(self._forms[worker].share for worker in workers)
        return sum(self._forms[worker].mean(_calls) for worker in workers) / share if share else 0.0

    def _is_behind(self, form: Form) -> bool:
        """Whether it does less than its share calls for, as far as anybody shows how much that is."""
        return form.mean(_calls, self._since_ns) < DONE_SHARE * form.share * self._asked_per_s

    def asked_per_s(self) -> float:
        """The calls per second that everything asks for, as far as anybody shows it; 0: nobody does."""
        if self._asked_per_s:
            return self._asked_per_s
        if not self.are_all_late:
            return 0.0
        forms = self._forms.values()
        done = [form.mean(_calls, self._since_ns) for form in forms]
        growth = [min(max(form.lag_growth(), 0.0), 0.99) for form in forms]
        return sum(calls / (1 - growing) for calls, growing in zip(done, growth, strict=True))

    def capacities(self) -> dict[int, float]:
        """What each carries, in calls per second: as it has shown, or else as is to be supposed."""
        shown = {worker: carries for worker, form in self._forms.items() if (carries := self._shown(worker, form))}
        found = supposed(self._forms, {worker: one for worker, one in shown.items() if worker not in self.saturated})
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


def supposed(forms: Mapping[int, Form], shown: Mapping[int, float]) -> dict[int, float]:
    """What each carries by what it was taken to carry last, or by what it has measured, in proportion to others."""
    known = {worker: shown.get(worker) or form.carried for worker, form in forms.items()}
    scale = median(
        [known[worker] / form.measured for worker, form in forms.items() if known[worker] and form.measured] or [1.0]
    )
    return {worker: form.carried or form.measured * scale for worker, form in forms.items()}


def _cpu(strain: Strain) -> float:
    return strain.cpu


def _calls(strain: Strain) -> float:
    return strain.calls_per_s


def _is_busy(strain: Strain) -> bool:
    return strain.cpu >= BUSY


def _is_late(strain: Strain) -> bool:
    return strain.lag_p99_ms >= LATE_MS or strain.throttled >= HELD_UP
