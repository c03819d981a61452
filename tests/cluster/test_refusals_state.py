from hypothesis import given
from hypothesis import strategies as st

from swell.cluster.member_state import Member
from swell.cluster.messages import PROTOCOL, Hello
from swell.cluster.refusals_state import OTHERS, SENDERS_CAP, Refusals, fault_of
from swell.result import Refusal, RefusedCount


def hello(
    run: str = "run-1", worker: int = 0, incarnation: int = 1, protocol: int = PROTOCOL, of: str = "1.2"
) -> Hello:
    return Hello(run, worker, incarnation, "here", 1, protocol=protocol, version=of)


def test_frames_are_counted_by_sender_and_kind() -> None:
    refusals = Refusals()
    for kind in (Refusal.MALFORMED, Refusal.MALFORMED, Refusal.OTHER_TERM):
        refusals.add(b"0.1", kind)
    refusals.add(b"\xffstranger", Refusal.EMPTY)
    assert repr(refusals) == "<Refusals: 1 empty, 2 malformed, 1 other_term>"
    assert refusals.listed() == (
        RefusedCount(Refusal.MALFORMED, "0.1", 2),
        RefusedCount(Refusal.OTHER_TERM, "0.1", 1),
        RefusedCount(Refusal.EMPTY, "\\xffstranger", 1),
    )


@given(st.lists(st.tuples(st.binary(max_size=3), st.sampled_from(Refusal)), max_size=400))
def test_however_many_strangers_there_are_each_frame_is_counted_and_the_list_is_bounded(
    frames: list[tuple[bytes, Refusal]],
) -> None:
    refusals = Refusals()
    for sender, kind in frames:
        refusals.add(sender, kind)
        refusals.check()
    assert refusals.total() == sum(one.count for one in refusals.listed()) == len(frames)
    assert len({one.sender for one in refusals.listed()} - {OTHERS}) <= SENDERS_CAP


def test_who_is_not_the_member_that_is_waited_for_is_told_why() -> None:
    member = Member(0, 1, 0)
    lost = Member(0, 1, 0)
    lost.lost_ns = 1
    taken = Member(0, 1, 0)
    taken.process = ("", "elsewhere", 7)
    cases = [
        (hello(), member, None),
        (hello(of=""), member, None),
        (hello(protocol=99), member, (Refusal.OTHER_VERSION, "the worker speaks version 99, the controller version 2")),
        (hello(of="1.1"), member, (Refusal.OTHER_VERSION, "the worker is swell 1.1, the controller swell 1.2")),
        (hello(run="run-0"), member, (Refusal.OTHER_RUN, "this is run run-1, not run-0")),
        (hello(incarnation=2), member, (Refusal.OTHER_INCARNATION, "worker 0.2 is not part of the run")),
        (hello(), lost, (Refusal.OTHER_INCARNATION, "worker 0.1 is not part of the run")),
        (hello(), taken, (Refusal.OTHER_INCARNATION, "worker 0.1 is another process")),
        (hello(), None, (Refusal.UNKNOWN_SENDER, "worker 0.1 is not part of the run")),
    ]
    assert [fault_of(said, "run-1", "1.2", known) for said, known, _ in cases] == [fault for _, _, fault in cases]
