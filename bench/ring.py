"""What recording and folding cost, in nanoseconds a call, the loop around them taken off.

    python bench/ring.py

The least of many rounds is printed: a machine can only make a round slower. Targets: `record` 350 ns; folding and
packing together 120 ns a record with up to 50 series, at 50,000 records a second.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from swell.runtime.layout import RECORD
from swell.runtime.reduce import WORDS, pack_second, reduce_batch
from swell.runtime.ring import BATCH, Ring

ROUNDS = 15
CALLS = 100_000
BATCHES_A_SECOND = 12


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        ring = Ring(Path(directory))
        ring.on_batch = lambda: setattr(ring, "folded", ring.head)
        loop_ns = least_ns(lambda: spin(ring)) / CALLS
        for body in (record, sent, unanswered, series):
            took_ns = least_ns(lambda body=body: body(ring)) / CALLS
            print(f"{body.__name__:12} {took_ns - loop_ns:6.1f} ns")
        ring.check()
        ring.close()
    for count in (1, 5, 50, 300, 1_000):
        report_folding(count)


def report_folding(series_count: int) -> None:
    batches = [some_records(series_count, seed) for seed in range(BATCHES_A_SECOND)]
    fold_ns = least_ns(lambda: reduce_batch(batches[0])) / BATCH
    reduced = [reduce_batch(batch) for batch in batches]
    pack_ns = least_ns(lambda: pack_second(0, reduced)) / BATCH / BATCHES_A_SECOND
    print(f"fold {series_count:5} series {fold_ns:6.1f} ns, pack {pack_ns:6.1f} ns, both {fold_ns + pack_ns:6.1f} ns")


def some_records(series_count: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    packed = b"".join(
        RECORD.pack(0, service, service + 9_000, service - 9_000, 0, -1, 133, 350, series, 0, 200, 0, 1)
        for service, series in zip(
            random.lognormal(15, 0.6, BATCH).astype(int).tolist(),
            random.integers(1, series_count + 1, BATCH).tolist(),
            strict=True,
        )
    )
    return np.frombuffer(packed, dtype=np.int64).reshape(-1, WORDS)


def least_ns(body: Callable[[], object]) -> float:
    least = float("inf")
    for _ in range(ROUNDS):
        began_ns = time.perf_counter_ns()
        body()
        least = min(least, time.perf_counter_ns() - began_ns)
    return least


def spin(ring: Ring) -> None:
    for _ in range(CALLS):
        pass


def record(ring: Ring) -> None:
    done_ns = time.monotonic_ns()
    for _ in range(CALLS):
        ring.record(done_ns, 1_234_567, 1_234_890, 400_000, 0, -1, 133, 350, 7, 0, 200, 0)


def sent(ring: Ring) -> None:
    for _ in range(CALLS):
        ring.sent()


def unanswered(ring: Ring) -> None:
    for _ in range(CALLS):
        ring.unanswered()


def series(ring: Ring) -> None:
    for _ in range(CALLS):
        ring.series("Contestant", "GET", "/problems/:id")


if __name__ == "__main__":
    main()
