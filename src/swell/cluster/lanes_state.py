"""What has come for a controller and is still to be dealt with, in two lanes. Pure.

    urgent    events of its own, pulses, greetings, whatever is short       all of it is dealt with before ...
    backlog   reports                                                       ... the next few of these

Merging reports is most of a controller's work. One that is held up falls behind with it, and with nothing else: leases
go on, the dead are missed, orders are given. Frames wait as they came: what is a report shows in its first bytes, and
of its content nothing but the number is looked at, so that it waits once, however often it is sent. Both lanes are
bounded. A report for which there is no room is dropped and counted; its worker sends it again.
"""

from __future__ import annotations

from collections import deque

import msgspec

from swell.cluster.controller_steps import Event, Ticked

BACKLOG_BYTES = 256 << 20
URGENT_BYTES = 32 << 20
SLICE_FRAMES = 16
SLICE_BYTES = 1 << 20
FRAME_COST_BYTES = 200
"""What a frame takes besides its bytes."""
TAG_WITHIN_BYTES = 20
REPORT_TAGS = (b"\xa4type\xa7segment", b"\xa4type\xa7remains")
"""How frames of reports begin, after the number of their fields."""


class Head(msgspec.Struct, frozen=True, tag="segment", gc=False):
    """What is looked at of a report while it waits."""

    sequence: int


_head = msgspec.msgpack.Decoder(Head)

Received = tuple[bytes, bytes]
"""Who has sent a frame, and the frame."""
Waiting = Event | Received


class Lanes:
    """In the order in which it came, but for reports, which give way."""

    def __init__(self, backlog_bytes: int = BACKLOG_BYTES, urgent_bytes: int = URGENT_BYTES) -> None:
        self.dropped = 0
        """Frames for which there was no room."""
        self.repeated = 0
        """Reports that waited already."""
        self.most_backlog_bytes = 0
        self._room_bytes = (urgent_bytes, backlog_bytes)
        self._urgent: deque[Waiting] = deque()
        self._tick_waits = False
        self._backlog: deque[Received] = deque()
        self._numbers: set[tuple[bytes, int]] = set()
        """Who has sent a report that waits, and its sequence number."""
        self._bytes = [0, 0]

    def __repr__(self) -> str:
        return (
            f"<Lanes: {len(self._urgent)} urgent, {len(self._backlog)} reports of {self._bytes[True]:,} bytes, "
            f"{self.dropped} dropped>"
        )

    def __len__(self) -> int:
        return len(self._urgent) + len(self._backlog)

    def tell(self, event: Event) -> None:
        """Something has happened here. It is never dropped; of several ticks that wait, one is enough."""
        if isinstance(event, Ticked):
            if self._tick_waits:
                return
            self._tick_waits = True
        self._urgent.append(event)

    def put(self, sender: bytes, frame: bytes) -> bool:
        """A frame has come; False where there is no room for it, or need of it."""
        report = is_report(frame)
        number = _number(sender, frame) if report else None
        if number in self._numbers:
            self.repeated += 1
            return False
        cost_bytes = _cost_bytes(frame)
        if self._bytes[report] + cost_bytes > self._room_bytes[report]:
            self.dropped += 1
            return False
        self._bytes[report] += cost_bytes
        if report:
            self.most_backlog_bytes = max(self.most_backlog_bytes, self._bytes[report])
            self._backlog.append((sender, frame))
            if number is not None:
                self._numbers.add(number)
        else:
            self._urgent.append((sender, frame))
        return True

    def slice(self) -> list[Waiting]:
        """What is to be dealt with next, before anything else is looked at: all that is urgent, and a few reports."""
        taken: list[Waiting] = [*self._urgent]
        self._urgent.clear()
        self._tick_waits = False
        self._bytes[False] = 0
        bytes_ = 0
        for _ in range(min(SLICE_FRAMES, len(self._backlog))):
            received = self._backlog.popleft()
            taken.append(received)
            if (number := _number(*received)) is not None:
                self._numbers.discard(number)
            bytes_ += _cost_bytes(received[1])
            if bytes_ >= SLICE_BYTES:
                break
        self._bytes[True] -= bytes_
        return taken

    def check(self) -> None:
        """Raise AssertionError if it contradicts itself."""
        urgent = [waiting for waiting in self._urgent if isinstance(waiting, tuple)]
        held = [sum(_cost_bytes(frame) for _, frame in lane) for lane in (urgent, self._backlog)]
        assert held == self._bytes
        assert [*self._urgent].count(Ticked()) == self._tick_waits
        assert self._numbers == {number for received in self._backlog if (number := _number(*received))}
        assert all(bytes_ <= room for bytes_, room in zip(held, self._room_bytes, strict=True))


def is_report(frame: bytes) -> bool:
    """Whether a frame holds what is to be merged, as far as its beginning shows; it is not read."""
    return any(frame.find(tag, 0, TAG_WITHIN_BYTES) >= 0 for tag in REPORT_TAGS)


def _number(sender: bytes, frame: bytes) -> tuple[bytes, int] | None:
    """What a report is told by; None where it says none."""
    try:
        return sender, _head.decode(frame).sequence
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _cost_bytes(frame: bytes) -> int:
    return len(frame) + FRAME_COST_BYTES
