"""Workers of which one can do a fraction of what the other can: each gets the load that it can carry.

A task uses CPU, of which each worker gets so much by a quota: it is known what they can carry together. Each test is
made a second time by a controller that takes all workers to be alike, which shows what the deal is worth, and that
the check can fail.
"""

from __future__ import annotations

import collections
import contextlib
import statistics
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.e2e.command import Ended, SwellRun
from tests.faults.lab.cluster import Cluster, cluster
from tests.faults.lab.quotas import CpuGroup, cpu_group
from tests.faults.lab.scale import Scale

pytestmark = [pytest.mark.timing, pytest.mark.timeout(90)]
Figures = Callable[..., None]

TASK_S = 0.002
CALL_S = 0.000_15
"""What a call uses, beside the task's own work."""
OWN_CORES = 0.02
"""What a worker uses of a core without any user."""
LEASE_S = 15.0
"""As it is by default: a worker that has more to do than it can carry answers late."""
BEGUN_S = 3
"""By then a deal that was not quite right is mended."""
ALIKE = """
    # Runs the swell that follows, whose controller takes all workers to be alike, whatever they say.
    import runpy
    import sys

    from swell.cluster.balance_state import Balance
    from swell.cluster.gathering_state import Measuring

    Measuring.asks = lambda self, member, now_ns: None
    Measuring.is_through = lambda self, member, now_ns: True
    Balance.wanted = lambda self, now_ns: None
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
    """


def calculating(rate_per_s: float, hold_s: float) -> str:
    """Users who calculate for a while, by the clock of their CPU time, and call."""
    return f"""
        import time
        from swell import HttpUser, arrivals, hold, jump, task

        class Calculator(HttpUser):
            load = arrivals(jump({rate_per_s:.2f}), hold("{hold_s:g}s"), users=20, max_users=200)

            @task
            def calculate(self):
                until_s = time.thread_time() + {TASK_S}
                while time.thread_time() < until_s:
                    pass
                self.client.get(f"/ok?user={{self._seat.number}}", name="/ok")
        """


def carried_per_s(*cores: float) -> float:
    """What workers with so much CPU carry together."""
    return sum((one - OWN_CORES) / (TASK_S + CALL_S) for one in cores)


class Pair:
    """Two machines with one worker each, in a group of its own, and the target."""

    def __init__(self, lab: Cluster, groups: Sequence[CpuGroup], prefix: Sequence[str]) -> None:
        self.lab = lab
        self.groups = groups
        self._prefix = prefix

    def begin(self, script: str) -> SwellRun:
        """The run, from its first request on."""
        run = self.lab.run(script, "--no-store", expect=2, lease_s=LEASE_S, prefix=self._prefix)
        for machine, group in enumerate(self.groups):
            self.lab.join(machine, prefix=group.prefix)
        run.wait_until(self.lab.target.log, "the first request", 60)
        return run

    def per_second(self) -> list[int]:
        """Requests that the target has seen in each whole second."""
        seen = self.lab.seen()
        counts = collections.Counter(int(one.at_s - seen[0].at_s) for one in seen)
        return [counts[second] for second in range(max(counts))]


@contextlib.contextmanager
def pair(folder: Path, scale: Scale, *cores: float, alike: bool) -> Iterator[Pair]:
    """With so much CPU each, and a controller that minds, or does not."""
    folder.mkdir()
    wrapper = folder / "alike.py"
    wrapper.write_text(textwrap.dedent(ALIKE))
    with contextlib.ExitStack() as stack:
        groups = [stack.enter_context(cpu_group(str(number), one)) for number, one in enumerate(cores)]
        lab = stack.enter_context(cluster(folder, scale, machines=len(cores)))
        yield Pair(lab, groups, (sys.executable, str(wrapper)) if alike else ())


@pytest.mark.row("two workers, one at 10 % of a core")
def test_what_is_dealt_by_capacity_is_carried_where_even_shares_reach_two_thirds_of_it(
    tmp_path: Path, scale: Scale, figures: Figures
) -> None:
    run_s, cores = 12.0, (0.1, 0.7)
    planned_per_s = 0.9 * carried_per_s(*cores)
    ended: dict[bool, Ended] = {}
    reached_per_s: dict[bool, float] = {}
    for alike in (False, True):
        with pair(tmp_path / f"alike-{alike}", scale, *cores, alike=alike) as workers:
            ended[alike] = workers.begin(calculating(planned_per_s, run_s)).finish()
            reached_per_s[alike] = statistics.fmean(workers.per_second()[BEGUN_S:])
    figures(planned_per_s=planned_per_s, by_capacity_per_s=reached_per_s[False], evenly_per_s=reached_per_s[True])
    assert reached_per_s[False] > 0.95 * planned_per_s
    assert "load_not_reached" not in ended[False].reasons
    assert reached_per_s[False] > 1.5 * reached_per_s[True]
    assert "load_not_reached" in ended[True].reasons


@pytest.mark.parametrize("alike", [False, True], ids=["by capacity", "evenly"])
@pytest.mark.row("a worker's quota is cut in mid-run")
def test_a_worker_whose_quota_is_cut_hands_over_what_it_cannot_carry(
    tmp_path: Path, scale: Scale, alike: bool, figures: Figures
) -> None:
    run_s, cut_s, back_within_s, cores = 24.0, 5.0, 10.0, 0.4
    planned_per_s = 0.7 * carried_per_s(0.1, cores)
    with pair(tmp_path / "pair", scale, cores, cores, alike=alike) as workers:
        run = workers.begin(calculating(planned_per_s, run_s))
        workers.lab.pass_time(cut_s)
        workers.groups[0].limit(0.1)
        ended = run.finish()
        per_second = workers.per_second()
    before_per_s = statistics.fmean(per_second[1 : int(cut_s)])
    after_per_s = statistics.fmean(per_second[int(cut_s + back_within_s) : int(run_s)])
    figures(planned_per_s=planned_per_s, before_per_s=before_per_s, after_per_s=after_per_s)
    assert before_per_s > 0.95 * planned_per_s
    if alike:
        assert after_per_s < 0.85 * planned_per_s
    else:
        assert after_per_s > 0.95 * planned_per_s
        assert "worker 0 cannot carry its share" in ended.stderr or "worker 1 cannot carry its share" in ended.stderr
