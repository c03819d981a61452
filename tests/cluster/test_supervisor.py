"""A supervisor at work: frames, files and ends of processes; only the processes themselves are played."""

from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from swell.cluster.archive import ArchivedFile, pack
from swell.cluster.fetch_state import Archive
from swell.cluster.launcher import Ended as OnEnd
from swell.cluster.memory_link import MemoryLink
from swell.cluster.messages import (
    Duty,
    Enlist,
    Fetch,
    FromWorker,
    Muster,
    Post,
    Remains,
    decode_from_worker,
    encode,
)
from swell.cluster.spool import Spool
from swell.cluster.supervisor import REMAINS_BYTES, Supervisor, parts_of
from swell.cluster.supervisor_state import SupervisorState
from swell.cluster.supervisor_steps import Exit, LeaveWanted, Recover
from swell.cluster.workplace import Workplace
from swell.errors import RunFailed
from swell.runtime.real_clock import RealClock
from swell.segment import Segment

ENLIST = Enlist("m1", "loadgen-7", 2, 4711, version="0.1.0")
WAIT_S = 5.0


class Processes:
    """Plays the launcher."""

    def __init__(self) -> None:
        self.running: list[tuple[int, int]] = []
        self.asked: list[tuple[int, int]] = []
        self.fault = ""
        self._on_end: OnEnd | None = None

    def attend(self, on_end: OnEnd) -> None:
        self._on_end = on_end

    def launch(self, worker: int, incarnation: int) -> None:
        if self.fault:
            raise RunFailed(self.fault)
        self.running.append((worker, incarnation))

    def terminate(self, worker: int, incarnation: int) -> None:
        self.asked.append((worker, incarnation))

    def kill(self, worker: int, incarnation: int) -> None:
        self.end(worker, incarnation, "was killed by signal 9")

    def kill_all(self) -> None:
        for name in list(self.running):
            self.kill(*name)

    def wait_ended(self, timeout_s: float) -> bool:
        return not self.running

    def end(self, worker: int, incarnation: int, because: str) -> None:
        self.running.remove((worker, incarnation))
        assert self._on_end is not None
        self._on_end(worker, incarnation, because, "")


class Scene:
    """A supervisor, and the controller's end of its link."""

    def __init__(self, folder: Path) -> None:
        (folder / "shop.py").write_text("print('hello')\n")
        self.archive: Archive = pack([ArchivedFile("shop.py", folder / "shop.py")], "shop.py")
        self.script_folder = folder / "script"
        (folder / "place").mkdir()
        self.workplace = Workplace(folder / "place")
        self.processes = Processes()
        self.link = MemoryLink()
        self.said: list[str] = []
        clock = RealClock()
        state = SupervisorState(ENLIST, "10.0.0.7:5557", 60.0, clock.now_ns())
        self.supervisor = Supervisor(
            state,
            self.link.connect(b"m1"),
            self.processes,
            self.workplace,
            self.script_folder,
            clock,
            self.said.append,
        )
        self.running = gevent.spawn(self.supervisor.run)

    def hear(self) -> FromWorker:
        """The next that it says."""
        with gevent.Timeout(WAIT_S):
            received = self.link.receive()
        assert received is not None
        return decode_from_worker(received[1])

    def hear_enlist(self, *, ended: int = 0) -> Enlist:
        """The next time that it says how it stands, with so many ended."""
        while True:
            said = self.hear()
            if isinstance(said, Enlist) and len(said.ended) == ended:
                return said

    def hear_remains(self) -> Remains:
        while not isinstance(said := self.hear(), Remains):
            pass
        return said

    def muster(self, number: int, *posts: Post, over: bool = False) -> None:
        archive = self.archive
        muster = Muster(
            number, 1, "run-1", archive.sha256, len(archive.content), archive.script, "0.1.0", posts, over=over
        )
        self.link.send(b"m1", encode(muster))

    def hand_out(self, *posts: Post) -> None:
        """The first muster, and what it asks for then."""
        self.muster(1, *posts)
        while not isinstance(said := self.hear(), Fetch):
            pass
        part = self.archive.part(said)
        assert part is not None
        self.link.send(b"m1", encode(part))
        self.wait(lambda: len(self.processes.running) == len(posts))

    def wait(self, condition: object) -> None:
        assert callable(condition)
        with gevent.Timeout(WAIT_S):
            while not condition():
                gevent.sleep(0.001)

    def exit(self) -> Exit:
        ended: Exit = self.running.get(timeout=WAIT_S)
        return ended


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    played = Scene(tmp_path)
    yield played
    played.running.kill()
    played.workplace.remove()


