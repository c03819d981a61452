"""Resident memory of one worker for each further idle user that keeps a connection, over http and https.

Two runs of one worker each, with FEW and with FEW + `--users` users: the difference leaves out what a worker needs
before its first user (interpreter, modules, ring). Users get one page, then wait for an hour.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from rig import SCRIPTS, SWELL, BenchError, Nginx, conclude, interrupt, nginx, tail

FEW = 100
LIMITS_KB = {"http": 20.0, "https": 70.0}
SETTLE_S = 3.0
READINGS = 5
PATIENCE_S = 90.0


def worker_of(process: subprocess.Popen[bytes]) -> psutil.Process:
    for child in psutil.Process(process.pid).children(recursive=True):
        if "swell worker-process" in " ".join(child.cmdline()):
            return child
    raise BenchError("no process of the run has `swell worker-process` in its command line")


def wait_for_connections(target: Nginx, users: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while (connected := target.counters().connections) < users:
        if process.poll() is not None:
            raise BenchError(f"the run ended with {process.returncode} at {connected} connections:\n{tail(log)}")
        if time.monotonic() > deadline_s:
            raise BenchError(f"only {connected} of {users} connections after {PATIENCE_S:.0f} s:\n{tail(log)}")
        time.sleep(0.1)


def resident_kb(url: str, users: int, target: Nginx) -> float:
    """Run `users` idle users in one worker; returns its resident memory once all are connected."""
    with tempfile.TemporaryDirectory(prefix="swell-bench-") as folder:
        log = Path(folder) / "log"
        command = [str(SWELL), "run", str(SCRIPTS / "idle.py"), "-H", url, "-u", str(users), "-r", "500", "-w", "1"]
        with log.open("wb") as out:
            process = subprocess.Popen([*command, "-t", "10m", "--quiet"], stdout=out, stderr=out, cwd=folder)
        try:
            wait_for_connections(target, users, process, log)
            worker = worker_of(process)
            time.sleep(SETTLE_S)
            readings = []
            for _ in range(READINGS):
                readings.append(worker.memory_info().rss / 1024)
                time.sleep(0.2)
            return statistics.median(readings)
        finally:
            interrupt(process)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=4000, help="further users, beyond the first hundred")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found: dict[str, list[float]] = {"http": [], "https": []}
    for number in range(options.rounds):
        for scheme, figures in found.items():
            with nginx() as target:
                url = target.http_url if scheme == "http" else target.https_url
                few = resident_kb(url, FEW, target)
                many = resident_kb(url, FEW + options.users, target)
            figures.append((many - few) / options.users)
            print(
                f"round {number + 1}: {scheme:6}{few / 1024:8.1f} MiB with {FEW} users,"
                f"{many / 1024:8.1f} MiB with {FEW + options.users}: {figures[-1]:.1f} KiB a user",
                flush=True,
            )
    medians = {scheme: statistics.median(figures) for scheme, figures in found.items()}
    missed = []
    for scheme, limit in LIMITS_KB.items():
        print(f"{scheme:6}{medians[scheme]:8.1f} KiB for each further user (limit {limit:.0f})")
        if medians[scheme] > limit:
            missed.append(f"{scheme}: {medians[scheme]:.1f} KiB a user, over {limit:.0f}")
    findings: dict[str, object] = {"users": options.users, "kib_a_user": found, "medians": medians}
    return conclude("memory", findings, missed)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as exc:
        sys.exit(f"bench: {exc}")
