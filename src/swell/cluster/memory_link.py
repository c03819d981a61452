"""A link within one process, for tests and for use as a library: the same frames, no socket."""

from __future__ import annotations

from gevent.queue import SimpleQueue

from swell.result import LinkFacts

Sent = tuple[bytes, bytes]


class MemoryLink:
    """The controller's end; `connect` gives out workers' ends."""

    def __init__(self) -> None:
        self._inbox: SimpleQueue[Sent | None] = SimpleQueue()
        self._workers: dict[bytes, MemoryWorkerLink] = {}

    def __repr__(self) -> str:
        return f"<MemoryLink to {len(self._workers)} workers>"

    def connect(self, identity: bytes) -> MemoryWorkerLink:
        """A worker's end."""
        worker = self._workers[identity] = MemoryWorkerLink(identity, self._inbox)
        return worker

    def receive(self) -> Sent | None:
        received: Sent | None = self._inbox.get()
        if received is None:
            self.close()  # whoever asks again is told again
        return received

    def receive_some(self, limit: int) -> list[Sent] | None:
        received: list[Sent] = []
        while len(received) < limit and (not received or not self._inbox.empty()):
            if (sent := self.receive()) is None:
                return received or None
            received.append(sent)
        return received

    def send(self, to: bytes, frame: bytes) -> bool:
        worker = self._workers.get(to)
        if worker is None:
            return False
        worker.deliver(frame)
        return True

    def facts(self) -> LinkFacts:
        return LinkFacts()

    def close(self) -> None:
        self._inbox.put(None)


class MemoryWorkerLink:
    """A worker's end."""

    def __init__(self, identity: bytes, controller: SimpleQueue[Sent | None]) -> None:
        self._identity = identity
        self._controller = controller
        self._inbox: SimpleQueue[bytes | None] = SimpleQueue()

    def __repr__(self) -> str:
        return f"<MemoryWorkerLink of {self._identity.decode(errors='replace')}>"

    def deliver(self, frame: bytes) -> None:
        """Let the worker receive a frame."""
        self._inbox.put(frame)

    def receive(self) -> bytes | None:
        received: bytes | None = self._inbox.get()
        if received is None:
            self.close()
        return received

    def send(self, frame: bytes) -> bool:
        self._controller.put((self._identity, frame))
        return True

    def close(self) -> None:
        self._inbox.put(None)
