"""Is the hot path as fast as before? Two source trees in turn, with thresholds and the store on in the second.

Each pair is one run of each, in an order that alternates; only the ratio inside a pair counts. The interval of the
median ratio is the one of order statistics (David and Nagaraja, "Order Statistics", 3rd ed., 2003, §7.1): it assumes
nothing of the noise but that pairs are independent.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rig import GENERATOR_CORE, ROOT, SCRIPTS, BenchError, conclude, nginx, on_core, tail

USERS = 50
LEAST_RATIO = 0.97
LEVEL = 0.95
ALL_ON = ["-x", "p95 < 1s", "-x", "errors < 1%", "-x", "p99 < 1s over 1s", "-x", "rps > 1/s"]


def requests_per_s(source: Path, url: str, seconds: float, extra: Sequence[str], folder: Path) -> float:
    """What one run of the swell in `source` says of itself."""
    report = folder / "result.json"
    command = [
        sys.executable,
        "-m",
        "swell",
        "run",
        str(SCRIPTS / "page.py"),
        "-H",
        url,
        "-u",
        str(USERS),
        "-r",
        "5000",
    ]
    command += ["-w", "1", "-t", f"{seconds}s", "--json", str(report), "--quiet", *extra]
    environment = {**os.environ, "PYTHONPATH": str(source)}
    with (folder / "log").open("wb") as log:
        patience_s = seconds * 2 + 60
        ended = subprocess.run(
            on_core(GENERATOR_CORE, command),
            stdout=log,
            stderr=log,
            cwd=folder,
            env=environment,
            timeout=patience_s,
            check=False,
        )
    if ended.returncode:
        raise BenchError(f"a run of {source} ended with {ended.returncode}:\n{tail(folder / 'log')}")
    totals = json.loads(report.read_text())["totals"]
    if totals["failures"]:
        raise BenchError(f"{totals['failures']} requests failed")
    return float(totals["rps"])


def interval_of_median(ratios: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """The narrowest symmetric interval of order statistics that holds the median with at least that probability."""
    count, ordered = len(ratios), sorted(ratios)
    outside, low = 2 * 0.5**count, 0
    while low + 1 < count // 2 and (more := outside + 2 * math.comb(count, low + 1) * 0.5**count) <= 1 - level:
        outside, low = more, low + 1
    return ordered[low], ordered[count - 1 - low]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path, help="the src folder of the other checkout")
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    pairs: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory(prefix="swell-bench-") as name, nginx() as target:
        folder = Path(name)
        after_on = [*ALL_ON, "--store", str(folder / "runs.db")]

        def run(which: str) -> float:
            source, extra = (options.before, []) if which == "before" else (ROOT / "src", after_on)
            return requests_per_s(source, target.http_url, options.seconds, extra, folder)

        run("before"), run("after")
        for number in range(options.pairs):
            order = ("before", "after") if number % 2 == 0 else ("after", "before")
            found = {which: run(which) for which in order}
            pairs.append((found["before"], found["after"]))
            before, after = found["before"], found["after"]
            print(f"{number + 1:3}  {before:9,.0f}  {after:9,.0f}  {after / before:.3f}", flush=True)
    ratios = [after / before for before, after in pairs]
    median, (low, high) = statistics.median(ratios), interval_of_median(ratios)
    interval = f"{100 * LEVEL:.0f} % interval {low:.4f} to {high:.4f}"
    print(f"after / before: median {median:.4f}, {interval}, {len(ratios)} pairs")
    missed = [f"after / before is {median:.4f}, under {LEAST_RATIO}"] if median < LEAST_RATIO else []
    return conclude("before_after", {"pairs": pairs, "median": median, "interval": [low, high]}, missed)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as exc:
        sys.exit(f"bench: {exc}")
