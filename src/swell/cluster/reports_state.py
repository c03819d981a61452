"""What a worker reports: segments until the last is acknowledged, and how it fared, which its pulses tell too. Pure."""

from __future__ import annotations

from swell.cluster.messages import Strain
from swell.cluster.outbox_state import Outbox, Report
from swell.cluster.strain import strain_of
from swell.segment import Segment


class Reports:
    """Of one incarnation of a worker."""

    def __init__(self) -> None:
        self.outbox = Outbox()
        self.strain = Strain()
        """Over the time of the latest report."""
        self._sealed_s = 0.0
        self._has_sealed_all = False
        self._give_up_ns: int | None = None

    def __repr__(self) -> str:
        return f"<Reports: {self.outbox}{', all sealed' if self._has_sealed_all else ''}>"

    @property
    def are_done(self) -> bool:
        """All that will ever be reported has been acknowledged."""
        return self._has_sealed_all and not self.outbox

    def sealed(self, segment: Segment, now_ns: int) -> list[Report]:
        """There is a new one; what is to be sent now."""
        self.strain, self._sealed_s = strain_of(segment, self._sealed_s), segment.sealed_s
        self._has_sealed_all |= segment.final
        self.outbox.add(segment)
        return self.outbox.due(now_ns)

    def acknowledged(self, sequence: int, now_ns: int) -> bool:
        """All up to this one have arrived; False where that was known."""
        return self.outbox.acknowledged(sequence, now_ns)

    def due(self, now_ns: int) -> list[Report]:
        """What is to be sent now, for the first time or again."""
        return self.outbox.due(now_ns)

    def wait_until(self, give_up_ns: int) -> None:
        """Acknowledgements are waited for until then, or longer, where that was said before."""
        self._give_up_ns = max(give_up_ns, self._give_up_ns or 0)

    def are_given_up(self, now_ns: int) -> bool:
        """Whether the last acknowledgement has been waited for long enough."""
        return self._give_up_ns is not None and now_ns >= self._give_up_ns

    @property
    def are_parting(self) -> bool:
        """Whether there is a moment at which they are given up."""
        return self._give_up_ns is not None

    def check(self) -> None:
        """Raise AssertionError if they contradict themselves."""
        self.outbox.check()
