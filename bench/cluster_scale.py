"""Whether one controller holds 1,000 workers: what it costs, and what becomes of them when it is held up.

The controller is swell's own, on core 0, with its store and thresholds on (`scale_controller.py`). The workers are
played on core 1: 2,000 sockets, and each second a pulse and a report of 50 series × 2 durations × 30 buckets from each
(`played_workers.py`). After a while at full speed the controller gets a quarter of a core for 20 s. Nobody may lose a
lease over that, what has piled up has to be gone within 60 s, and everything has to be counted exactly once.

    python bench/cluster_scale.py [--curve] [--workers 1000] [--exact]
"""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from rig import GENERATOR_CORE, ROOT, TARGET_CORE, BenchError, conclude, on_core, raise_open_files, tail

BENCH = ROOT / "bench"
WORKERS = 1_000
SETTLE_S, SPEED_S, SLOW_S, RECOVER_S = 5, 30, 20, 60
CALLS_PER_REPORT = 1_500
SLOWED_TO = 0.25
CPU_LIMIT = 0.60
LATE_MS = 2_000
"""A report that is not acknowledged by then is part of a backlog."""
START_S = 60.0
CGROUPS = Path("/sys/fs/cgroup/cpu")
PERIOD_US = 100_000


@dataclass(frozen=True)
class Moment:
    """What the controller has used up so far."""

    at_s: float
    cpu_s: dict[str, float]
    """By thread: the main one, ZeroMQ's, the store's and others'."""
    written_bytes: int

    @property
    def all_s(self) -> float:
        return sum(self.cpu_s.values())


def moment(process: psutil.Process) -> Moment:
    used: dict[str, float] = {}
    for thread in process.threads():
        name = thread_name(process.pid, thread.id)
        used[name] = used.get(name, 0.0) + thread.user_time + thread.system_time
    return Moment(time.monotonic(), used, process.io_counters().write_bytes)


def thread_name(pid: int, thread: int) -> str:
    if thread == pid:
        return "main"
    try:
        name = Path(f"/proc/{pid}/task/{thread}/comm").read_text().strip()
    except OSError:  # it has ended meanwhile
        return "others"
    return "zeromq" if name.startswith("ZMQ") else "others"


def shares(begun: Moment, ended: Moment) -> dict[str, float]:
    """The part of a core that each thread took."""
    took_s = ended.at_s - begun.at_s
    return {name: (used_s - begun.cpu_s.get(name, 0.0)) / took_s for name, used_s in ended.cpu_s.items()}


