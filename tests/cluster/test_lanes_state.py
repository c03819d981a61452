"""What waits for a controller: reports give way to everything else, in bounded room."""

from hypothesis import given
from hypothesis import strategies as st

from swell.cluster.controller_steps import StopWanted, Ticked
from swell.cluster.lanes_state import FRAME_COST_BYTES, SLICE_BYTES, SLICE_FRAMES, Lanes, is_report
from swell.cluster.messages import Failed, Hello, Output, Pulse, Quit, Remains, Report, RowsWanted, WorkerPhase, encode
from swell.result import End
from swell.segment import Segment

SEGMENT = encode(Segment("run-1", 3, 1, 7, 0, 0, 1.0))
PULSE = encode(Pulse(WorkerPhase.RUNNING, 1, 1))


def reports(count: int, bytes_each: int = 0) -> list[tuple[bytes, bytes]]:
    segment = encode(Segment("run-1", 3, 1, 7, 0, 0, 1.0, records=bytes(bytes_each)))
    return [(b"%d.1" % number, segment) for number in range(count)]


def test_what_is_a_report_shows_without_reading_it() -> None:
    said = (
        Hello("run-1", 0, 1, "segment", 1),
        Output(("type segment",)),
        Report(SEGMENT),
        RowsWanted(0, 1, 1, 0),
        Quit(),
        Failed("segment"),
    )
    assert is_report(SEGMENT)
    assert is_report(encode(Remains(0, 1, (), 1)))
    assert not any(map(is_report, [PULSE, b"", b"\xa7segment", *map(encode, said)]))


def test_all_that_is_urgent_comes_before_the_next_few_reports() -> None:
    lanes, early = Lanes(), reports(SLICE_FRAMES + 3)
    for report in early:
        lanes.put(*report)
    lanes.put(b"0.1~", PULSE)
    lanes.tell(Ticked())
    assert lanes.slice() == [(b"0.1~", PULSE), Ticked(), *early[:SLICE_FRAMES]]
    lanes.put(b"1.1~", PULSE)
    lanes.check()
    assert lanes.slice() == [(b"1.1~", PULSE), *early[SLICE_FRAMES:]]
    assert (len(lanes), lanes.slice()) == (0, [])
    lanes.check()


def test_large_reports_make_short_slices() -> None:
    lanes = Lanes()
    for report in reports(4, SLICE_BYTES // 2):
        lanes.put(*report)
    assert [len(lanes.slice()) for _ in range(3)] == [2, 2, 0]


def test_reports_without_room_are_dropped_and_counted_but_nothing_else_is() -> None:
    cost_bytes = len(SEGMENT) + FRAME_COST_BYTES
    lanes = Lanes(backlog_bytes=3 * cost_bytes, urgent_bytes=FRAME_COST_BYTES + len(PULSE))
    assert [lanes.put(*report) for report in reports(5)] == [True, True, True, False, False]
    assert [lanes.put(b"0.1~", PULSE) for _ in range(2)] == [True, False]
    lanes.tell(Ticked())
    assert (lanes.dropped, lanes.most_backlog_bytes, len(lanes)) == (3, 3 * cost_bytes, 5)
    lanes.check()
    assert len(lanes.slice()) == 5
    assert lanes.put(*reports(1)[0])


def test_a_report_waits_once_however_often_it_is_sent() -> None:
    lanes = Lanes()
    one, other = (encode(Segment("run-1", 0, 1, sequence, 0, 0, 1.0)) for sequence in (1, 2))
    assert [lanes.put(b"0.1", frame) for frame in (one, other, one, other)] == [True, True, False, False]
    assert lanes.put(b"1.1", one)
    assert (lanes.repeated, lanes.dropped) == (2, 0)
    lanes.check()
    assert lanes.slice() == [(b"0.1", one), (b"0.1", other), (b"1.1", one)]
    assert lanes.put(b"0.1", one)
    lanes.check()


def test_ticks_do_not_pile_up() -> None:
    lanes = Lanes()
    for _ in range(3):
        lanes.tell(Ticked())
    lanes.check()
    assert lanes.slice() == [Ticked()]
    lanes.tell(Ticked())
    assert lanes.slice() == [Ticked()]
    lanes.check()


def test_what_only_begins_like_a_report_waits_like_one() -> None:
    lanes, cut = Lanes(), SEGMENT[:40]
    assert [lanes.put(b"0.1", cut) for _ in range(2)] == [True, True]
    lanes.put(b"0.1", PULSE)
    lanes.check()
    assert lanes.slice() == [(b"0.1", PULSE), (b"0.1", cut), (b"0.1", cut)]
    lanes.check()


@given(st.lists(st.tuples(st.sampled_from(["report", "pulse", "event", "slice"]), st.integers(0, 300)), max_size=60))
def test_nothing_is_lost_or_turned_round_within_its_lane(steps: list[tuple[str, int]]) -> None:
    lanes = Lanes(backlog_bytes=8_000, urgent_bytes=4_000)
    put: list[object] = []
    taken: list[object] = []
    for number, (step, padding) in enumerate(steps):
        sender = b"%d.1" % number
        frame = SEGMENT + bytes(padding) if step == "report" else bytes(padding)
        if step == "event":
            lanes.tell(StopWanted(End.STOPPED, str(number)))
            put.append(StopWanted(End.STOPPED, str(number)))
        elif step == "slice":
            taken += lanes.slice()
        elif lanes.put(sender, frame):
            put.append((sender, frame))
        lanes.check()
    while len(lanes):
        taken += lanes.slice()
    for of_reports in (False, True):
        mine = [[one for one in ones if _is_report(one) is of_reports] for ones in (put, taken)]
        assert mine[0] == mine[1]


def _is_report(waiting: object) -> bool:
    return isinstance(waiting, tuple) and is_report(waiting[1])
