"""What the store keeps of a run's cluster beside its counts, so that another controller can take the run up. Pure.

Who holds what is not in it: workers that are still there tell that themselves, and their word is newer. Nor are the
segments: how far each worker's have come is in the merge's journal.
"""

from __future__ import annotations

import msgspec

from swell.cluster.feed_state import FeedRecord


class MachineRecord(msgspec.Struct, frozen=True):
    """A supervisor."""

    name: str
    host: str
    pid: int
    leaving: bool = False


class WorkerRecord(msgspec.Struct, frozen=True):
    """An incarnation of a worker."""

    worker: int
    incarnation: int
    machine: str = ""
    is_welcome: bool = False
    """It has introduced itself."""
    has_ended: bool = False
    """Its process has been seen to end."""
    is_lost: bool = False
    is_settled: bool = False
    """Nothing more was waited for of it."""
    capacity: float = 0.0


class ClusterRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A run's cluster, once it has begun."""

    term: int
    begin_ns: int
    """The run's zero, by the CLOCK_MONOTONIC of the controller's machine."""
    ends_ns: int | None = None
    machines: tuple[MachineRecord, ...] = ()
    workers: tuple[WorkerRecord, ...] = ()
    """All incarnations, in the order of their numbers."""
    deals: int = 0
    """How often shares were dealt again."""
    feeds: tuple[FeedRecord, ...] = ()
