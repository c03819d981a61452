"""Loads of every model, really carried out: against nginx, whose log says what came."""

from __future__ import annotations

import collections
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.command import Ended, SwellRun
from tests.targets.nginx import Nginx, nginx

Start = Callable[..., SwellRun]


@pytest.fixture
def target() -> Iterator[Nginx]:
    with nginx() as server:
        yield server


def asked(target: Nginx) -> collections.Counter[str]:
    """How often each path was asked for."""
    target.stop()
    return collections.Counter(line.target for line in target.log())


def scenario(ended: Ended, name: str) -> dict[str, int]:
    (found,) = (one for one in ended.result["scenarios"] if one["name"] == name)
    return found  # type: ignore[no-any-return]


def test_users_are_ready_before_the_first_arrival_and_stay(swell: Start, target: Nginx) -> None:
    script = """
        import gevent
        from swell import HttpUser, arrivals, hold, jump, task

        class Visitor(HttpUser):
            load = arrivals(jump(50), hold("2s"), users=8, max_users=40)

            def on_start(self):
                gevent.sleep(0.5)
                self.client.get("/ok?login")

            @task
            def look(self):
                self.client.get("/ok?look")
        """
    ended = swell(script, "-H", target.url, "-w", "2").finish()
    seen = asked(target)
    assert (seen["/ok?look"], 8 <= seen["/ok?login"] < 40) == (100, True)  # a busy machine may need some more
    lines = sorted(target.log(), key=lambda line: line.time_s)
    assert [line.target for line in lines[:8]] == ["/ok?login"] * 8
    assert len({line.connection for line in lines}) == seen["/ok?login"]
    assert (ended.result["run"]["duration_s"], ended.result["run"]["end"]) == (2.0, "completed")
    assert ended.result["arrivals"] == [
        {"scenarios": ["Visitor"], "planned": 100, "started": 100, "dropped": 0, "not_started": 0}
    ]
    assert scenario(ended, "Visitor")["iterations"] == 100
    ended.check_sums()


def test_loads_of_every_model_run_side_by_side_and_each_is_exact(swell: Start, target: Nginx) -> None:
    script = """
        from swell import HttpUser, arrivals, constant, hold, iterations, jump, sessions, task, users

        class Base(HttpUser):
            abstract = True

            @task
            def call(self):
                self.client.get(f"/ok?{type(self).__name__}")

        class Visitor(Base):
            load = arrivals(jump(40), hold("2s"), max_users=100, start="0.5s")

        class Guest(Base):
            wait_time = constant(0.01)
            load = sessions(jump(10), hold("2s"), iterations=3, max_users=100)

        class Sharer(Base):
            load = iterations(total=101, users=7)

        class Each(Base):
            load = iterations(each=9, users=5)

        class Resident(Base):
            wait_time = constant(0.1)
            load = users(jump(3), hold("2s"))
        """
    ended = swell(script, "-H", target.url, "-w", "2").finish()
    seen = asked(target)
    assert {name: seen[f"/ok?{name}"] for name in ("Visitor", "Guest", "Sharer", "Each")} == {
        "Visitor": 80,
        "Guest": 60,
        "Sharer": 101,
        "Each": 45,
    }
    assert seen["/ok?Resident"] == scenario(ended, "Resident")["iterations"] > 30
    assert scenario(ended, "Resident")["users_peak"] == 3
    assert [(found["planned"], found["started"]) for found in ended.result["arrivals"]] == [(80, 80), (20, 20)]
    assert ended.result["run"]["end"] == "completed"
    assert ended.result["run"]["end_text"] == ""
    ended.check_sums()


def test_each_load_has_its_own_time_to_finish(swell: Start, target: Nginx) -> None:
    script = """
        import gevent
        from swell import HttpUser, hold, jump, task, users

        class Base(HttpUser):
            abstract = True

            @task
            def long(self):
                gevent.sleep(1.2)
                self.client.get(f"/ok?{type(self).__name__}")

        class Patient(Base):
            load = users(jump(4), hold("1s"), graceful_stop="5s")

        class Hasty(Base):
            load = users(jump(4), hold("1s"), graceful_stop="0.05s")

        class Falling(Base):
            load = users(jump(4), hold("1s"), jump(0), hold("3s"), graceful_ramp_down="5s", graceful_stop="0s")
        """
    ended = swell(script, "-H", target.url, "-w", "1", "--stop-timeout", "0").finish()
    assert asked(target) == {"/ok?Patient": 4, "/ok?Falling": 4}
    assert ended.result["run"]["duration_s"] == 4.0


def test_ctrl_c_while_users_get_ready_ends_it_with_what_they_have_done(swell: Start, target: Nginx) -> None:
    script = """
        import gevent
        from swell import HttpUser, arrivals, hold, jump, task

        class Visitor(HttpUser):
            load = arrivals(jump(50), hold("20s"), users=5, max_users=40)

            def on_start(self):
                self.client.get("/ok?login")
                print("in", flush=True)
                gevent.sleep(30)

            @task
            def look(self):
                self.client.get("/ok?look")
        """
    run = swell(script, "-H", target.url, "-w", "1", "--stop-timeout", "0.2")
    run.wait_until(lambda: run.said.count("in\n") == 5, "five users")
    run.wait_until(lambda: "5 users get ready before the run begins" in run.said, "the note")
    run.signal(signal.SIGINT)
    ended = run.finish()
    assert asked(target) == {"/ok?login": 5}
    assert (ended.result["run"]["end"], ended.result["run"]["duration_s"]) == ("stopped", 0.0)
    assert ended.result["totals"]["requests"] == 5
    ended.check_sums()


def test_sessions_leave_when_their_time_is_over(swell: Start, target: Nginx) -> None:
    script = """
        from swell import HttpUser, constant, hold, jump, sessions, task

        class Guest(HttpUser):
            wait_time = constant(60)
            load = sessions(jump(20), hold("2s"), lives="0.5s", max_users=100)

            @task
            def look(self):
                self.client.get("/ok")

            def on_stop(self):
                self.client.get("/ok?bye")
        """
    ended = swell(script, "-H", target.url, "-w", "1").finish()
    assert asked(target) == {"/ok": 40, "/ok?bye": 40}
    assert scenario(ended, "Guest")["users_peak"] < 40


def test_the_same_seed_gives_the_same_calls_on_any_number_of_workers(swell: Start, target: Nginx) -> None:
    script = """
        from swell import HttpUser, arrivals, hold, jump, task

        class Visitor(HttpUser):
            load = arrivals(jump(100), hold("1s"), spread="poisson", users=3, max_users=100)

            @task(3)
            def a(self):
                self.client.get("/ok?a")

            @task(2)
            def b(self):
                self.client.get("/ok?b")
        """
    found = []
    for workers in ("1", "2"):
        ended = swell(script, "-H", target.url, "-w", workers, "--seed", "5").finish()
        found.append({row["name"]: row["requests"] for row in ended.result["series"]})
    assert found[0] == found[1]
    assert 70 < sum(found[0].values()) < 140
