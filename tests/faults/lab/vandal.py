"""A peer that has the key and sends what it should not.

    python -m tests.faults.lab.vandal ENDPOINT KEY IDENTITY

It sends every wrong frame of `tests/cluster/hostile_frames.py` so, waits until they have left, and ends.
"""

from __future__ import annotations

import sys
from pathlib import Path

import zmq

from swell.cluster.key import read_key
from swell.cluster.sockets import as_client
from tests.cluster.hostile_frames import FRAMES, SEVERAL_PARTS

LEAVE_WITHIN_MS = 10_000


def main() -> None:
    endpoint, key, identity = sys.argv[1:]
    with zmq.Context() as context, context.socket(zmq.DEALER) as peer:
        as_client(peer, read_key(Path(key)))
        peer.setsockopt(zmq.IDENTITY, identity.encode())
        peer.setsockopt(zmq.LINGER, LEAVE_WITHIN_MS)
        peer.connect(endpoint)
        for _, wrong, _ in FRAMES.values():
            peer.send(wrong)
        peer.send_multipart(SEVERAL_PARTS)
    print("done")


if __name__ == "__main__":
    main()
