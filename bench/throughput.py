"""Requests per second on one core: swell, wrk and Locust in turn against nginx on the other core.

Only the ratios inside a round are compared, since a machine's speed drifts; the medians of the rounds' ratios are held
against the limits. Each generator's own count stands beside nginx's, so that no tool is taken at its word.
"""

import argparse
import itertools
import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rig import (
    GENERATOR_CORE,
    ROOT,
    SCRIPTS,
    SWELL,
    BenchError,
    Counters,
    Nginx,
    conclude,
    nginx,
    on_core,
    tail,
)

USERS = 50
LOCUST = ROOT / ".bench-venv" / "bin" / "locust"
POLL_S = 0.25
# name, tool, against, the least ratio that will do
LIMITS = [("swell", "wrk", 0.45), ("swell", "FastHttpUser", 6.0), ("swell", "HttpUser", 20.0)]
SHOWN = [*LIMITS, ("swell https", "wrk https", None)]
MOST_UNCOUNTED = 0.001


@dataclass(frozen=True, slots=True)
class Claim:
    """What a tool says that it did."""

    requests: int
    per_s: float


@dataclass(frozen=True, slots=True)
class Sample:
    """One tool's turn in one round: its own figures, and nginx's."""

    tool: str
    claimed: int
    claimed_per_s: float
    counted: int
    counted_per_s: float
    nginx_busy: float


def run_tool(command: list[str], folder: Path, seconds: float) -> str:
    """Run a generator on its core to its end; returns what it wrote to stdout."""
    out, err = folder / "stdout", folder / "stderr"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        done = subprocess.run(
            on_core(GENERATOR_CORE, command),
            stdout=stdout,
            stderr=stderr,
            cwd=folder,
            check=False,
            timeout=seconds * 2 + 60,
        )
    if done.returncode != 0:
        raise BenchError(f"{' '.join(command)} ended with {done.returncode}:\n{tail(err)}\n{tail(out)}")
    return out.read_text()


def wrk(url: str, seconds: int, folder: Path) -> Claim:
    text = run_tool(["wrk", "-t1", f"-c{USERS}", f"-d{seconds}s", url + "/"], folder, seconds)
    total = re.search(r"(\d+) requests in ", text)
    rate = re.search(r"Requests/sec:\s*([\d.]+)", text)
    if total is None or rate is None or "Non-2xx" in text:
        raise BenchError(f"wrk's report is not understood:\n{text}")
    return Claim(int(total[1]), float(rate[1]))


def locust(script: str) -> Callable[[str, int, Path], Claim]:
    def run(url: str, seconds: int, folder: Path) -> Claim:
        command = [str(LOCUST), "-f", str(SCRIPTS / script), "--headless", "--only-summary", "--json", "-L", "ERROR"]
        command += ["-H", url, "-u", str(USERS), "-r", str(USERS), "-t", f"{seconds}s", "--stop-timeout", "1"]
        entry = json.loads(run_tool(command, folder, seconds))[0]
        if entry["num_failures"]:
            raise BenchError(f"Locust had {entry['num_failures']} failures")
        return Claim(
            entry["num_requests"], entry["num_requests"] / (entry["last_request_timestamp"] - entry["start_time"])
        )

    return run


def swell(url: str, seconds: int, folder: Path) -> Claim:
    report = folder / "result.json"
    command = [str(SWELL), "run", str(SCRIPTS / "page.py"), "-H", url, "-u", str(USERS), "-r", "5000", "-w", "1"]
    run_tool([*command, "-t", f"{seconds}s", "--json", str(report), "--quiet"], folder, seconds)
    totals = json.loads(report.read_text())["totals"]
    if totals["failures"]:
        raise BenchError(f"swell had {totals['failures']} failures")
    return Claim(totals["requests"], totals["rps"])


TOOLS: dict[str, tuple[Callable[[str, int, Path], Claim], bool]] = {  # name: how to run it, over TLS or not
    "wrk": (wrk, False),
    "swell": (swell, False),
    "FastHttpUser": (locust("locust_fast_http_user.py"), False),
    "HttpUser": (locust("locust_http_user.py"), False),
    "wrk https": (wrk, True),
    "swell https": (swell, True),
}


class Watch(threading.Thread):
    """Reads nginx's counters every POLL_S while a tool runs."""

    def __init__(self, target: Nginx) -> None:
        super().__init__(daemon=True)
        self._target = target
        self._over = threading.Event()
        self.seen = [target.counters()]

    def run(self) -> None:
        while not self._over.wait(POLL_S):
            self.seen.append(self._target.counters())

    def stop(self) -> list[Counters]:
        self._over.set()
        self.join()
        self.seen.append(self._target.counters())
        return self.seen


