"""How a worker seals its reports: each after the one before, and none after the last."""

from __future__ import annotations

from pathlib import Path

import gevent
from gevent.event import Event

from swell.cluster.memory_link import MemoryLink
from swell.cluster.messages import FromWorker, Hello
from swell.cluster.spool import Spool, read_spool
from swell.cluster.worker import Worker
from swell.cluster.worker_state import WorkerState
from swell.cluster.workshop import RingWorkshop
from swell.runtime.real_clock import RealClock
from swell.segment import Segment


class SlowWorkshop(RingWorkshop):
    """One that cannot fold yet, as all can not in their first moments."""

    def __init__(self) -> None:
        self.can_fold = Event()
        self._sealed = 0

    def report(self) -> FromWorker | None:
        return None

    def seal(self, *, final: bool) -> Segment:
        self.can_fold.wait()
        self._sealed += 1
        return Segment("run", 0, 1, self._sealed, 0, 0, float(self._sealed), final=final)


def test_no_report_comes_after_the_last_where_that_has_to_wait(tmp_path: Path) -> None:
    link, workshop = MemoryLink(), SlowWorkshop()
    links = [link.connect(name) for name in (b"0.1", b"0.1~")]
    worker = Worker(WorkerState(Hello("run", 0, 1, "here", 1)), *links, RealClock(), workshop, Spool(tmp_path))
    sealing = [gevent.spawn(worker._seal, final=final) for final in (True, False)]
    gevent.sleep(0)
    workshop.can_fold.set()
    gevent.joinall(sealing, raise_error=True)
    assert [segment.final for segment in read_spool(tmp_path)] == [True]
