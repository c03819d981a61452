"""What a listening controller does about those who are none of its own: refused, counted, and nobody else notices."""

import random
from collections.abc import Iterator

import gevent
import pytest
import zmq.green
from gevent import socket

from swell.cluster import sockets
from swell.cluster.address import Address
from swell.cluster.connections import Connections
from swell.cluster.doorkeeper import Doorkeeper
from swell.cluster.key import ClusterKey, new_key
from swell.cluster.link import DealerLink, RouterLink
from swell.cluster.sockets import as_client
from swell.result import LinkCounts, Refusal
from tests.cluster import zmtp
from tests.cluster.test_link import LOOPBACK, endpoint_of, port_of, wait_for

OURS, THEIRS = new_key(), new_key()


class Hall:
    """A controller's end with a member in it, and whoever else comes."""

    def __init__(self, key: ClusterKey | None) -> None:
        self.noticed: list[str] = []
        self.router = RouterLink("", LOOPBACK, key, on_stranger=self.noticed.append)
        self.member = DealerLink(endpoint_of(self.router), b"0.1", key)
        self._said = 0
        self._come: list[socket.socket] = []
        self.check()

    @property
    def counts(self) -> LinkCounts:
        return self.router.counts()

    @property
    def strangers(self) -> int:
        return sum(count.count for count in self.counts.strangers)

    def come(self, *content: bytes) -> socket.socket:
        """A connection that sends this."""
        stranger = zmtp.connect(port_of(self.router))
        self._come.append(stranger)
        for piece in content:
            stranger.sendall(piece)
        return stranger

    def join(self, identity: bytes, *frames: bytes) -> socket.socket:
        """A connection that gets in, where no key is wanted, and sends this."""
        peer = self.come()
        zmtp.introduce(peer, identity)
        peer.sendall(b"".join(frames))
        return peer

    def check(self) -> None:
        """The member can still speak and be spoken to, and nothing else has been heard."""
        self._said += 1
        said = b"still here %d" % self._said
        assert self.member.send(said)
        with gevent.Timeout(10):
            assert self.router.receive() == (b"0.1", said)
            assert self.router.send(b"0.1", said)
            assert self.member.receive() == said

    def close(self) -> None:
        for stranger in self._come:
            stranger.close()
        self.member.close()
        self.router.close()


@pytest.fixture
def hall() -> Iterator[Hall]:
    opened = Hall(OURS)
    yield opened
    opened.close()


@pytest.fixture
def open_hall() -> Iterator[Hall]:
    """Without a key, as on loopback alone."""
    opened = Hall(None)
    yield opened
    opened.close()


@pytest.mark.parametrize("key", [None, THEIRS], ids=["no key", "another key"])
def test_a_stranger_is_refused_and_counted_and_the_run_is_untouched(hall: Hall, key: ClusterKey | None) -> None:
    stranger = DealerLink(endpoint_of(hall.router), b"1.1", key)
    stranger.send(b"let me in")
    wait_for(lambda: hall.strangers)
    hall.check()
    assert hall.counts.admitted == 1
    assert hall.noticed
    stranger.close()


def test_the_same_stranger_with_the_key_gets_in(hall: Hall) -> None:
    """So the test above can fail."""
    friend = DealerLink(endpoint_of(hall.router), b"1.1", OURS)
    friend.send(b"let me in")
    with gevent.Timeout(10):
        assert hall.router.receive() == (b"1.1", b"let me in")
    wait_for(lambda: hall.counts.admitted == 2)
    assert hall.strangers == 0
    friend.close()


def test_to_know_the_controllers_public_key_is_not_enough(hall: Hall) -> None:
    """Whoever has it can shake hands, and is then asked for a key of their own."""
    public, secret = zmq.curve_keypair()
    with zmq.green.Context() as context, context.socket(zmq.DEALER) as stranger:
        as_client(stranger, OURS)
        stranger.set(zmq.CURVE_PUBLICKEY, public)
        stranger.set(zmq.CURVE_SECRETKEY, secret)
        stranger.set(zmq.LINGER, 0)
        stranger.connect(endpoint_of(hall.router))
        stranger.send(b"let me in")
        wait_for(lambda: hall.strangers)
    hall.check()
    assert hall.counts.admitted == 1