def segment(sequence: int, *, records: bytes = b"", final: bool = False) -> Segment:
    return Segment("run-1", 0, 1, sequence, sequence - 1, sequence, 1.0, records=records, final=final)


def test_it_fetches_the_script_and_starts_who_is_posted(scene: Scene) -> None:
    scene.hand_out(Post(0, 1), Post(1, 1))
    assert scene.processes.running == [(0, 1), (1, 1)]
    assert (scene.script_folder / "shop.py").read_text() == "print('hello')\n"
    assert scene.said == ["joined run run-1 at 10.0.0.7:5557 with 2 workers"]


def test_what_a_dead_worker_had_spooled_is_sent_and_its_files_are_removed_in_the_end(scene: Scene) -> None:
    scene.hand_out(Post(0, 1))
    directory = scene.workplace.worker(0, 1)
    spool = Spool(directory)
    for sequence in (1, 2, 3):
        spool.append(segment(sequence, final=sequence == 3))
    scene.processes.end(0, 1, "was killed by signal 9")
    (end,) = scene.hear_enlist(ended=1).ended
    assert end.because == "was killed by signal 9"
    scene.muster(2, Post(0, 1, Duty.RECOVER, applied=1, to_position=1))
    remains = scene.hear_remains()
    assert ([each.sequence for each in remains.segments], remains.last) == ([2, 3], 3)
    scene.muster(3)
    scene.wait(lambda: not directory.exists())


def test_what_a_worker_left_that_cannot_be_read_is_nothing(scene: Scene) -> None:
    scene.hand_out(Post(0, 1))
    (scene.workplace.worker(0, 1) / "spool").write_bytes(b"garbage" * 100)
    (scene.workplace.worker(0, 1) / "ring").write_bytes(b"garbage" * 100)
    scene.processes.end(0, 1, "was killed by signal 9")
    scene.muster(2, Post(0, 1, Duty.RECOVER, applied=4, to_position=9))
    assert scene.hear_remains() == Remains(0, 1, (), 4)


def test_a_process_that_cannot_be_started_is_told_as_one_that_has_ended(scene: Scene) -> None:
    scene.processes.fault = "cannot start a worker process: Resource temporarily unavailable"
    scene.hand_out()
    scene.muster(2, Post(0, 1))
    (end,) = scene.hear_enlist(ended=1).ended
    assert end.because == "was not started: cannot start a worker process: Resource temporarily unavailable"


def test_it_ends_when_the_run_is_over(scene: Scene) -> None:
    scene.hand_out(Post(0, 1))
    scene.muster(2, over=True)
    scene.processes.end(0, 1, "ended with exit code 0")
    assert scene.exit() == Exit(0, "run run-1 is over: 1 worker ran here")


def test_it_asks_its_workers_to_leave(scene: Scene) -> None:
    scene.hand_out(Post(0, 1))
    scene.supervisor.tell(LeaveWanted())
    scene.wait(lambda: scene.processes.asked == [(0, 1)])


def test_when_it_is_ended_at_once_the_controller_has_all_that_it_needs(scene: Scene) -> None:
    scene.hand_out(Post(0, 1))
    Spool(scene.workplace.worker(0, 1)).append(segment(1))
    scene.running.kill()
    scene.supervisor.abandon(1.0)
    said = scene.hear_enlist(ended=1)
    assert said.leaving
    assert [end.because for end in said.ended] == ["was killed by signal 9"]
    assert scene.hear_remains() == Remains(0, 1, (segment(1),), 1)


def test_frames_that_are_no_message_are_counted(scene: Scene) -> None:
    scene.link.send(b"m1", b"\xc1garbage")
    scene.wait(lambda: scene.supervisor.garbled == 1)
    scene.hear_enlist()


def test_what_is_too_long_for_one_message_goes_in_several() -> None:
    long = b"x" * (REMAINS_BYTES // 2 + 1)
    segments = [segment(number, records=long) for number in (4, 5, 6)]
    parts = list(parts_of(Recover(0, 1, 3, 9), segments))
    assert [[each.sequence for each in part.segments] for part in parts] == [[4], [5], [6]]
    assert {part.last for part in parts} == {6}
