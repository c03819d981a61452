"""How the generator itself fares, second by second: a run whose generator suffered is not believed blindly.

A probe sleeps on the clock fifty times a second and sees how late it wakes: that is the loop's lag, whoever holds
the loop. A stall stands for all the probes that it kept from happening, or a second with one stall of 900 ms would
have a perfect 99th percentile of a few probes.
"""

from __future__ import annotations

import dataclasses
import gc
import os
import resource
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import gevent

from swell.clock import NS_PER_S, Clock
from swell.runtime.cpu import CpuMeter
from swell.runtime.stall import StallWatch
from swell.segment import Health

PROBE_NS = NS_PER_S // 50
STALL_NS = NS_PER_S // 10
MOST_PROBES = 1_000
"""That one stall stands for."""


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkUse:
    """What the connections of this process use: ports toward targets now, and how often either ran out so far."""

    ports: int = 0
    fd_exhausted: int = 0
    ports_exhausted: int = 0


class HealthProbe:
    """Takes the pulse of one process, from when it is made until it is closed."""

    def __init__(self, clock: Clock, network: Callable[[], NetworkUse] = NetworkUse) -> None:
        self._clock = clock
        self._network = network
        self._lags_ns: list[int] = []
        self._longest_stall_ns = 0
        self._stalled_by = ""
        self._collecting_ns = 0
        self._pause_ns = 0
        self._cpu = CpuMeter(clock)
        self._watch = StallWatch()
        gc.callbacks.append(self._on_collection)
        self._prober: Any = gevent.spawn(self._probe)

    def __repr__(self) -> str:
        return f"<HealthProbe, {len(self._lags_ns)} lags, {self._watch!r}>"

    def sample(self) -> Health:
        """What has been seen since the last sample. Schedule lag is the folder's to add."""
        lags_ns, self._lags_ns = sorted(self._lags_ns) or [0], []
        stalled_by, self._stalled_by, self._longest_stall_ns = self._stalled_by, "", 0
        pause_ns, self._pause_ns = self._pause_ns, 0
        network = self._network()
        cpu = self._cpu.sample()
        return Health(
            cpu=cpu.cores,
            busy=cpu.busy,
            throttled=cpu.throttled,
            loop_lag_p99_ms=lags_ns[-(-99 * len(lags_ns) // 100) - 1] / 1e6,
            loop_lag_max_ms=lags_ns[-1] / 1e6,
            stalled_by=stalled_by,
            gc_pause_max_ms=pause_ns / 1e6,
            fds=open_fds(),
            fds_limit=min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], (1 << 63) - 1),
            ports=network.ports,
            rss_bytes=resident_bytes(),
            fd_exhausted=network.fd_exhausted,
            ports_exhausted=network.ports_exhausted,
        )

    def close(self) -> None:
        """Stop probing."""
        self._prober.kill()
        self._watch.close()
        with suppress(ValueError):
            gc.callbacks.remove(self._on_collection)

    def _probe(self) -> None:
        clock = self._clock
        due_ns = clock.now_ns()
        self._watch.beat(PROBE_NS)
        while True:
            due_ns += PROBE_NS
            clock.sleep_until_ns(due_ns)
            lag_ns = clock.now_ns() - due_ns
            held_by = self._watch.beat(PROBE_NS)
            if lag_ns > max(STALL_NS, self._longest_stall_ns):
                self._longest_stall_ns, self._stalled_by = lag_ns, held_by
            due_ns += self._note(lag_ns)

    def _note(self, lag_ns: int) -> int:
        """Keep a lag, and those of the probes that it kept from happening; returns how far to move on for them."""
        missed = lag_ns // PROBE_NS
        kept = min(missed, MOST_PROBES)
        self._lags_ns += [lag_ns - number * PROBE_NS for number in range(kept + 1)]
        return missed * PROBE_NS

    def _on_collection(self, phase: str, info: Mapping[str, int]) -> None:
        if phase == "start":
            self._collecting_ns = time.perf_counter_ns()
        else:
            self._pause_ns = max(self._pause_ns, time.perf_counter_ns() - self._collecting_ns)


def open_fds() -> int:
    """How many file descriptors are open. Linux says so since 6.2; elsewhere they are listed."""
    try:
        return os.stat("/proc/self/fd").st_size or len(os.listdir("/proc/self/fd"))
    except OSError:
        return len(os.listdir("/dev/fd"))


def resident_bytes() -> int:
    """The memory of this process that is in RAM; its maximum so far where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def settle_memory() -> None:
    """After loading: what is there now will stay, so the garbage collector need not look at it again."""
    gc.collect()
    gc.freeze()
