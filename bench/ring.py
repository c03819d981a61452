"""What recording costs: nanoseconds for a call of `Ring.record` and `Ring.sent`, the loop around them taken off.

    python bench/ring.py

The least of many rounds is printed: a machine can only make a round slower. The target for `record` is 350 ns.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from swell.runtime.ring import Ring

ROUNDS = 15
CALLS = 100_000


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        ring = Ring(Path(directory))
        ring.on_batch = lambda: setattr(ring, "folded", ring.head)
        loop_ns = least_ns(spin, ring)
        for name, body in (("record", record), ("sent", sent), ("unanswered", unanswered), ("series", series)):
            print(f"{name:12} {least_ns(body, ring) - loop_ns:6.1f} ns")
        ring.check()
        ring.close()


def least_ns(body: Callable[[Ring], None], ring: Ring) -> float:
    least = float("inf")
    for _ in range(ROUNDS):
        began_ns = time.perf_counter_ns()
        body(ring)
        least = min(least, (time.perf_counter_ns() - began_ns) / CALLS)
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
