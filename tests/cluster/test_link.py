import uuid
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from swell.cluster.link import ControllerLink, DealerLink, RouterLink, WorkerLink
from swell.cluster.memory_link import MemoryLink
from swell.errors import LinkError

Ends = tuple[ControllerLink, WorkerLink, WorkerLink]


@pytest.fixture(params=["ipc", "memory"])
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ends]:
    if request.param == "memory":
        memory = MemoryLink()
        yield memory, memory.connect(b"0.1"), memory.connect(b"1.1")
        return
    address = f"ipc:///tmp/swell-test-{uuid.uuid4().hex}"
    router = RouterLink(address)
    dealers = DealerLink(address, b"0.1"), DealerLink(address, b"1.1")
    yield router, *dealers
    for end in (*dealers, router):
        end.close()
    Path(address.removeprefix("ipc://")).unlink(missing_ok=True)


def test_the_controller_knows_who_speaks_and_can_answer(ends: Ends) -> None:
    controller, one, other = ends
    one.send(b"from one")
    assert controller.receive() == (b"0.1", b"from one")
    other.send(b"from the other")
    assert controller.receive() == (b"1.1", b"from the other")
    controller.send(b"1.1", b"to the other")
    controller.send(b"0.1", b"to one")
    assert (one.receive(), other.receive()) == (b"to one", b"to the other")


def test_many_frames_come_in_order_while_both_sides_send(ends: Ends) -> None:
    controller, one, _ = ends
    one.send(b"hello")
    assert controller.receive() == (b"0.1", b"hello")

    def flood() -> None:
        for number in range(2_000):
            controller.send(b"0.1", b"%d" % number)
            if number % 50 == 0:
                gevent.sleep(0)

    for number in range(2_000):
        one.send(b"%d" % number)
    sender = gevent.spawn(flood)
    assert [controller.receive() for _ in range(2_000)] == [(b"0.1", b"%d" % number) for number in range(2_000)]
    assert [one.receive() for _ in range(2_000)] == [b"%d" % number for number in range(2_000)]
    sender.get()


def test_closing_ends_the_wait(ends: Ends) -> None:
    controller, one, _ = ends
    waiting = [gevent.spawn(controller.receive), gevent.spawn(one.receive)]
    gevent.sleep(0.01)
    controller.close()
    one.close()
    assert [greenlet.get(timeout=5) for greenlet in waiting] == [None, None]


def test_a_frame_to_nobody_is_dropped(ends: Ends) -> None:
    controller, one, _ = ends
    controller.send(b"9.9", b"anyone there?")
    one.send(b"still here")
    assert controller.receive() == (b"0.1", b"still here")


def test_an_address_that_cannot_be_had_is_said_so() -> None:
    with pytest.raises(LinkError, match="cannot listen on ipc:///nowhere/link"):
        RouterLink("ipc:///nowhere/link")
