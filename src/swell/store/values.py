"""Values as they lie in the columns of a store: MessagePack, by type."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec

from swell.cluster.record import ClusterRecord
from swell.document import ThresholdSummary
from swell.errors import RunFailed
from swell.plan import LONGEST_S, Revision, RunPlan
from swell.result import HealthSpan, Series
from swell.segment import Segment
from swell.stats.journal import KeptSamples, MergeState, WorkerNumbers, WorkerState
from swell.stats.per_second import Chunk

T = TypeVar("T")

PLAN = msgspec.msgpack.Decoder(RunPlan)
REVISION = msgspec.msgpack.Decoder(Revision)
SERIES = msgspec.msgpack.Decoder(Series)
TEXT = msgspec.msgpack.Decoder(str)
EXCEPTION = msgspec.msgpack.Decoder(tuple[str, str])
MERGE_STATE = msgspec.msgpack.Decoder(MergeState)
THRESHOLDS = msgspec.msgpack.Decoder(tuple[ThresholdSummary, ...])
SAMPLES = msgspec.msgpack.Decoder(KeptSamples)
WORKER_STATE = msgspec.msgpack.Decoder(WorkerState)
WORKER_NUMBERS = msgspec.msgpack.Decoder(WorkerNumbers)
HEALTH_SPAN = msgspec.msgpack.Decoder(HealthSpan)
CHUNK = msgspec.msgpack.Decoder(Chunk)
CLUSTER = msgspec.msgpack.Decoder(ClusterRecord | None)
SEGMENTS = msgspec.msgpack.Decoder(tuple[Segment, ...])

encode = msgspec.msgpack.Encoder().encode

Instant = Annotated[float, msgspec.Meta(ge=0, le=2 * LONGEST_S)]
"""Seconds of a run; beyond its plan, its drain too."""
Place = Annotated[int, msgspec.Meta(ge=0, le=2 * LONGEST_S)]
"""A whole second or minute of a run, or the place of something in a list."""


def decode(decoder: msgspec.msgpack.Decoder[T], data: bytes) -> T:
    """A value again. Raises RunFailed where it is none."""
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, TypeError) as exc:
        raise RunFailed(f"a value in it is damaged: {exc}") from exc