class Play:
    """The controller and the players, and what they have said so far."""

    def __init__(self, folder: Path, options: argparse.Namespace, seconds: int) -> None:
        self.folder = folder
        self.lines: list[dict[str, Any]] = []
        self._told = (folder / "players.jsonl").open("a+")
        curve = ["--curve"] if options.curve else []
        arguments = [str(options.workers), str(seconds), str(folder), *curve]
        self.controller = self._start("scale_controller.py", GENERATOR_CORE, arguments + options.profile)
        endpoint = self._endpoint()
        self.players = self._start(
            "played_workers.py", TARGET_CORE, [endpoint, str(options.workers), str(folder / "players.jsonl"), *curve]
        )
        self.process = psutil.Process(self.controller.pid)

    def _start(self, script: str, core: int, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{script}.log").open("wb") as out:
            command = [sys.executable, str(BENCH / script), *arguments]
            return subprocess.Popen(on_core(core, command), stdout=out, stderr=out)

    def _endpoint(self) -> str:
        found = self.folder / "endpoint"
        self.wait(lambda: found.exists() and found.stat().st_size > 0, START_S, "does not listen")
        return found.read_text()

    def wait(self, is_so: Callable[[], bool], patience_s: float, fault: str) -> None:
        deadline_s = time.monotonic() + patience_s
        while not is_so():
            if time.monotonic() > deadline_s or self.controller.poll() not in (None, 0):
                raise BenchError(f"the controller {fault}:\n{tail(self.folder / 'scale_controller.py.log')}")
            time.sleep(0.1)

    def read(self) -> list[dict[str, Any]]:
        """What the players have told since it was last read."""
        new = [json.loads(line) for line in self._told if line.endswith("\n")]
        self.lines += new
        return new

    def all_are(self, phase: str, workers: int) -> bool:
        self.read()
        return bool(self.lines) and self.lines[-1]["phases"].get(phase) == workers

    def during(self, seconds: float) -> tuple[Moment, Moment, list[dict[str, Any]]]:
        """A stretch of the run: what the controller had used at its begin and end, and what the players told."""
        self.read()
        begun = moment(self.process)
        time.sleep(seconds)
        return begun, moment(self.process), self.read()

    def finish(self, patience_s: float) -> dict[str, Any]:
        """What the controller has found."""
        try:
            self.controller.wait(patience_s)
            self.players.wait(patience_s)
        except subprocess.TimeoutExpired as exc:
            raise BenchError("the run does not end") from exc
        self.read()
        found: dict[str, Any] = json.loads((self.folder / "controller.json").read_text())
        return found

    def kill(self) -> None:
        for process in (self.controller, self.players):
            if process.poll() is None:
                process.kill()
            process.wait()
        self._told.close()


@contextlib.contextmanager
def slowed(pid: int, to: float) -> Iterator[str]:
    """Give a process a part of a core only: by a quota of its control group or, where that cannot be set, by stopping
    it for a part of each tenth of a second. Says which."""
    group = CGROUPS / f"swell-scale-{os.getpid()}"
    try:
        group.mkdir()
        (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(round(PERIOD_US * to)))
        before = CGROUPS / Path(f"/proc/{pid}/cgroup").read_text().partition(":cpu:/")[2].partition("\n")[0]
        (group / "cgroup.procs").write_text(str(pid))
    except OSError:
        with stopped_in_part(pid, to):
            yield "stops and starts"
        return
    try:
        yield "a quota"
    finally:
        with contextlib.suppress(ProcessLookupError):
            (before / "cgroup.procs").write_text(str(pid))
        group.rmdir()


@contextlib.contextmanager
def stopped_in_part(pid: int, to: float) -> Iterator[None]:
    code = (
        "import os, signal, sys, time\n"
        "pid, run_s, stop_s = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])\n"
        "while True:\n"
        "    os.kill(pid, signal.SIGSTOP); time.sleep(stop_s); os.kill(pid, signal.SIGCONT); time.sleep(run_s)\n"
    )
    period_s = PERIOD_US / 1e6
    command = [sys.executable, "-c", code, str(pid), str(period_s * to), str(period_s * (1 - to))]
    stopping = subprocess.Popen(on_core(TARGET_CORE, command))
    try:
        yield
    finally:
        stopping.kill()
        stopping.wait()
        psutil.Process(pid).resume()


def spread_ms(lines: Sequence[dict[str, Any]], name: str) -> dict[str, float]:
    """The distribution of a delay over some seconds."""
    delays = sorted(delay for line in lines for delay in line[name])
    if len(delays) < 2:
        return {}
    cuts = statistics.quantiles(delays, n=100, method="inclusive")
    return {"p50": cuts[49], "p99": cuts[98], "max": delays[-1], "count": len(delays)}


def sent(lines: Sequence[dict[str, Any]], name: str) -> int:
    return sum(line["sent"].get(name, 0) for line in lines)


def at_speed(play: Play, seconds: float) -> dict[str, Any]:
    begun, ended, lines = play.during(seconds)
    by_thread = shares(begun, ended)
    return {
        "seconds": round(ended.at_s - begun.at_s, 1),
        "cpu": round(sum(by_thread.values()), 3),
        "cpu_by_thread": {name: round(share, 3) for name, share in sorted(by_thread.items())},
        "rss_mb": round(play.process.memory_info().rss / 1e6),
        "written_kb_per_s": round((ended.written_bytes - begun.written_bytes) / 1e3 / (ended.at_s - begun.at_s)),
        "acknowledged_ms": spread_ms(lines, "acknowledged_ms"),
        "leased_ms": spread_ms(lines, "leased_ms"),
        "reports": sent(lines, "reports"),
        "reports_again": sent(lines, "again"),
        "held_up": sent(lines, "held up"),
        "waiting_most": max((line["waiting"] for line in lines), default=0),
        "oldest_ms": max((line["oldest_ms"] for line in lines), default=0.0),
    }


def recovery_s(lines: Sequence[dict[str, Any]], workers: int) -> float | None:
    """After how many seconds nothing waited any more but what had just been sent; None: not at all."""
    behind = [line["oldest_ms"] > LATE_MS or line["waiting"] > 2 * workers for line in lines]
    if not lines or behind[-1]:
        return None
    return float(len(behind) - behind[::-1].index(True)) if True in behind else 0.0


def carry_out(options: argparse.Namespace) -> dict[str, Any]:
    """All of it; what was found."""
    raise_open_files()
    slow_s, recover_s = (0, 0) if options.exact else (SLOW_S, RECOVER_S)
    seconds = SETTLE_S * (not options.exact) + options.seconds + slow_s + recover_s
    with tempfile.TemporaryDirectory(prefix="swell-scale-") as folder:
        play = Play(Path(folder), options, seconds + (not options.exact) * 5)
        begun_s = time.monotonic()
        found: dict[str, Any] = {"workers": options.workers, "curve": options.curve}
        try:
            play.wait(lambda: play.all_are("running", options.workers), START_S, "does not begin")
            found["start_s"] = round(time.monotonic() - begun_s, 1)
            if not options.exact:
                play.during(SETTLE_S)
                found["full speed"] = at_speed(play, options.seconds)
                with slowed(play.controller.pid, SLOWED_TO) as by:
                    found["a quarter"] = {"by": by, **at_speed(play, slow_s)}
                found["afterwards"] = {**at_speed(play, recover_s)}
                found["recovered_s"] = recovery_s(play.lines[-recover_s:], options.workers)
            ended = play.finish(START_S)
            found["accounts"] = accounts(ended, play.lines)
        finally:
            play.kill()
            if options.keep:
                shutil.copytree(folder, options.keep, dirs_exist_ok=True)
    return found


def accounts(ended: dict[str, Any], lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What was sealed, and what has become of it."""
    last = lines[-1]
    return {
        "failure": ended["failure"],
        "leases_lost": ended["heard"].get("lost", 0) + max(line["phases"].get("fenced", 0) for line in lines),
        "lost_because": ended["lost_because"],
        "sealed": last["sealed"],
        "applied": sum(ended["applied"].values()),
        "calls_reported": last["calls"],
        "calls_counted": ended["requests"],
        "durations_counted": ended["durations"],
        "calls_per_worker_and_second": ended["calls_per_s"],
        "missing": ended["calls_missing"] + ended["reports_missing"],
        "refused": ended["refused"],
        "dropped_for_room": ended["dropped"],
        "most_backlog_mb": round(ended["most_backlog_bytes"] / 1e6),
    }


def misses(found: dict[str, Any]) -> list[str]:
    """Which limits were missed."""
    account, missed = found["accounts"], []
    exact = (
        account["sealed"] == account["applied"]
        and account["calls_reported"] == account["calls_counted"] == account["durations_counted"] // 2
        and account["calls_per_worker_and_second"] == [CALLS_PER_REPORT]
        and not account["missing"]
        and not account["refused"]
        and not account["failure"]
    )
    if not exact:
        missed.append(f"not everything was counted exactly once: {account}")
    if account["leases_lost"]:
        missed.append(f"{account['leases_lost']} leases were lost: {account['lost_because']}")
    if "full speed" not in found:
        return missed
    if found["full speed"]["cpu"] > CPU_LIMIT:
        missed.append(f"the controller took {found['full speed']['cpu']:.0%} of a core, over {CPU_LIMIT:.0%}")
    if found["full speed"]["oldest_ms"] > LATE_MS:  # whoever is not let run takes little CPU
        missed.append(f"it did not keep up at full speed: a report waited {found['full speed']['oldest_ms']:.0f} ms")
    if found["recovered_s"] is None:
        missed.append(f"the backlog was not gone after {RECOVER_S} s")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--seconds", type=int, default=SPEED_S, help="at full speed")
    parser.add_argument("--curve", action="store_true", help="encrypt and authenticate, as between machines")
    parser.add_argument("--exact", action="store_true", help="only whether everything is counted once; save nothing")
    parser.add_argument("--keep", metavar="FOLDER", help="leave all files of the run there")
    parser.add_argument("--profile", action="store_const", const=["--profile"], default=[])
    options = parser.parse_args()
    try:
        found = carry_out(options)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(found, indent=1))
    missed = misses(found)
    if options.exact:
        print(*missed, sep="\n", file=sys.stderr)
        return 1 if missed else 0
    return conclude("cluster_scale", found, missed)


if __name__ == "__main__":
    sys.exit(main())
