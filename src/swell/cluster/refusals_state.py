"""What the controller has refused: counted by sender and by kind, bounded. Pure."""

from __future__ import annotations

from collections import Counter

from swell.cluster.member_state import Member
from swell.cluster.messages import PROTOCOL, Hello
from swell.result import Refusal, RefusedCount

SENDERS_CAP = 100
OTHERS = "(other)"


class Refusals:
    """Frames that were not followed."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[bytes, Refusal]] = Counter()
        self._others: Counter[Refusal] = Counter()
        """Of senders beyond the cap: identities cost nothing, so there may be any number of them."""
        self._senders: set[bytes] = set()

    def __repr__(self) -> str:
        kinds = ", ".join(f"{count:,} {kind.value}" for kind, count in sorted(self.by_kind.items(), key=str))
        return f"<Refusals: {kinds or 'none'}>"

    @property
    def by_kind(self) -> Counter[Refusal]:
        """How many of each kind there were."""
        kinds = Counter(self._others)
        for (_, kind), count in self._counts.items():
            kinds[kind] += count
        return kinds

    @property
    def by_sender(self) -> Counter[bytes]:
        """How many of each of the first hundred senders there were."""
        senders: Counter[bytes] = Counter()
        for (sender, _), count in self._counts.items():
            senders[sender] += count
        return senders

    def total(self) -> int:
        """How many there were in all."""
        return self._counts.total() + self._others.total()

    def add(self, sender: bytes, kind: Refusal) -> None:
        """A frame was refused."""
        if len(self._senders) < SENDERS_CAP:
            self._senders.add(sender)
        if sender in self._senders:
            self._counts[sender, kind] += 1
        else:
            self._others[kind] += 1

    def listed(self) -> tuple[RefusedCount, ...]:
        """As they stand in the result."""
        named = [
            RefusedCount(kind, sender.decode("ascii", "backslashreplace"), count)
            for (sender, kind), count in self._counts.items()
        ]
        return (*named, *(RefusedCount(kind, OTHERS, count) for kind, count in self._others.items()))

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        assert len(self._senders) <= SENDERS_CAP
        assert {sender for sender, _ in self._counts} == self._senders
        assert self.by_kind.total() == self.total()


def fault_of(hello: Hello, run: str, version: str, member: Member | None) -> tuple[Refusal, str] | None:
    """Why a worker that introduces itself is not the member that is waited for; None if it is. `version`: of the
    controller's swell; '': any will do."""
    if hello.protocol != PROTOCOL:
        return (
            Refusal.OTHER_VERSION,
            f"the worker speaks version {hello.protocol}, the controller version {PROTOCOL}",
        )
    if version and hello.version and hello.version != version:
        return Refusal.OTHER_VERSION, f"the worker is swell {hello.version}, the controller swell {version}"
    if hello.run != run:
        return Refusal.OTHER_RUN, f"this is run {run}, not {hello.run}"
    if member is None or member.lost or (hello.worker, hello.incarnation) != (member.worker, member.incarnation):
        kind = Refusal.UNKNOWN_SENDER if member is None else Refusal.OTHER_INCARNATION
        return kind, f"worker {hello.worker}.{hello.incarnation} is not part of the run"
    if member.process not in (None, process_of(hello)):
        return Refusal.OTHER_INCARNATION, f"worker {hello.worker}.{hello.incarnation} is another process"
    return None


def process_of(hello: Hello) -> tuple[str, str, int]:
    """What tells two processes apart that introduce themselves by one name."""
    return hello.machine, hello.host, hello.pid
