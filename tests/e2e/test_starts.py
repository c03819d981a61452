"""Users start one by one, each class in its share, from the first to the last."""

from __future__ import annotations

import collections
import statistics
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.command import SwellRun
from tests.targets.nginx import Nginx, nginx

Start = Callable[..., SwellRun]


@pytest.fixture
def target() -> Iterator[Nginx]:
    with nginx() as server:
        yield server


def test_a_mix_of_classes_follows_its_weights_at_every_moment_of_the_ramp(swell: Start, target: Nginx) -> None:
    script = """
        from swell import HttpUser, constant, task

        class Common(HttpUser):
            wait_time = constant(10)
            weight = 3

            def on_start(self):
                self.client.get(f"/ok?{type(self).__name__}")

            @task
            def nothing(self):
                pass

        class Rare(Common):
            weight = 1

        class Fixed(Common):
            fixed_count = 2
        """
    options = ("-u", "42", "-r", "20", "-t", "3s", "-w", "2", "--stop-timeout", "0")
    ended = swell(script, "-H", target.url, *options).finish()
    target.stop()
    starters = [line.target.partition("?")[2] for line in sorted(target.log(), key=lambda line: line.time_s)]
    assert collections.Counter(starters) == {"Common": 30, "Rare": 10, "Fixed": 2}
    weighted = [name for name in starters if name != "Fixed"]
    for so_far in range(1, len(weighted) + 1):
        # Two starts 50 ms apart may still arrive in the other order: hence one more than the rule itself allows.
        assert abs(weighted[:so_far].count("Rare") - so_far / 4) <= 2
    peaks = {scenario["name"]: scenario["users_peak"] for scenario in ended.result["scenarios"]}
    assert peaks == {"Common": 30, "Rare": 10, "Fixed": 2}


@pytest.mark.timing
@pytest.mark.parametrize("workers", ["1", "2"])
def test_users_start_one_by_one_and_not_in_bunches(swell: Start, target: Nginx, workers: str) -> None:
    script = """
        from swell import HttpUser, constant, task

        class Visitor(HttpUser):
            wait_time = constant(10)

            def on_start(self):
                self.client.get("/ok")

            @task
            def nothing(self):
                pass
        """
    options = ("-u", "200", "-r", "100", "-t", "3s", "-w", workers, "--stop-timeout", "0")
    swell(script, "-H", target.url, *options).finish()
    target.stop()
    arrivals_s = sorted(line.time_s for line in target.log())
    assert len(arrivals_s) == 200
    since_due_s = [arrival_s - 0.01 * number for number, arrival_s in enumerate(arrivals_s)]
    usual_s = statistics.median(since_due_s)
    off_s = sorted(abs(since_s - usual_s) for since_s in since_due_s)
    assert off_s[100] < 0.005
    assert off_s[180] < 0.03
    most_at_once = max(sum(start_s <= other_s < start_s + 0.1 for other_s in arrivals_s) for start_s in arrivals_s)
    assert most_at_once <= 30
