"""Frames that are wrong in one way each, with how they are to be counted, and the same without the fault: from worker
1.1 of the run `RUN`, whose first report has not come."""

from __future__ import annotations

import struct

import msgspec

from swell.cluster.messages import (
    FRAME_BYTES_MAX,
    PROTOCOL,
    Hello,
    Message,
    Orders,
    Output,
    Pulse,
    RowsWanted,
    WorkerPhase,
    encode,
)
from swell.result import Refusal
from swell.segment import SecondBlock, Segment
from tests.cluster.simulated import RUN

SECOND = SecondBlock(1, *[b""] * 8)
GOOD = Segment(RUN, 1, 1, 1, 0, 0, 1.0, seconds=(SECOND,))
PULSE = Pulse(WorkerPhase.RUNNING, 2, 0, users=3, sent_ns=3)
SHOWN = Output(("a line",))


def frame(message: Message, **changed: object) -> bytes:
    """The message with fields that its type would not allow."""
    fields = msgspec.msgpack.decode(encode(message))
    assert changed.keys() <= fields.keys() | {"type"}
    return msgspec.msgpack.encode({**fields, **changed})


def segment_with(**changed: object) -> bytes:
    return encode(msgspec.structs.replace(GOOD, **changed))


def nested(depth: int) -> bytes:
    return b"\x91" * depth + b"\xc0"


FRAMES: dict[str, tuple[Refusal, bytes, bytes]] = {
    "truncated": (Refusal.MALFORMED, encode(GOOD)[:-3], encode(GOOD)),
    "something behind it": (Refusal.MALFORMED, encode(GOOD) + b"\x00", encode(GOOD)),
    "no MessagePack": (Refusal.MALFORMED, b"\xc1" * 100, encode(GOOD)),
    "wrong tag": (Refusal.MALFORMED, frame(PULSE, type="shutdown"), encode(PULSE)),
    "tag of the controller's": (Refusal.MALFORMED, encode(Orders(9)), encode(PULSE)),
    "wrong type": (Refusal.MALFORMED, frame(PULSE, users="many"), encode(PULSE)),
    "no field": (Refusal.MALFORMED, msgspec.msgpack.encode({"type": "pulse"}), encode(PULSE)),
    "deep nesting": (Refusal.MALFORMED, nested(100_000), encode(PULSE)),
    "deep nesting in a field": (
        Refusal.MALFORMED,
        b"\x82\xa4type\xa6output\xa5lines" + nested(100_000),
        encode(SHOWN),
    ),
    "endless array": (Refusal.MALFORMED, b"\xdd\xff\xff\xff\xff" * 3, encode(PULSE)),
    "endless string": (Refusal.MALFORMED, b"\x81\xa4type\xdb\xff\xff\xff\xffx", encode(PULSE)),
    "invalid UTF-8": (Refusal.MALFORMED, encode(SHOWN).replace(b"a line", b"\xff\xfe\xff\xfe\xff\xfe"), encode(SHOWN)),
    "number below 0": (Refusal.MALFORMED, frame(PULSE, users=-1), encode(PULSE)),
    "number beyond 64 bits": (Refusal.MALFORMED, frame(PULSE, users=(1 << 64) - 1), encode(PULSE)),
    "no number": (Refusal.MALFORMED, frame(PULSE, capacity=float("nan")), encode(PULSE)),
    "sequence below 0": (Refusal.MALFORMED, frame(GOOD, sequence=-1), encode(GOOD)),
    "sequence out of reach": (Refusal.UNSOUND, segment_with(sequence=1 << 40), encode(GOOD)),
    "arrays that do not fit": (
        Refusal.UNSOUND,
        segment_with(seconds=(msgspec.structs.replace(SECOND, hist_keys=struct.pack("<2I", 0, 1)),)),
        encode(GOOD),
    ),
    "second of no run": (
        Refusal.UNSOUND,
        segment_with(seconds=(msgspec.structs.replace(SECOND, second=1 << 40),)),
        encode(GOOD),
    ),
    "records cut in two": (Refusal.UNSOUND, segment_with(records=b"half"), encode(GOOD)),
    "other run": (Refusal.OTHER_RUN, segment_with(run="run-0"), encode(GOOD)),
    "other incarnation": (Refusal.OTHER_INCARNATION, segment_with(incarnation=2), encode(GOOD)),
    "other worker": (Refusal.OTHER_INCARNATION, segment_with(worker=0), encode(GOOD)),
    "other term": (Refusal.OTHER_TERM, frame(PULSE, term=7), encode(PULSE)),
    "other version": (
        Refusal.OTHER_VERSION,
        encode(Hello(RUN, 1, 1, "here", 1, protocol=PROTOCOL + 1)),
        encode(PULSE),
    ),
    "greeting of another run": (Refusal.OTHER_RUN, encode(Hello("run-0", 1, 1, "here", 1)), encode(PULSE)),
    "feed that there is not": (Refusal.OUT_OF_PLACE, encode(RowsWanted(7, 1, 10, 0)), encode(PULSE)),
    "empty": (Refusal.EMPTY, b"", encode(PULSE)),
    "too long": (Refusal.OVERSIZE, bytes(FRAME_BYTES_MAX + 1), encode(PULSE)),
}
SEVERAL_PARTS = [encode(PULSE), encode(PULSE)]
