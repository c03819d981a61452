"""Whatever a peer with the key says, in the right types: the controller's state, the merge of its run, the journal and
the document survive it."""

from __future__ import annotations

import datetime
import random
import typing

import msgspec
import pytest

from swell.cluster.controller_state import ControllerState
from swell.cluster.controller_steps import Apply, Cleared, Command, Heard, Send, Started, Ticked
from swell.cluster.course_state import Phase
from swell.cluster.messages import FromWorker, Hello, Pulse, Refused, Welcome, WorkerPhase, decode_from_worker, encode
from swell.errors import LinkError
from swell.report.json_document import to_json
from swell.segment import Segment
from swell.stats.merge import RunMerge
from swell.stats.summary import summarise
from tests.cluster.extreme_messages import Maker
from tests.cluster.simulated import RUN, plan_of

ROUNDS, MESSAGES = 15, 80
SENDERS = (b"0.1", b"1.1", b"0.1~", b"nobody")
STEP_NS = 50_000_000


class Survivor:
    """A run that takes everything in; workers 0 and 1 are in it."""

    def __init__(self) -> None:
        plan = plan_of(users=4, workers=2, run_time_s=600.0)
        self.state = ControllerState(RUN, plan, Welcome(plan))
        self.merge = RunMerge(RUN, plan, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
        self.applied = self.refused = 0
        self._now_ns = 0
        for event in (Started(), Cleared()):
            self._do(self.state.handle(event, 0))
        for worker in (0, 1):
            self.hear(b"%d.1" % worker, Hello(RUN, worker, 1, "here", 1))
            self.hear(b"%d.1" % worker, Pulse(WorkerPhase.READY, 0, 0, sent_ns=1))
        assert self.state.phase is Phase.RUNNING

    def hear(self, sender: bytes, message: FromWorker) -> None:
        self._now_ns += STEP_NS
        try:
            said = decode_from_worker(encode(message))
        except Refused:
            self.refused += 1
            return
        self._do(self.state.handle(Heard(sender, said), self._now_ns))
        self._do(self.state.handle(Ticked(), self._now_ns))
        self.state.check()

    def _do(self, commands: list[Command]) -> None:
        for command in commands:
            if isinstance(command, Send):
                encode(command.message)
            elif isinstance(command, Apply):
                try:
                    self.applied += self.merge.apply(command.segment)
                except LinkError:
                    self.refused += 1

    def next_report(self, segment: Segment, worker: int) -> Segment:
        """What was made, as the next report of a worker: or hardly any would get as far as the merge."""
        applied = self.state.members.present[worker].applied
        return msgspec.structs.replace(
            segment,
            run=RUN,
            worker=worker,
            incarnation=1,
            sequence=applied + 1,
            from_position=0,
            records=b"",
            final=False,
        )

    def read(self) -> None:
        result = self.merge.snapshot()
        assert RunMerge.restore(self.merge.journal()).snapshot() == result
        to_json(summarise(result))


@pytest.mark.parametrize("seed", range(3))
def test_no_message_that_can_be_decoded_breaks_what_takes_it_in(seed: int) -> None:
    chance = random.Random(seed)
    maker = Maker(chance)
    kinds = typing.get_args(FromWorker)
    applied = refused = 0
    for _ in range(ROUNDS):
        run = Survivor()
        for _ in range(MESSAGES):
            message = maker.make(chance.choice([*kinds, Segment, Segment, Segment, Pulse, Pulse]))
            sender = chance.choice(SENDERS)
            if isinstance(message, Segment):
                worker = chance.choice([0, 1])
                message, sender = run.next_report(message, worker), b"%d.1" % worker
            run.hear(sender, message)
        run.read()
        applied, refused = applied + run.applied, refused + run.refused
    assert applied > 20
    assert refused > 100
