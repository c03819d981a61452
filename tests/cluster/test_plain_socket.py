"""Sending and taking without zmq.green: nothing that comes meanwhile may be overlooked."""

from collections.abc import Iterator

import gevent
import pytest
import zmq
import zmq.green

from swell.cluster.plain_socket import PlainSocket

ROUNDS = 2_000


@pytest.fixture
def ends() -> Iterator[tuple[zmq.green.Socket, zmq.green.Socket]]:
    with zmq.green.Context() as context, context.socket(zmq.ROUTER) as router, context.socket(zmq.DEALER) as dealer:
        for socket in (router, dealer):
            socket.set(zmq.LINGER, 0)
        dealer.set(zmq.IDENTITY, b"0.1")
        dealer.connect(f"tcp://127.0.0.1:{router.bind_to_random_port('tcp://127.0.0.1')}")
        yield router, dealer


def test_whoever_waits_hears_what_comes_while_others_send(ends: tuple[zmq.green.Socket, zmq.green.Socket]) -> None:
    """zmq.green would find out by itself after 11 s."""
    router, dealer = ends
    plain = PlainSocket(router)
    dealer.send(b"hello")
    with gevent.Timeout(10):
        assert router.recv_multipart() == [b"0.1", b"hello"]
        for number in range(ROUNDS):
            waiting = gevent.spawn(router.recv_multipart)
            gevent.sleep(0)
            dealer.send(b"%d" % number)
            while not waiting.dead:
                assert plain.send((b"0.1", b"go on"))
                gevent.sleep(0)
            assert waiting.get() == [b"0.1", b"%d" % number]
            while dealer.poll(0):
                assert dealer.recv() == b"go on"


def test_it_takes_what_is_there_and_no_more(ends: tuple[zmq.green.Socket, zmq.green.Socket]) -> None:
    router, dealer = ends
    plain = PlainSocket(router)
    assert plain.receive() is None
    dealer.send_multipart([b"a", b"", b"b"])
    dealer.send(b"c")
    assert router.poll(5_000)
    found = []
    while len(found) < 2:
        if (parts := plain.receive()) is not None:
            found.append(parts)
        gevent.sleep(0)
    assert found == [[b"0.1", b"a", b"", b"b"], [b"0.1", b"c"]]
    assert plain.receive() is None


def test_a_frame_to_nobody_and_all_after_the_end_are_dropped(ends: tuple[zmq.green.Socket, zmq.green.Socket]) -> None:
    router, _ = ends
    router.set(zmq.ROUTER_MANDATORY, 1)
    plain = PlainSocket(router)
    assert not plain.send((b"9.9", b"anyone there?"))
    router.close()
    gevent.sleep(0)
    assert not plain.send((b"0.1", b"too late"))
    assert plain.receive() is None
