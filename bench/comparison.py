"""Whether `swell compare` may be believed: how often it finds a difference where there is none, and misses one.

    python bench/comparison.py [--pairs 200] [--seed 1] [--only WORD]

Pairs of runs are simulated. Of two runs of the same thing at most 5 % may get any verdict of difference, whatever the
runs are like; a p95 that is 10 % slower has to be found in at least 90 % with 10,000 independent calls on each side.
The cases without a limit show what else can be expected. Ends with 1 if a limit is missed.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys

import numpy as np
from simulated_runs import Target, simulated

from swell.stats.comparison.compare import compare
from swell.stats.comparison.document import Comparison, Finding, Thing

MOST_FALSE = 0.05
LEAST_FOUND = 0.90
DIFFERENCES = (Finding.FASTER, Finding.SLOWER)

SAME = {
    "independent calls, 100 s": Target(seconds=100),
    "independent calls, 10 s": Target(seconds=10, calls_per_s=1_000),
    "independent calls, 5 s": Target(seconds=5, calls_per_s=2_000),
    "independent calls, 3 s": Target(seconds=3, calls_per_s=3_000),
    "few calls, 60 s": Target(seconds=60, calls_per_s=3),
    "one call a second": Target(seconds=300, calls_per_s=1),
    "5 series": Target(series=5, calls_per_s=500),
    "20 series": Target(series=20, calls_per_s=600),
    "rounded to 5 ms": Target(seconds=100, rounded_ms=5),
    "all but constant": Target(sigma=0.001),
    "constant": Target(sigma=0.0, even=True),
    "1 % fail": Target(failing=0.01),
    "failures in waves": Target(seconds=120, failing=0.01, failing_wander=1.0, correlation=0.8),
    "wandering 0.5, 5 %": Target(correlation=0.5, wander=0.05),
    "wandering 0.5, 20 %": Target(correlation=0.5, wander=0.2),
    "wandering 0.8, 5 %": Target(correlation=0.8, wander=0.05),
    "wandering 0.8, 20 %": Target(correlation=0.8, wander=0.2),
    "wandering 0.9, 5 %": Target(correlation=0.9, wander=0.05),
    "wandering 0.9, 20 %": Target(correlation=0.9, wander=0.2),
    "wandering 0.9, 3 %, 1,000/s": Target(correlation=0.9, wander=0.03, calls_per_s=1_000),
    "wandering 0.9, 10 %, 120 s": Target(seconds=120, correlation=0.9, wander=0.1),
    "wandering 0.9, 10 %, 5 series": Target(seconds=120, correlation=0.9, wander=0.1, series=5, calls_per_s=500),
    "wandering 0.9, 2 %, 5 series": Target(correlation=0.9, wander=0.02, series=5, calls_per_s=1_500),
    "wandering 0.95, 30 %, 300 s": Target(seconds=300, correlation=0.95, wander=0.3, calls_per_s=50),
    "wandering 0.98, 10 %, 300 s": Target(seconds=300, correlation=0.98, wander=0.1, calls_per_s=50),
    "wandering 0.95, 10 %, 600 s": Target(seconds=600, correlation=0.95, wander=0.1, calls_per_s=50),
    "wandering 0.9, 30 %, 20 s": Target(seconds=20, correlation=0.9, wander=0.3, calls_per_s=500),
    "wandering 0.8, 10 %, 15 s": Target(seconds=15, correlation=0.8, wander=0.1, calls_per_s=500),
    "wandering 0.7, 30 %, 10 s": Target(seconds=10, correlation=0.7, wander=0.3, calls_per_s=1_000),
    "wandering 0.7, 30 %, 6 s": Target(seconds=6, correlation=0.7, wander=0.3, calls_per_s=1_000),
    "seconds that scatter 10 %": Target(wander=0.1),
    "load swings 0.9, 30 %": Target(seconds=120, correlation=0.9, swing=0.3),
    "load swings 0.8, 30 %, 5 series": Target(correlation=0.8, swing=0.3, series=5, calls_per_s=500),
    "load and level": Target(seconds=120, correlation=0.9, swing=0.2, wander=0.1),
    "bursts, 60 s": Target(bursts_per_s=1 / 30),
    "bursts, 5 series": Target(seconds=120, bursts_per_s=1 / 30, series=5, calls_per_s=500),
    "long bursts, 300 s": Target(seconds=300, bursts_per_s=1 / 60, burst_s=8, calls_per_s=33),
    "short bursts": Target(seconds=120, bursts_per_s=1 / 20, burst_s=1),
    "drift by 30 %": Target(seconds=100, drift=0.3),
    "drift by a factor of 2.7": Target(seconds=100, drift=1.0),
    "drift and wandering": Target(seconds=100, drift=0.3, correlation=0.8, wander=0.1),
    "random walk, 100 s": Target(seconds=100, random_walk=0.02),
    "random walk, 300 s": Target(seconds=300, random_walk=0.02, calls_per_s=50),
    "steps": Target(seconds=100, steps=1.0),
    "warm-up": Target(warm_up_s=8),
    "warm-up and wandering": Target(warm_up_s=8, correlation=0.8, wander=0.1),
}
HARD = {
    "wandering 0.9, 5 %, 30 s": Target(seconds=30, correlation=0.9, wander=0.05, calls_per_s=200),
    "wandering 0.98, 5 %, 60 s": Target(correlation=0.98, wander=0.05),
}
"""Too short for what happens in them to show that it is slow."""
UNEQUAL = {
    "60 s and 180 s": (Target(), 180),
    "30 s and 300 s, wandering 0.9": (Target(seconds=30, correlation=0.9, wander=0.1), 300),
    "60 s and 90 s, drift": (Target(drift=0.3), 90),
    "60 s and 61 s, bursts": (Target(bursts_per_s=1 / 30), 61),
}
SLOWER = {
    "10 s": Target(seconds=10, calls_per_s=1_000),
    "20 s": Target(seconds=20, calls_per_s=500),
    "30 s": Target(seconds=30, calls_per_s=10_000 / 30),
    "50 s": Target(seconds=50, calls_per_s=200),
    "60 s": Target(seconds=60, calls_per_s=10_000 / 60),
    "100 s": Target(seconds=100, calls_per_s=100),
    "100 s, as many each second": Target(seconds=100, calls_per_s=100, even=True),
    "300 s": Target(seconds=300, calls_per_s=10_000 / 300),
}
ALSO = {
    "5 s": Target(seconds=5, calls_per_s=2_000),
    "60 s, wandering 0.8 by 5 %": Target(calls_per_s=10_000 / 60, correlation=0.8, wander=0.05),
    "600 s, wandering 0.8 by 5 %": Target(seconds=600, calls_per_s=100, correlation=0.8, wander=0.05),
    "100 s, in steps": Target(seconds=100, steps=1.0),
    "2 series, 10,000 calls each": Target(seconds=100, calls_per_s=200, series=2),
}


def main() -> int:
    wanted = arguments()
    missed = 0
    for name, target in SAME.items():
        missed += same(name, target, target, wanted)
    for name, target in HARD.items():
        same(name, target, target, wanted, limit=False)
    for name, (target, seconds) in UNEQUAL.items():
        longer = dataclasses.replace(target, seconds=seconds, drift=target.drift * seconds / target.seconds)
        missed += same(name, target, longer, wanted)
    for name, target in SLOWER.items():
        missed += slower(
            f"all 10 % slower, {name}", target, dataclasses.replace(target, median_ms=22), wanted, limit=True
        )
        missed += slower(
            f"10 % slower from p90 on, {name}", target, dataclasses.replace(target, tail=1.1), wanted, limit=True
        )
    for name, target in ALSO.items():
        slower(f"all 10 % slower, {name}", target, dataclasses.replace(target, median_ms=22), wanted, limit=False)
    return 1 if missed else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=200, help="how many pairs of each case")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="cases with this word in their name")
    return parser.parse_args()


def same(name: str, target: Target, other: Target, wanted: argparse.Namespace, *, limit: bool = True) -> bool:
    """Two runs of the same thing; whether too many differed."""
    if wanted.only not in name:
        return False
    found = pairs(name, target, other, wanted)
    false = sum(any(finding in DIFFERENCES for finding in findings(one)) for one in found) / len(found)
    few = sum(findings(one).count(Finding.TOO_FEW) / len(findings(one)) for one in found) / len(found)
    missed = limit and false > MOST_FALSE
    print(
        f"{'MISSED' if missed else 'ok' if limit else '':6}  {false:6.1%} differ, {few:4.0%} too few   {name}",
        flush=True,
    )
    return missed


def slower(name: str, target: Target, other: Target, wanted: argparse.Namespace, *, limit: bool) -> bool:
    """Two runs of which the second is slower; whether p95 of all calls was found so too seldom."""
    if wanted.only not in name:
        return False
    found = pairs(name, target, other, wanted)
    power = sum(
        any(thing.thing is Thing.P95 and thing.verdict is Finding.SLOWER for thing in one.all.things) for one in found
    ) / len(found)
    missed = limit and power < LEAST_FOUND
    print(f"{'MISSED' if missed else 'ok' if limit else '':6}  {power:6.1%} found   {name}", flush=True)
    return missed


def pairs(name: str, target: Target, other: Target, wanted: argparse.Namespace) -> list[Comparison]:
    random = np.random.default_rng([wanted.seed, *name.encode()])
    return [compare(simulated(target, random), simulated(other, random)) for _ in range(wanted.pairs)]


def findings(comparison: Comparison) -> list[Finding]:
    return [thing.verdict for row in (comparison.all, *comparison.series) for thing in row.things]


if __name__ == "__main__":
    sys.exit(main())