def test_a_worker_does_not_talk_to_a_controller_that_has_another_key() -> None:
    heard = []
    false_controller = RouterLink("", LOOPBACK, THEIRS)
    listening = gevent.spawn(lambda: heard.append(false_controller.receive()))
    worker = DealerLink(endpoint_of(false_controller), b"0.1", OURS)
    worker.send(b"a secret")
    wait_for(lambda: worker.trouble)
    listening.kill()
    assert heard == []
    worker.close()
    false_controller.close()


class Relay:
    """A way to a port that notes what goes there, and can be cut, or go silent without anybody being told."""

    def __init__(self, port: int) -> None:
        self.recorded: list[bytes] = []
        self.silent = False
        self._port = port
        self._open: list[socket.socket] = []
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self._greenlets = [gevent.spawn(self._serve)]
        self.address = Address("127.0.0.1", self._listener.getsockname()[1])

    def _serve(self) -> None:
        while True:
            near, _ = self._listener.accept()
            far = zmtp.connect(self._port)
            far.settimeout(None)
            self._open += [near, far]
            self._greenlets += [gevent.spawn(self._pump, near, far, True), gevent.spawn(self._pump, far, near, False)]

    def _pump(self, source: socket.socket, sink: socket.socket, is_way_there: bool) -> None:
        try:
            while content := source.recv(65_536):
                if is_way_there:
                    self.recorded.append(content)
                if not self.silent:
                    sink.sendall(content)
        except OSError:
            pass
        if not self.silent:
            sink.close()

    def close(self) -> None:
        gevent.killall(self._greenlets)
        for connection in (*self._open, self._listener):
            connection.close()


def test_what_was_recorded_of_a_connection_is_of_no_use_again(hall: Hall) -> None:
    """Each connection has keys of its own, for once: neither this run nor a later one takes the same bytes again."""
    relay = Relay(port_of(hall.router))
    worker = DealerLink(relay.address.endpoint, b"1.1", OURS)
    worker.send(b"a report")
    with gevent.Timeout(10):
        assert hall.router.receive() == (b"1.1", b"a report")
    worker.close()
    relay.close()
    recorded = b"".join(relay.recorded)
    assert b"a report" not in recorded
    later = Hall(OURS)
    for place in (hall, later):
        before = place.strangers
        replay = place.come(recorded)
        assert zmtp.is_cut_off(replay)
        wait_for(lambda place=place, before=before: place.strangers > before)
        place.check()
    later.close()


def test_without_encryption_a_recording_is_taken_again(open_hall: Hall) -> None:
    """So the test above can fail."""
    open_hall.join(b"1.1", zmtp.frame(b"a report"))
    with gevent.Timeout(10):
        assert open_hall.router.receive() == (b"1.1", b"a report")


GARBAGE = {
    "http": b"GET / HTTP/1.1\r\nHost: controller\r\n\r\n",
    "tls": bytes.fromhex("16030100c8010000c40303") + b"\x5a" * 190,
    "zeros": b"\0" * 200,
    "ones": b"\xff" * 200,
    "zmtp 1.0": b"\x01\x00\x04\x00hello",
    "zmtp 2.0": zmtp.SIGNATURE + b"\x01\x05" + b"\x00\x00" + b"\x00\x05hello",
    "unencrypted": zmtp.dealer(b"1.1") + zmtp.frame(b"let me in"),
    "plain": zmtp.greeting(b"PLAIN") + zmtp.command(b"HELLO", b"\x05admin\x05admin"),
    "mechanism of its own": zmtp.greeting(b"TRUSTME") + zmtp.ready(b"1.1"),
    "as server": zmtp.greeting(b"CURVE", as_server=True) + zmtp.command(b"WELCOME", b"\0" * 160),
    "hello of garbage": zmtp.greeting(b"CURVE") + zmtp.command(b"HELLO", b"\x01\x00" + b"\x5a" * 192),
    "short hello": zmtp.greeting(b"CURVE") + zmtp.command(b"HELLO"),
    "initiate first": zmtp.greeting(b"CURVE") + zmtp.command(b"INITIATE", b"\0" * 300),
    "message first": zmtp.greeting(b"CURVE") + zmtp.command(b"MESSAGE", b"\0" * 40),
    "ready": zmtp.greeting(b"CURVE") + zmtp.ready(b"1.1"),
    "error": zmtp.greeting(b"CURVE") + zmtp.command(b"ERROR", b"\x03" + b"400"),
    "endless frame": zmtp.greeting(b"CURVE") + b"\x02" + b"\x7f" + b"\xff" * 7,
    "endless command": zmtp.greeting(b"CURVE") + b"\x06" + b"\xff" * 8,
    "reserved flags": zmtp.greeting(b"CURVE") + b"\xf8\x00",
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE.keys())
def test_whoever_speaks_something_else_is_cut_off(hall: Hall, content: bytes) -> None:
    whole, bytewise = hall.come(content), hall.come()
    for place in range(len(content)):
        try:
            bytewise.sendall(content[place : place + 1])
        except OSError:
            break
        if place % 16 == 0:
            gevent.sleep(0)
    hall.check()
    for connection in (whole, bytewise):
        assert zmtp.is_cut_off(connection, after_hanging_up=True)
        connection.close()
    hall.check()
    assert hall.counts.admitted == 1
    wait_for(lambda: hall.strangers == 2)


