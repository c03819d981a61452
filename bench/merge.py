"""What merging costs a controller: the share of a core for workers that report once a second, and for one frame shown.

    python bench/merge.py

Each worker reports 3 durations of each series with 20 different buckets each. Target: 1,000 workers with 50 series
each take at most 15 % of a core, decoding and two snapshots a second included. The least of the seconds is printed: a
machine can only make one slower.
"""

import datetime
import io
import time

import msgspec
import numpy as np
from rich.console import Console

from swell.plan import RunPlan, Scenario
from swell.report.live_view import live_frame
from swell.segment import Kind, ScenarioCount, SecondBlock, Segment, SeriesName
from swell.stats.merge import RunMerge

SECONDS = 5
KINDS = (Kind.RESPONSE, Kind.SERVICE, Kind.FIRST_BYTE)
BUCKETS_EACH = 20
CASES = ((1_000, 50), (100, 50), (2, 50), (1_000, 5), (20, 1_000))
WIDTH, HEIGHT = 120, 50


def main() -> None:
    for workers, series in CASES:
        seconds = [frames_of_a_second(second, workers, series) for second in range(SECONDS)]
        merge = RunMerge(
            "bench", RunPlan(script="", scenarios=(Scenario("User"),)), datetime.datetime.now(datetime.UTC)
        )
        merge_s = min([merge_a_second(merge, second, frames) for second, frames in enumerate(seconds)][1:])
        frame_s = min(show(merge) for _ in range(3))
        cost = f"{merge_s:7.1%} of a core to merge, {frame_s * 1_000:5.1f} ms a frame"
        print(f"{workers:5} workers × {series:5} series: {cost}")


def merge_a_second(merge: RunMerge, second: int, frames: list[bytes]) -> float:
    begun_s = time.process_time()
    for frame in frames:
        merge.apply(msgspec.msgpack.decode(frame, type=Segment))
    merge.snapshot(second + 1.2)
    merge.snapshot(second + 1.7)
    return time.process_time() - begun_s


def show(merge: RunMerge) -> float:
    result = merge.snapshot(SECONDS + 0.2)
    console = Console(file=io.StringIO(), width=WIDTH, height=HEIGHT, force_terminal=True)
    begun_s = time.process_time()
    console.print(live_frame(result, WIDTH, HEIGHT))
    return time.process_time() - begun_s


def frames_of_a_second(second: int, workers: int, series: int) -> list[bytes]:
    """One encoded segment from each worker; each has numbers of its own for the same series."""
    random = np.random.default_rng(second)
    return [msgspec.msgpack.encode(a_segment(second, worker, series, random)) for worker in range(workers)]


def a_segment(second: int, worker: int, series: int, random: np.random.Generator) -> Segment:
    names = np.random.default_rng(worker).permutation(series)
    return Segment(
        run="bench",
        worker=worker,
        incarnation=1,
        sequence=second + 1,
        from_position=0,
        to_position=0,
        sealed_s=second + 1.0,
        seconds=(a_block(second, series, random),),
        series=tuple(
            SeriesName(number + 1, "User", "GET", f"/{names[number]}") for number in range(series if not second else 0)
        ),
        scenarios=(ScenarioCount("User", 10, 10),),
    )


def a_block(second: int, series: int, random: np.random.Generator) -> SecondBlock:
    cells = np.array([number << 4 | kind for number in range(1, series + 1) for kind in KINDS], dtype=np.uint32)
    buckets = (random.lognormal(0, 0.6, len(cells) * BUCKETS_EACH) * 100 + 1_500).clip(0, 4_000).astype(np.uint32)
    hist_keys = np.unique(np.repeat(cells << 13, BUCKETS_EACH) | buckets)
    numbers = np.arange(1, series + 1, dtype=np.uint64)
    return SecondBlock(
        second,
        hist_keys.tobytes(),
        np.ones(len(hist_keys), np.uint32).tobytes(),
        cells.tobytes(),
        np.full(3 * len(cells), 10**6, np.uint64).tobytes(),
        (numbers << np.uint64(40) | np.uint64(200 << 24)).tobytes(),
        np.full(series, BUCKETS_EACH, np.uint32).tobytes(),
        numbers.astype(np.uint32).tobytes(),
        np.full(2 * series, 1_000, np.uint64).tobytes(),
    )


if __name__ == "__main__":
    main()
