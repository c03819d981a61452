import datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from swell.cluster import messages
from swell.cluster.messages import (
    Acknowledge,
    Dismiss,
    Failed,
    FromController,
    FromWorker,
    Hello,
    Orders,
    Output,
    Pulse,
    Quit,
    Report,
    Rows,
    RowsWanted,
    SentSecrets,
    Welcome,
    WorkerPhase,
    clipped_lines,
    decode_from_controller,
    decode_from_worker,
    encode,
    pack_value,
    unpack_value,
)
from swell.errors import LinkError
from swell.load.shares import deal
from swell.plan import Revision
from swell.segment import SecondBlock, Segment
from tests.cluster.simulated import RUN, plan_of

FROM_WORKER: list[FromWorker] = [
    Hello(RUN, 0, 1, "host", 123),
    Pulse(WorkerPhase.RUNNING, 3, 17, users=5, idle=True),
    Segment(RUN, 0, 1, 7, 0, 100, 1.5, seconds=(SecondBlock(0, *[b"\x00" * 8] * 8),)),
    Output(("a line", "another"), error=True),
    Report(pack_value({"x": 1})),
    RowsWanted(0, 3, 100, 90, waiting=2),
    Quit(),
    Failed("it is broken", 2, "Traceback"),
]
FROM_CONTROLLER: list[FromController] = [
    Welcome(plan_of(), shared=pack_value([1, "two"]), secrets=SentSecrets({"TOKEN": "abcdef"})),
    Orders(4, 10, 20, (Revision(0, 0.0, 5, 1.0),), deal(2)[1], 10),
    Acknowledge(7),
    Rows(0, 3, 90, (b'{"name":"a"}', b"{}")),
    Dismiss("not yours"),
]


@pytest.mark.parametrize("message", FROM_WORKER, ids=lambda message: type(message).__name__)
def test_what_a_worker_says_arrives_as_it_was(message: FromWorker) -> None:
    assert decode_from_worker(encode(message)) == message


@pytest.mark.parametrize("message", FROM_CONTROLLER, ids=lambda message: type(message).__name__)
def test_what_the_controller_says_arrives_as_it_was(message: FromController) -> None:
    assert decode_from_controller(encode(message)) == message


@pytest.mark.parametrize("message", FROM_CONTROLLER, ids=lambda message: type(message).__name__)
def test_a_worker_cannot_speak_as_the_controller(message: FromController) -> None:
    with pytest.raises(LinkError):
        decode_from_worker(encode(message))


def test_a_welcome_shows_the_names_of_secrets_only() -> None:
    shown = repr(Welcome(plan_of(), secrets=SentSecrets({"TOKEN": "abcdef", "KEY": "ghijkl"})))
    assert "secrets=<SentSecrets TOKEN, KEY>" in shown
    assert "abcdef" not in shown


@given(st.binary(max_size=200))
def test_garbage_is_a_link_error_and_nothing_else(frame: bytes) -> None:
    for decode in (decode_from_worker, decode_from_controller):
        with pytest.raises(LinkError):
            decode(frame)


@given(st.data())
def test_a_message_with_bytes_changed_is_a_message_or_a_link_error(data: st.DataObject) -> None:
    frame = bytearray(encode(data.draw(st.sampled_from(FROM_WORKER))))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    try:
        message = decode_from_worker(bytes(frame))
    except LinkError:
        return
    assert isinstance(message, FromWorker)


@pytest.mark.parametrize("cut", range(0, 60, 7))
def test_a_message_cut_short_is_a_link_error(cut: int) -> None:
    for message in FROM_WORKER:
        frame = encode(message)
        if cut < len(frame):
            with pytest.raises(LinkError):
                decode_from_worker(frame[:cut])


@pytest.mark.parametrize(
    "value",
    [
        None,
        1,
        "text",
        {"type": "hello"},
        {"type": "nothing"},
        {"type": "hello", "run": 1, "worker": 0, "incarnation": 1, "host": "h", "pid": 1},
        {"type": "pulse", "phase": "dancing", "orders": 1, "at_ns": 1},
        [[[[]]]],
    ],
)
def test_a_value_of_another_shape_is_a_link_error(value: object) -> None:
    with pytest.raises(LinkError):
        decode_from_worker(msgspec.msgpack.encode(value))


def test_a_nest_without_end_is_a_link_error() -> None:
    with pytest.raises(LinkError):
        unpack_value(b"\x91" * 100_000)


def test_a_frame_that_is_too_big_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "FRAME_BYTES_MAX", 10)
    with pytest.raises(LinkError, match="over the limit of 10"):
        decode_from_worker(encode(FROM_WORKER[0]))


def test_values_of_user_code_travel() -> None:
    value = {"when": datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC), "users": [1, 2], 3: b"bytes", "none": None}
    assert unpack_value(pack_value(value)) == value
    with pytest.raises(LinkError, match="cannot be sent"):
        pack_value({"file": object()})


def test_long_lines_are_cut_where_it_shows() -> None:
    assert clipped_lines("a\nb") == ("a", "b")
    (line,) = clipped_lines("x" * 5_000)
    assert (len(line), line[-1]) == (messages.LINE_CHARACTERS, "…")


def test_half_a_surrogate_pair_does_not_keep_a_line_back() -> None:
    (line,) = clipped_lines("\udcff")
    assert decode_from_worker(encode(Output((line,)))) == Output(("?",))