def test_nothing_that_is_sent_ends_the_listening(hall: Hall, open_hall: Hall) -> None:
    """Beginnings of what is right, with errors in it; cut, put together, and with the bytes of others in between."""
    chance = random.Random(7)
    pieces = [*GARBAGE.values(), zmtp.dealer(b"1.1"), zmtp.frame(b"a", zmtp.MORE), zmtp.frame(b"x" * 300), b""]
    for _ in range(150):
        content = bytearray(b"".join(chance.choices(pieces, k=chance.randint(1, 3))))
        for _ in range(chance.randint(0, 4)):
            place = chance.randint(0, len(content))
            content[place : place + chance.randint(0, 9)] = chance.randbytes(3)
        for place in (hall, open_hall):
            connection = place.come()
            try:
                connection.sendall(content[: chance.randrange(len(content) + 1)])
            except OSError:
                pass
            connection.close()
    hall.check()
    assert hall.counts.admitted == 1
    open_hall.member.send(b"last")
    with gevent.Timeout(10):
        while open_hall.router.receive() != (b"0.1", b"last"):
            pass


# --- peers that got in, and misbehave -------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [2, 3, 10_000])
def test_a_message_of_several_parts_is_refused_and_counted(hall: Hall, parts: int) -> None:
    with zmq.green.Context() as context, context.socket(zmq.DEALER) as peer:
        as_client(peer, OURS)
        peer.set(zmq.IDENTITY, b"1.1")
        peer.set(zmq.LINGER, 0)
        peer.connect(endpoint_of(hall.router))
        peer.send_multipart([b"x"] * parts)
        peer.send(b"one")
        with gevent.Timeout(10):
            assert hall.router.receive() == (b"1.1", b"one")
        peer.send_multipart([b"x"] * parts)
        peer.send(b"two")
        with gevent.Timeout(10):
            assert hall.router.receive_some(10) == [(b"1.1", b"two")]
    assert hall.router.refused == {(b"1.1", Refusal.PARTS): 2}
    hall.check()


def test_a_frame_over_the_limit_never_gets_into_memory(open_hall: Hall) -> None:
    """Its length is enough: the connection is cut off before anybody makes room."""
    peer = open_hall.join(b"1.1", zmtp.frame(b"hello"))
    with gevent.Timeout(10):
        assert open_hall.router.receive() == (b"1.1", b"hello")
    peer.sendall(b"\x02" + (64 << 30).to_bytes(8, "big") + b"x" * 1_000)
    assert zmtp.is_cut_off(peer)
    wait_for(lambda: open_hall.counts.ended == 1)
    open_hall.check()


def test_a_frame_as_long_as_may_be_gets_through(hall: Hall) -> None:
    longest = bytes(sockets.FRAME_BYTES_MAX)
    assert hall.member.send(longest)
    with gevent.Timeout(15):
        assert hall.router.receive() == (b"0.1", longest)
    assert not hall.member.send(longest + b"x")
    assert hall.member.dropped == 1
    hall.check()


def test_frames_for_somebody_who_does_not_read_are_dropped_and_counted(open_hall: Hall) -> None:
    idler = open_hall.join(b"1.1", zmtp.frame(b"hello"))
    with gevent.Timeout(10):
        assert open_hall.router.receive() == (b"1.1", b"hello")
    frame = bytes(10_000)
    sent = 0
    while sent < 20_000 and open_hall.router.send(b"1.1", frame):
        sent += 1
    assert sockets.QUEUE_FRAMES <= sent < 20_000
    assert open_hall.counts.dropped == 1
    open_hall.check()
    idler.close()


