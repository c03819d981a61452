"""Whatever the script does, the run goes on: its faults are counted, its waits cooperate, its words are seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.command import SwellRun
from tests.targets.hostile import Hostile, hostile
from tests.targets.nginx import Nginx, nginx

Start = Callable[..., SwellRun]


@pytest.fixture
def target() -> Iterator[Nginx]:
    with nginx() as server:
        yield server


@pytest.fixture
def slow_target() -> Iterator[Hostile]:
    with hostile() as server:
        yield server


def test_exceptions_in_tasks_are_grouped_with_a_traceback_and_the_user_goes_on(swell: Start, target: Nginx) -> None:
    script = """
        from swell import HttpUser, constant, task

        class Careless(HttpUser):
            wait_time = constant(0.01)

            @task
            def divide(self):
                self.client.get("/ok")
                self.halve(0)

            @task
            def look_up(self):
                {}["nothing"]

            @task
            def work(self):
                self.client.get("/hello.txt")

            def halve(self, parts):
                return 1 / parts
        """
    ended = swell(script, "-H", target.url, "-u", "6", "-r", "60", "-t", "2s", "-w", "2").finish()
    target.stop()
    assert ended.exit_code == ended.documented_exit_code
    assert ended.result["totals"]["failures"] == 0
    found = {exception["message"]: exception for exception in ended.result["exceptions"]}
    assert set(found) == {"ZeroDivisionError: division by zero", "KeyError: 'nothing'"}
    assert target.counts()["/ok", 200] == found["ZeroDivisionError: division by zero"]["count"]
    assert found["KeyError: 'nothing'"]["count"] > 12
    assert ended.series("/hello.txt")["requests"] == target.counts()["/hello.txt", 200] > 12
    trace = found["ZeroDivisionError: division by zero"]["traceback"].splitlines()
    assert trace == [
        "script.py:10 in Careless.divide",
        "    self.halve(0)",
        "script.py:21 in Careless.halve",
        "    return 1 / parts",
        "ZeroDivisionError: division by zero",
    ]
    assert "ZeroDivisionError: division by zero" in ended.stdout
    assert "Careless.halve" in ended.stdout


def test_what_is_no_plain_exception_is_counted_too_and_ends_one_user_at_the_most(swell: Start, target: Nginx) -> None:
    script = """
        import gevent, sys
        from swell import HttpUser, constant, task

        class Careless(HttpUser):
            wait_time = constant(0.01)

            @task
            def overflow(self):
                self.overflow()

            @task
            def time_out(self):
                with gevent.Timeout(0.01):
                    gevent.sleep(1)

            @task
            def work(self):
                self.client.get("/hello.txt")

        class Leaver(HttpUser):
            fixed_count = 1

            @task
            def leave(self):
                sys.exit("enough")
        """
    ended = swell(script, "-H", target.url, "-u", "5", "-r", "50", "-t", "3s").finish()
    assert ended.exit_code == ended.documented_exit_code
    counts = {found["message"].partition(":")[0]: found["count"] for found in ended.result["exceptions"]}
    assert set(counts) == {"SystemExit", "RecursionError", "Timeout"}
    assert counts["SystemExit"] == 1
    assert ended.result["timeline"][2]["requests"] > 0
    assert ended.result["timeline"][1]["users"] == 4
    assert all(len(found["traceback"]) < 20_000 for found in ended.result["exceptions"])


def test_a_task_that_keeps_the_processor_is_named_in_the_verdict(swell: Start, target: Nginx) -> None:
    script = """
        import time
        from swell import HttpUser, constant, task

        class Thinker(HttpUser):
            wait_time = constant(0.05)

            @task(20)
            def read(self):
                self.client.get("/ok")

            @task(1)
            def think_hard(self):
                end_s = time.monotonic() + 0.3
                while time.monotonic() < end_s:
                    sum(range(1_000))
        """
    options = ("-u", "4", "-r", "40", "-t", "3s", "-w", "1", "--seed", "1", "--strict")
    ended = swell(script, "-H", target.url, *options).finish()
    assert ended.exit_code == 5
    assert ended.result["verdict"]["state"] in ("degraded", "invalid")
    assert "Thinker.think_hard" in ended.reasons["loop_stalled"]
    assert ended.result["generator"]["loop_lag_max_ms"] >= 250
    assert not ended.result["generator"]["healthy"]


def test_blocking_code_in_tasks_lets_the_others_work(swell: Start, target: Nginx, slow_target: Hostile) -> None:
    host, _, port = slow_target.url_of("silent").removeprefix("http://").partition(":")
    script = f"""
        import contextlib, queue, select, socket, subprocess, threading, time
        import requests
        from swell import HttpUser, task

        class Waiter(HttpUser):
            abstract = True

            @task
            def wait_for_a_second(self):
                with self.measure("WAIT", type(self).__name__):
                    self.block()
                self.client.get("/ok")

        class Sleep(Waiter):
            def block(self):
                time.sleep(1)

        class Requests(Waiter):
            def block(self):
                assert requests.get("{slow_target.url}/late?ms=1000").text == "ok\\n"

        class Socket(Waiter):
            def block(self):
                with socket.create_connection(("{host}", {port})) as connection, contextlib.suppress(TimeoutError):
                    connection.settimeout(1)
                    connection.recv(1)

        class Program(Waiter):
            def block(self):
                subprocess.run(["sleep", "1"], check=True)

        class Event(Waiter):
            def block(self):
                threading.Event().wait(1)

        class Queue(Waiter):
            def block(self):
                with contextlib.suppress(queue.Empty):
                    queue.Queue().get(timeout=1)

        class Select(Waiter):
            def block(self):
                select.select([], [], [], 1)
        """
    kinds = ("Sleep", "Requests", "Socket", "Program", "Event", "Queue", "Select")
    ended = swell(script, "-H", target.url, "-u", "105", "-r", "1000", "-t", "2s", "-w", "1").finish()
    assert ended.result["exceptions"] == []
    for kind in kinds:
        waits = ended.series(kind)
        assert waits["requests"] >= 15, kind
        assert waits["response_ms"]["clock"] == "user"
        assert waits["response_ms"]["min"] >= 990, kind
        assert waits["response_ms"]["p50"] < 3_000, kind
    assert ended.took_s < 10  # one after the other would take 105 s
    calls = [series for series in ended.result["series"] if series["name"] == "/ok"]
    assert ended.result["accounting"]["sent"] == sum(series["requests"] for series in calls) >= 105


def test_what_workers_print_and_log_reaches_the_terminal(swell: Start, target: Nginx) -> None:
    script = """
        import logging, os, sys
        from swell import HttpUser, task

        log = logging.getLogger("contest")

        class Talker(HttpUser):
            @task
            def talk(self):
                print(f"printed by {os.getpid()}")
                print("to standard error", file=sys.stderr)
                log.info("logged info")
                log.debug("logged debug")
                log.warning("logged warning")
                self.wait_a_little()

            def wait_a_little(self):
                import time
                time.sleep(0.3)
        """
    run = swell(script, "-H", target.url, "-u", "2", "-r", "20", "-t", "1s", "-w", "2")
    run.wait_until(lambda: len(run.workers()) == 2, "the workers")
    pids = [worker.pid for worker in run.workers()]
    ended = run.finish()
    for pid in pids:
        assert f"printed by {pid}" in ended.stdout
    assert "to standard error" in ended.stderr
    assert "logged info" in ended.said
    assert "logged warning" in ended.said
    assert "logged debug" not in ended.said
    assert ended.result["generator"]["output_lost"] == 0


def test_a_flood_of_words_is_bounded_and_counted(swell: Start, target: Nginx) -> None:
    script = """
        from swell import HttpUser, task

        class Flooder(HttpUser):
            @task
            def flood(self):
                for number in range(2_000):
                    print("word", number, "x" * 100)
                self.client.get("/ok")
        """
    ended = swell(script, "-H", target.url, "-u", "2", "-r", "20", "-t", "2s", "-w", "1").finish()
    assert ended.exit_code == ended.documented_exit_code
    assert ended.result["generator"]["output_lost"] > 0
    printed = ended.stdout.count("word ")
    assert printed + ended.result["generator"]["output_lost"] == 2_000 * ended.series("/ok")["requests"]


def test_an_on_start_that_fails_is_tried_three_times_and_then_the_tasks_run(swell: Start, target: Nginx) -> None:
    script = """
        from swell import HttpUser, constant, task

        class Unlucky(HttpUser):
            wait_time = constant(0.1)

            def on_start(self):
                self.client.get("/status/503")
                raise RuntimeError("no login")

            @task
            def work(self):
                self.client.get("/ok")
        """
    ended = swell(script, "-H", target.url, "-u", "5", "-r", "50", "-t", "2s").finish()
    (exception,) = ended.result["exceptions"]
    assert (exception["message"], exception["count"]) == ("RuntimeError: no login", 15)
    assert ended.series("/status/503")["requests"] == 15
    assert ended.series("/ok")["requests"] >= 5
    assert ended.exit_code == ended.documented_exit_code > 0


def test_a_run_ends_when_all_its_users_have_stopped_themselves(swell: Start, target: Nginx) -> None:
    script = """
        from swell import HttpUser, StopUser, task

        class Once(HttpUser):
            @task
            def once(self):
                self.client.get("/ok")
                raise StopUser

            def on_stop(self):
                self.client.get("/hello.txt")
        """
    ended = swell(script, "-H", target.url, "-u", "10", "-r", "20", "-t", "60s", "-w", "2").finish(20)
    target.stop()
    assert target.counts() == {("/ok", 200): 10, ("/hello.txt", 200): 10}
    assert ended.result["accounting"]["sent"] == 20
    assert ended.result["run"]["end"] == "completed"
    assert ended.exit_code == ended.documented_exit_code
    assert ended.took_s < 10