def steady(seen: Sequence[Counters]) -> tuple[float, float]:
    """Requests per second and nginx's share of its core: medians over the intervals in which the tool was under way.

    Start, end and the time in which a tool loads itself are left out: intervals with less than half the best rate.
    """
    pairs = [(a, b, b.at_s - a.at_s) for a, b in itertools.pairwise(seen) if b.at_s - a.at_s > POLL_S / 2]
    if not pairs:
        raise BenchError("nginx's counters were not read while the tool ran")
    found = [((b.requests - a.requests) / s, (b.cpu_s - a.cpu_s) / s) for a, b, s in pairs]
    busiest = max(rate for rate, _ in found)
    under_way = [pair for pair in found if pair[0] >= busiest / 2]
    return statistics.median(rate for rate, _ in under_way), statistics.median(cpu for _, cpu in under_way)


def measure(tool: str, target: Nginx, seconds: int) -> Sample:
    run, over_tls = TOOLS[tool]
    watch = Watch(target)
    watch.start()
    try:
        with tempfile.TemporaryDirectory(prefix="swell-bench-") as folder:
            claim = run(target.https_url if over_tls else target.http_url, seconds, Path(folder))
    finally:
        seen = watch.stop()
    rate, busy = steady(seen)
    return Sample(tool, claim.requests, claim.per_s, seen[-1].requests - seen[0].requests, rate, busy)


def in_turn(number: int) -> list[str]:
    """The tools in the order of round `number`: each round begins with another one."""
    names = list(TOOLS)
    return names[number % len(names) :] + names[: number % len(names)]


def ratio(rounds: list[dict[str, Sample]], tool: str, other: str, figure: str) -> float:
    return statistics.median(getattr(turn[tool], figure) / getattr(turn[other], figure) for turn in rounds)


def show_tools(rounds: list[dict[str, Sample]]) -> None:
    print(f"\n{'':14}{'own req/s':>12}{'nginx req/s':>13}{'own/nginx':>11}{'nginx busy':>12}   (medians)")
    for tool in TOOLS:
        samples = [turn[tool] for turn in rounds]
        own, theirs, share, busy = (
            statistics.median(figures)
            for figures in zip(
                *((s.claimed_per_s, s.counted_per_s, s.claimed / max(s.counted, 1), s.nginx_busy) for s in samples),
                strict=True,
            )
        )
        print(f"{tool:14}{own:12,.0f}{theirs:13,.0f}{share:11.4f}{busy:12.0%}")


def judge(rounds: list[dict[str, Sample]]) -> tuple[list[dict[str, object]], list[str]]:
    """Print each ratio beside its limit; returns them and the limits that were missed."""
    ratios: list[dict[str, object]] = []
    missed: list[str] = []
    print(f"\n{'':28}{'own figures':>12}{'by nginx':>10}{'limit':>8}")
    for tool, other, limit in SHOWN:
        own, theirs = (ratio(rounds, tool, other, figure) for figure in ("claimed_per_s", "counted_per_s"))
        name = f"{tool} / {other}"
        ratios.append({"ratio": name, "own": own, "by_nginx": theirs, "limit": limit})
        print(f"{name:28}{own:12.3f}{theirs:10.3f}{limit if limit is not None else '-':>8}")
        if limit is not None and min(own, theirs) < limit:
            missed.append(f"{name} is {min(own, theirs):.3f}, below {limit}")
    samples = [turn[tool] for turn in rounds for tool in ("swell", "swell https")]
    uncounted = max(abs(s.claimed - s.counted) / max(s.counted, 1) for s in samples)
    if uncounted > MOST_UNCOUNTED:
        missed.append(f"swell's count of requests is {uncounted:.2%} away from nginx's")
    return ratios, missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10, help="of each tool in each round")
    options = parser.parse_args()
    rounds: list[dict[str, Sample]] = []
    with nginx() as target:
        for number in range(options.rounds):
            turn: dict[str, Sample] = {}
            for tool in in_turn(number):
                turn[tool] = measure(tool, target, options.seconds)
                print(f"round {number + 1}: {tool:14}{turn[tool].claimed_per_s:12,.0f} req/s", flush=True)
            rounds.append(turn)
    show_tools(rounds)
    ratios, missed = judge(rounds)
    findings: dict[str, object] = {
        "users": USERS,
        "seconds": options.seconds,
        "ratios": ratios,
        "rounds": [{tool: asdict(sample) for tool, sample in turn.items()} for turn in rounds],
    }
    return conclude("throughput", findings, missed)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as exc:
        sys.exit(f"bench: {exc}")
