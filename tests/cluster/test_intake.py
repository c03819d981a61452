"""What a controller takes in: everything that comes, and nothing that is urgent behind reports."""

from collections.abc import Iterator

import gevent
import pytest

from swell.cluster.controller_steps import Event, Garbled, Heard, Ticked
from swell.cluster.intake import FRAMES_AT_ONCE, Intake
from swell.cluster.lanes_state import SLICE_FRAMES, Lanes
from swell.cluster.memory_link import MemoryLink
from swell.cluster.messages import Pulse, WorkerPhase, encode
from swell.result import Refusal
from swell.segment import Segment

PULSE = Pulse(WorkerPhase.RUNNING, 1, 1)
BACKLOG = 5_000


def report(sequence: int) -> Segment:
    return Segment("run-1", 0, 1, sequence, 0, 0, 1.0)


@pytest.fixture
def link() -> Iterator[MemoryLink]:
    link = MemoryLink()
    yield link
    link.close()


def started(link: MemoryLink, lanes: Lanes | None = None) -> Intake:
    intake = Intake(link, lanes)
    gevent.spawn(intake.receive)
    return intake


def test_frames_and_events_come_one_by_one(link: MemoryLink) -> None:
    intake, worker = started(link), link.connect(b"0.1")
    for frame in (encode(PULSE), encode(report(1)), b"", b"\xc1"):
        worker.send(frame)
    gevent.sleep(0)
    intake.tell(Ticked())
    events = intake.events()
    assert [next(events) for _ in range(5)] == [
        Heard(b"0.1", PULSE),
        Garbled(b"0.1", Refusal.EMPTY),
        Garbled(b"0.1", Refusal.MALFORMED),
        Ticked(),
        Heard(b"0.1", report(1)),
    ]


def test_a_flood_of_reports_holds_a_pulse_up_by_one_slice_at_most(link: MemoryLink) -> None:
    intake, flooding, quiet = started(link), link.connect(b"0.1"), link.connect(b"1.1~")
    for sequence in range(1, BACKLOG + 1):
        flooding.send(encode(report(sequence)))
    events = intake.events()
    for heard in range(1, 1_001):
        assert isinstance(next(events), Heard)
        if heard > 200 and heard % 100 == 0:
            quiet.send(encode(PULSE))
            assert steps_until(events, Heard(b"1.1~", PULSE)) <= 2 * SLICE_FRAMES


def steps_until(events: Iterator[Event], awaited: Event) -> int:
    return next(step for step, event in enumerate(events) if event == awaited)


def test_a_flood_does_not_hold_up_what_is_told_from_within(link: MemoryLink) -> None:
    intake, flooding = started(link), link.connect(b"0.1")
    ticking = gevent.spawn(lambda: [(gevent.sleep(0), intake.tell(Ticked())) for _ in range(20)])
    for sequence in range(1, BACKLOG + 1):
        flooding.send(encode(report(sequence)))
    events = intake.events()
    ticked = [number for number, event in zip(range(BACKLOG), events, strict=False) if event == Ticked()]
    ticking.get()
    assert len(ticked) == 20
    assert ticked[-1] < 40 * SLICE_FRAMES


def test_a_flood_fills_no_more_than_its_room(link: MemoryLink) -> None:
    lanes = Lanes(backlog_bytes=100_000)
    intake, flooding = started(link, lanes), link.connect(b"0.1")
    for sequence in range(1, BACKLOG + 1):
        flooding.send(encode(report(sequence)))
    for _ in range(BACKLOG // FRAMES_AT_ONCE + 2):
        gevent.sleep(0)
    lanes.check()
    assert lanes.dropped > 0
    assert lanes.most_backlog_bytes <= 100_000
    events = intake.events()
    taken = [next(events) for _ in range(len(lanes))]
    assert taken == [Heard(b"0.1", report(sequence)) for sequence in range(1, len(taken) + 1)]
    assert len(taken) + lanes.dropped == BACKLOG


def test_a_closed_link_ends_the_receiving(link: MemoryLink) -> None:
    intake = Intake(link)
    receiving = gevent.spawn(intake.receive)
    link.connect(b"0.1").send(b"last words")
    link.close()
    receiving.get(timeout=5)
    assert next(intake.events()) == Garbled(b"0.1", Refusal.MALFORMED)
