"""A controller whose workers are played: swell's own, with its store and its thresholds, but nobody to look at it.

    python bench/scale_controller.py WORKERS SECONDS FOLDER

It writes where it listens to `endpoint` in the folder. At the end it leaves `controller.json` there: what it has
applied, and of whom. With `--profile` it leaves `controller.prof` too, for pstats.
"""

import argparse
import cProfile
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from struct import iter_unpack
from typing import Any

from rig import ROOT, raise_open_files

sys.path.insert(0, str(ROOT))

import swell
from swell.cli.observers import Observers
from swell.cli.threshold_watch import ThresholdWatch
from swell.cluster.address import Address
from swell.cluster.controller import Controller
from swell.cluster.controller_state import ControllerState
from swell.cluster.controller_steps import Cleared
from swell.cluster.key import ClusterKey
from swell.cluster.link import RouterLink
from swell.cluster.messages import Welcome
from swell.load_plan import Closed, Curve, Leg, Load
from swell.plan import RunPlan, Scenario
from swell.runtime.real_clock import RealClock
from swell.segment import Segment
from swell.stats import counts, packed
from swell.store.scribe import Scribe
from swell.store.writer import Heading, RunWriter

RUN, SCENARIO = "scale", "User"
KEY = ClusterKey(bytes(range(32)))
"""For loopback alone: what it costs does not depend on it."""
THRESHOLDS = ("p95 < 10s", "errors < 1%", "p99 < 10s over 10s")


class Nobody:
    """The `Launches`, `Audience` and `Recovery` of workers that are played elsewhere: it counts what it hears."""

    def __init__(self) -> None:
        self.heard: Counter[str] = Counter()
        self.lost_because: list[str] = []
        self.observers: Observers | None = None

    def launch(self, worker: int, incarnation: int) -> None:
        self.heard["launched"] += 1

    def kill(self, worker: int, incarnation: int) -> None:
        self.heard["killed"] += 1

    def begun(self, begin_ns: int) -> None:
        self.heard["begun"] += 1
        if self.observers:
            self.observers.begun()

    def spawned(self, users: int) -> None: ...

    def joined(self, worker: int, incarnation: int) -> None:
        self.heard["joined"] += 1

    def lost(self, worker: int, incarnation: int, because: str) -> None:
        self.heard["lost"] += 1
        self.lost_because.append(f"{worker}.{incarnation} {because}")

    def ending(self) -> None: ...

    def note(self, text: str) -> None:
        print(text, file=sys.stderr)

    def show(self, worker: int, lines: tuple[str, ...], error: bool) -> None: ...

    def deliver(self, worker: int, data: bytes) -> None: ...

    def recover(self, worker: int, incarnation: int, begin_ns: int, applied: Segment | None) -> tuple[Segment, ...]:
        return ()


def a_plan(workers: int, seconds: float) -> RunPlan:
    users = Load(model=Closed(Curve((Leg(1.0, 0, workers),), endless=True)), scenarios=(SCENARIO,))
    return RunPlan(
        script="scale.py",
        scenarios=(Scenario(SCENARIO),),
        host="http://127.0.0.1",
        loads=(users,),
        workers=workers,
        run_time_s=seconds,
        thresholds=THRESHOLDS,
    )


def conduct(options: argparse.Namespace, profile: cProfile.Profile | None) -> dict[str, Any]:
    plan, nobody = a_plan(options.workers, options.seconds), Nobody()
    link = RouterLink(listen=Address("127.0.0.1", 0), key=KEY if options.curve else None)
    assert link.listens_on is not None
    (options.folder / "endpoint").write_text(link.listens_on.endpoint)
    scribe = Scribe(RunWriter(options.folder / "runs.db", Heading(run=RUN, swell=swell.__version__)), nobody.note)
    state = ControllerState(RUN, plan, Welcome(plan))
    controller = Controller(state, link, nobody, RealClock(), nobody, nobody.recover, (), scribe)
    scribe.attend(controller)
    thresholds = ThresholdWatch(plan, None)
    thresholds.attend(controller)
    nobody.observers = Observers([thresholds], nobody.note)
    controller.tell(Cleared())
    with nobody.observers.watching(controller):
        if profile:
            profile.enable()
        over = controller.run()
        if profile:
            profile.disable()
    found = findings(controller, nobody)
    scribe.close()
    link.close()
    return {"failure": over.failure, **found}


def findings(controller: Controller, nobody: Nobody) -> dict[str, Any]:
    result = controller.merge.snapshot()
    whole = packed.unpack(result.whole)
    return {
        "heard": nobody.heard,
        "lost_because": nobody.lost_because[:20],
        "duration_s": result.duration_s,
        "requests": counts.requests(whole),
        "durations": int(whole.hist.rows[0].sum()),
        "applied": {one.worker: applied_of(controller, one.worker) for one in result.workers},
        "calls_per_s": sorted({calls for one in result.workers for _, calls in pairs(one.calls_per_s)}),
        "seconds": sorted({len(one.calls_per_s) // 16 for one in result.workers}),
        "calls_missing": sum(one.calls_missing for one in result.workers),
        "reports_missing": sum(one.reports_missing for one in result.workers),
        "refused": {kind.value: count for kind, count in controller.state.reception.refused.by_kind.items()},
        "dropped": controller.lanes.dropped,
        "most_backlog_bytes": controller.lanes.most_backlog_bytes,
    }


def applied_of(controller: Controller, worker: int) -> int:
    return controller.state.members.present[worker].applied


def pairs(calls_per_s: bytes) -> Iterator[tuple[int, int]]:
    yield from iter_unpack("=QQ", calls_per_s)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workers", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--curve", action="store_true", help="encrypt and authenticate, as between machines")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    raise_open_files()
    profile = cProfile.Profile() if options.profile else None
    found = conduct(options, profile)
    (options.folder / "controller.json").write_text(json.dumps(found))
    if profile:
        profile.dump_stats(options.folder / "controller.prof")
    return 0


if __name__ == "__main__":
    sys.exit(main())
