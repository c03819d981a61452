"""Both ends of a link, of each kind: over a socket file, over TCP, over TCP with a key, in memory."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest

from swell.cluster.address import Address, parse_address
from swell.cluster.key import ClusterKey, new_key
from swell.cluster.link import ControllerLink, DealerLink, RouterLink, WorkerLink
from swell.cluster.memory_link import MemoryLink
from swell.cluster.sockets import QUEUE_FRAMES, Timing
from swell.errors import LinkError

Ends = tuple[ControllerLink, WorkerLink, WorkerLink]
LOOPBACK = Address("127.0.0.1", 0)


def port_of(router: RouterLink) -> int:
    assert router.listens_on is not None
    return router.listens_on.port


def endpoint_of(router: RouterLink) -> str:
    assert router.listens_on is not None
    return router.listens_on.endpoint


@pytest.fixture
def socket_file() -> Iterator[str]:
    path = Path(f"/tmp/swell-test-{uuid.uuid4().hex}")
    yield f"ipc://{path}"
    path.unlink(missing_ok=True)


@pytest.fixture(params=["ipc", "tcp", "curve", "memory"])
def ends(request: pytest.FixtureRequest, socket_file: str) -> Iterator[Ends]:
    if request.param == "memory":
        memory = MemoryLink()
        yield memory, memory.connect(b"0.1"), memory.connect(b"1.1")
        return
    key = new_key() if request.param == "curve" else None
    router = RouterLink(socket_file) if request.param == "ipc" else RouterLink("", LOOPBACK, key)
    endpoint = socket_file if request.param == "ipc" else endpoint_of(router)
    dealers = DealerLink(endpoint, b"0.1", key), DealerLink(endpoint, b"1.1", key)
    yield router, *dealers
    for end in (*dealers, router):
        end.close()


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
        for number in range(QUEUE_FRAMES):
            controller.send(b"0.1", b"%d" % number)
            if number % 50 == 0:
                gevent.sleep(0)

    for number in range(QUEUE_FRAMES):
        one.send(b"%d" % number)
    sender = gevent.spawn(flood)
    assert [controller.receive() for _ in range(QUEUE_FRAMES)] == [
        (b"0.1", b"%d" % number) for number in range(QUEUE_FRAMES)
    ]
    assert [one.receive() for _ in range(QUEUE_FRAMES)] == [b"%d" % number for number in range(QUEUE_FRAMES)]
    sender.get()


def test_frames_can_be_taken_many_at_a_time(ends: Ends) -> None:
    controller, one, _ = ends
    sent = [b"%d" % number for number in range(100)]
    for frame in sent:
        one.send(frame)
    received: list[bytes] = []
    while len(received) < len(sent):
        some = controller.receive_some(30)
        assert some is not None
        assert 1 <= len(some) <= 30
        received += [frame for _, frame in some]
    assert received == sent


def test_closing_ends_the_wait(ends: Ends) -> None:
    controller, one, _ = ends
    waiting = [gevent.spawn(controller.receive), gevent.spawn(one.receive)]
    gevent.sleep(0.01)
    controller.close()
    one.close()
    assert [greenlet.get(timeout=5) for greenlet in waiting] == [None, None]
    assert controller.receive_some(10) is None


def test_a_frame_to_nobody_is_dropped(ends: Ends) -> None:
    controller, one, _ = ends
    assert not controller.send(b"9.9", b"anyone there?")
    one.send(b"still here")
    assert controller.receive() == (b"0.1", b"still here")


def test_workers_of_this_machine_and_of_others_are_one_company(socket_file: str) -> None:
    """The socket file needs no key: nobody but its owner can reach it."""
    key = new_key()
    router = RouterLink(socket_file, LOOPBACK, key)
    local, remote = DealerLink(socket_file, b"0.1"), DealerLink(endpoint_of(router), b"1.1", key)
    for worker, name in ((local, b"0.1"), (remote, b"1.1")):
        worker.send(b"here")
        assert router.receive() == (name, b"here")
        assert router.send(name, b"welcome")
        assert worker.receive() == b"welcome"
    for end in (local, remote, router):
        end.close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "*", "0.0.0.0", "::", "::1"])
def test_it_can_be_found_wherever_it_listens(host: str) -> None:
    key = new_key()
    router = RouterLink("", Address(host, 0), key)
    everywhere = host in ("*", "::", "0.0.0.0")
    ways = ["127.0.0.1", "localhost"] if host != "::1" else ["::1"]
    for way in [*ways, "::1"] if everywhere and host != "0.0.0.0" else ways:
        worker = DealerLink(Address(way, port_of(router)).endpoint, b"0.1", key)
        worker.send(way.encode())
        assert router.receive() == (b"0.1", way.encode())
        worker.close()
    router.close()
    assert parse_address(str(Address(host, port_of(router))), "", to_listen=True).host == host


@pytest.mark.parametrize("host", ["*", "0.0.0.0", "::"])
def test_without_a_key_nobody_listens_where_others_could_come(host: str) -> None:
    with pytest.raises(LinkError, match="without a key nobody listens there"):
        RouterLink("", Address(host, 0))


def test_an_address_that_cannot_be_had_is_said_so(socket_file: str) -> None:
    with pytest.raises(LinkError, match="cannot listen on ipc:///nowhere/link"):
        RouterLink("ipc:///nowhere/link")
    with pytest.raises(LinkError, match=r"cannot listen on 192\.0\.2\.1:5557: Cannot assign requested address"):
        RouterLink("", Address("192.0.2.1", 5557), new_key())
    router = RouterLink("", LOOPBACK)
    with pytest.raises(LinkError, match=f"cannot listen on 127.0.0.1:{port_of(router)}: Address already in use"):
        RouterLink(socket_file, Address("127.0.0.1", port_of(router)))
    router.close()


def wait_for(true: Callable[[], object]) -> None:
    with gevent.Timeout(10):
        while not true():
            gevent.sleep(0.005)


OURS = new_key()


@pytest.mark.parametrize(
    ("controllers", "workers", "trouble"),
    [
        (OURS, None, "wants a key, or is no controller of swell's"),
        (None, OURS, "has another key, or none, or is no controller of swell's"),
        (OURS, new_key(), "has another key, or none, or is no controller of swell's"),
    ],
    ids=["no key", "needless key", "another key"],
)
def test_a_worker_that_is_turned_away_knows_why(
    controllers: ClusterKey | None, workers: ClusterKey | None, trouble: str
) -> None:
    router = RouterLink("", LOOPBACK, controllers)
    worker = DealerLink(endpoint_of(router), b"0.1", workers)
    worker.send(b"let me in")
    wait_for(lambda: worker.trouble)
    assert worker.trouble == trouble
    worker.close()
    router.close()


def test_a_worker_knows_when_nobody_is_there_and_when_somebody_is_again() -> None:
    router = RouterLink("", LOOPBACK, OURS)
    endpoint, address = endpoint_of(router), router.listens_on
    router.close()
    worker = DealerLink(endpoint, b"0.1", OURS)
    wait_for(lambda: worker.trouble)
    assert worker.trouble == "does not answer"
    router = RouterLink("", address, OURS)
    worker.send(b"there you are")
    assert router.receive() == (b"0.1", b"there you are")
    wait_for(lambda: not worker.trouble)
    router.close()
    wait_for(lambda: worker.trouble)
    assert worker.trouble == "has hung up"
    worker.close()


def test_what_is_fresh_or_nothing_does_not_wait_for_a_connection() -> None:
    worker = DealerLink("tcp://127.0.0.1:9", b"0.1~", OURS, fresh=True)
    assert not worker.send(b"a pulse")
    assert worker.dropped == 1
    worker.close()
    patient = DealerLink("tcp://127.0.0.1:9", b"0.1", OURS)
    assert patient.send(b"a report")
    patient.close()


def test_the_times_of_a_connection_are_parts_of_the_lease() -> None:
    usual, short = Timing(), Timing(lease_s=3.0)
    assert (usual.ask_ms, usual.answer_ms, usual.connect_ms) == (2_250, 9_000, 3_000)
    assert (short.ask_ms, short.answer_ms, short.connect_ms) == (450, 1_800, 600)
    assert usual.ask_ms + usual.answer_ms + usual.connect_ms < 15_000