def test_senders_of_misshapen_messages_are_counted_up_to_a_limit(open_hall: Hall) -> None:
    for number in range(110):
        open_hall.join(b"x%d" % number, zmtp.frame(b"a", zmtp.MORE), zmtp.frame(b"b"), zmtp.frame(b"c"))
        with gevent.Timeout(10):
            assert open_hall.router.receive() == (b"x%d" % number, b"c")
    assert open_hall.router.refused.total() == 110
    assert open_hall.router.refused[b"(other)", Refusal.PARTS] == 10


# --- connections that stand about, and that are replaced -------------------------------------------------------------


def test_whoever_says_nothing_is_cut_off_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "HANDSHAKE_MS", 200)
    hall = Hall(OURS)
    silent = [hall.come(), hall.come(zmtp.SIGNATURE), hall.come(zmtp.greeting(b"CURVE"))]
    assert all(map(zmtp.is_cut_off, silent))
    wait_for(lambda: hall.strangers == 3)
    hall.check()
    hall.close()


def test_there_are_only_so_many_connections() -> None:
    """Who is there stays; who comes when there is no room goes."""
    with zmq.green.Context() as context, context.socket(zmq.ROUTER) as listening:
        listening.set(zmq.LINGER, 0)
        connections = Connections()
        doorkeeper = Doorkeeper(context, listening, None, connections)
        doorkeeper.most = 3
        port = listening.bind_to_random_port("tcp://127.0.0.1")
        first = zmtp.connect(port)
        zmtp.introduce(first, b"0.1")
        wait_for(lambda: connections.admitted == 1)
        standing = [zmtp.connect(port), zmtp.connect(port)]
        too_many = [zmtp.connect(port) for _ in range(20)]
        assert all(map(zmtp.is_cut_off, too_many))
        first.sendall(zmtp.frame(b"still here"))
        assert listening.recv_multipart() == [b"0.1", b"still here"]
        standing.pop().close()
        wait_for(lambda: len(connections._open) == 2)
        another = zmtp.connect(port)
        zmtp.introduce(another, b"1.1")
        wait_for(lambda: connections.admitted == 2)
        doorkeeper.close()
        for connection in (first, another, *standing, *too_many):
            connection.close()


def reconnecting(hall: Hall) -> tuple[socket.socket, socket.socket]:
    """A peer whose connection is believed alive, and that peer again, by the same name."""
    before = hall.join(b"1.1", zmtp.frame(b"before"))
    with gevent.Timeout(10):
        assert hall.router.receive() == (b"1.1", b"before")
    after = hall.join(b"1.1", zmtp.frame(b"after"))
    return before, after


def heard_of(hall: Hall) -> list[tuple[bytes, bytes]]:
    """What comes when the peer has got in again, until the member has spoken."""
    wait_for(lambda: hall.counts.admitted == 3)
    hall.member.send(b"end")
    heard = []
    with gevent.Timeout(10):
        while (received := hall.router.receive()) != (b"0.1", b"end"):
            assert received is not None
            heard.append(received)
    return heard


def test_a_worker_that_comes_back_takes_the_place_of_its_old_connection(open_hall: Hall) -> None:
    """The old one may look alive for long: nobody has told the controller that it is gone."""
    _before, after = reconnecting(open_hall)
    assert heard_of(open_hall) == [(b"1.1", b"after")]
    assert open_hall.router.send(b"1.1", b"to the new one")
    assert after.recv(100) == zmtp.frame(b"to the new one")


def test_without_handover_it_would_not_be_heard(open_hall: Hall) -> None:
    """So it is on: this is what happens otherwise."""
    open_hall.router._socket.setsockopt(zmq.ROUTER_HANDOVER, 0)
    reconnecting(open_hall)
    assert heard_of(open_hall) == []


def test_a_connection_on_which_nothing_comes_any_more_is_given_up_and_made_anew() -> None:
    """As where a partition swallows all packets: neither end is told."""
    short = sockets.Timing(lease_s=1.0)
    router = RouterLink("", LOOPBACK, OURS, short)
    relay = Relay(port_of(router))
    worker = DealerLink(relay.address.endpoint, b"0.1", OURS, short)
    worker.send(b"one")
    with gevent.Timeout(10):
        assert router.receive() == (b"0.1", b"one")
    relay.silent = True
    wait_for(lambda: router.counts().ended)
    wait_for(lambda: worker.trouble)
    relay.silent = False
    worker.send(b"two")
    with gevent.Timeout(10):
        assert router.receive() == (b"0.1", b"two")
    worker.close()
    relay.close()
    router.close()
