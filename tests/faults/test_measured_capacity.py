"""What processes find that they can carry, under real quotas and side by side: in proportion to what they get."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence

import pytest

from tests.faults.lab.quotas import cpu_group

pytestmark = [pytest.mark.timing, pytest.mark.row("capacity under a quota")]
Figures = Callable[..., None]

TRIES = 3
MEASURE = f"""
    from swell.cli.patching import patch

    patch()

    from swell.runtime.capacity import measure
    from swell.runtime.real_clock import RealClock

    clock = RealClock()
    print("ready", flush=True)
    input()
    for _ in range({TRIES}):
        print(measure(clock, 1_000_000_000), flush=True)
    """
"""What all wait for makes them begin at the same moment."""


def found(*prefixes: Sequence[str]) -> list[float]:
    """What as many processes find, each behind its prefix, all at once."""
    command = [sys.executable, "-c", textwrap.dedent(MEASURE)]
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen([*prefix, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            for prefix in prefixes
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        said = [process.communicate(timeout=60)[0] for process in processes]
    return [statistics.median(map(float, text.split())) for text in said]


def test_a_tenth_of_a_core_carries_about_a_tenth(figures: Figures) -> None:
    with cpu_group("whole", 1.0) as whole, cpu_group("tenth", 0.1) as tenth:
        (all_of_it,), (part,) = found(whole.prefix), found(tenth.prefix)
    figures(whole_per_s=all_of_it, tenth_per_s=part)
    assert 0.06 < part / all_of_it < 0.16


def test_two_workers_under_one_quota_find_half_of_it_each(figures: Figures) -> None:
    with cpu_group("one", 0.4) as one, cpu_group("both", 0.4) as both:
        (alone,), (first, second) = found(one.prefix), found(both.prefix, both.prefix)
    figures(alone_per_s=alone, first_per_s=first, second_per_s=second)
    assert 0.7 < (first + second) / alone < 1.5
    assert 0.3 < first / (first + second) < 0.7


def test_two_workers_on_one_core_find_half_of_it_each(figures: Figures) -> None:
    with cpu_group("free", 4.0) as free:
        on_one_core = (*free.prefix, "taskset", "-c", "0")
        (alone,), (first, second) = found(on_one_core), found(on_one_core, on_one_core)
    figures(alone_per_s=alone, first_per_s=first, second_per_s=second)
    assert 0.7 < (first + second) / alone < 1.5
    assert 0.3 < first / (first + second) < 0.7
