"""Whether arrivals start when they are due: all of them, how late, and spread as asked for.

2,000 arrivals a second on one worker for 20 s are 40,000 starts, neither more nor less, by the target's own count;
their lag is the generator's own. A Poisson stream of 50 a second is held against the exponential distribution: the
gaps as planned, and as the target's kernel saw them come.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from rig import ROOT, SCRIPTS, SWELL, TARGET_CORE, BenchError, conclude, tail

sys.path.insert(0, str(ROOT))

from swell.clock import NS_PER_S
from swell.load.starts import Starts
from swell.load_plan import Curve, Leg, Spread
from tests.truth.truth_server import Truth, TruthServer, build, start

RATE_PER_S = 2_000
SECONDS = 20
LAG_P50_LIMIT_MS, LAG_P99_LIMIT_MS = 0.2, 2.0
SPREAD_PER_S = 50
GAPS = 10_000
DISTANCE_LIMIT = 0.02
SERVICE_US = 200.0


@contextmanager
def target(folder: Path) -> Iterator[TruthServer]:
    server = start(build(folder), folder, median_us=SERVICE_US, sigma=0.3, core=TARGET_CORE)
    try:
        yield server
    finally:
        server.kill()


def swell(folder: Path, url: str, *load: str) -> dict[str, Any]:
    """Carry a load out on one worker; returns the document."""
    log, document = folder / "log", folder / "result.json"
    command = [str(SWELL), "run", str(SCRIPTS / "visit.py"), "-H", url, "-w", "1", "--quiet", "--no-store"]
    with log.open("wb") as out:
        subprocess.run([*command, "--json", str(document), *load], stdout=out, stderr=out, cwd=folder, check=False)
    if not document.exists():
        raise BenchError(f"swell did not come to a result:\n{tail(log)}")
    result: dict[str, Any] = json.loads(document.read_text())
    return result


def distance(gaps: Sequence[float], per_s: float) -> float:
    """The Kolmogorov-Smirnov distance of gaps, in seconds, from the exponential distribution of a rate."""
    count = len(gaps)
    worst = 0.0
    for place, gap in enumerate(sorted(gaps)):
        share = 1 - math.exp(-gap * per_s)
        worst = max(worst, (place + 1) / count - share, share - place / count)
    return worst


def planned_gaps(seed: int) -> list[float]:
    """The gaps of a Poisson stream as swell plans them."""
    starts = Starts(Curve((Leg(1.0, SPREAD_PER_S, SPREAD_PER_S),), endless=True), Spread.POISSON, seed)
    due_ns = (starts.due_ns(number) or 0 for number in range(GAPS + 1))
    return [(later - earlier) / NS_PER_S for earlier, later in pairwise(due_ns)]


def seen_gaps(truth: Truth) -> list[float]:
    """The gaps between requests as they reached the target."""
    arrivals_ns = sorted(truth.arrivals_ns.tolist())
    return [(later - earlier) / NS_PER_S for earlier, later in islice(pairwise(arrivals_ns), GAPS)]


def measure_pace(folder: Path, seconds: int) -> dict[str, Any]:
    with target(folder) as server:
        load = ("--rate", f"{RATE_PER_S}/s", "-u", "50", "-t", f"{seconds}s")
        result = swell(folder, server.url, *load)
        truth = server.stop()
    (account,) = result["arrivals"]
    generator = result["generator"]
    return {
        "planned": RATE_PER_S * seconds,
        "started": account["started"],
        "requests seen": truth.counts.requests,
        "lag p50 ms": generator["schedule_lag_p50_ms"],
        "lag p99 ms": generator["schedule_lag_p99_ms"],
    }


def measure_spread(folder: Path, seconds: int) -> dict[str, Any]:
    with target(folder) as server:
        load = ("--rate", f"{SPREAD_PER_S}/s", "--rate-spread", "poisson", "--seed", "1")
        swell(folder, server.url, *load, "-u", "20", "-t", f"{seconds}s")
        gaps = seen_gaps(server.stop())
    return {
        "planned gaps": distance(planned_gaps(seed=1), SPREAD_PER_S),
        "seen gaps": distance(gaps, SPREAD_PER_S),
        "gaps seen": len(gaps),
    }


def missed_limits(pace: dict[str, Any], spread: dict[str, Any]) -> list[str]:
    missed = [
        f"{name}: {pace[name]:,} of {pace['planned']:,}"
        for name in ("started", "requests seen")
        if pace[name] != pace["planned"]
    ]
    for name, limit_ms in (("lag p50 ms", LAG_P50_LIMIT_MS), ("lag p99 ms", LAG_P99_LIMIT_MS)):
        if pace[name] > limit_ms:
            missed.append(f"{name}: {pace[name]:.3f}, over {limit_ms}")
    for name in ("planned gaps", "seen gaps"):
        if spread[name] >= DISTANCE_LIMIT:
            missed.append(f"{name}: a distance of {spread[name]:.4f}, not below {DISTANCE_LIMIT}")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of the arrivals at 2,000/s")
    parser.add_argument("--spread-seconds", type=int, default=GAPS // SPREAD_PER_S + 10, help="of those at 50/s")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="swell-bench-") as name:
        pace = measure_pace(Path(name), options.seconds)
        print(f"{RATE_PER_S:,}/s: " + ", ".join(f"{key} {value:,}" for key, value in pace.items()))
        spread = measure_spread(Path(name), options.spread_seconds)
        print(f"Poisson, {SPREAD_PER_S}/s: " + ", ".join(f"{key} {value:.5g}" for key, value in spread.items()))
    return conclude("pacing", {"pace": pace, "spread": spread}, missed_limits(pace, spread))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as exc:
        sys.exit(f"bench: {exc}")
