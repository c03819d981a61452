"""What the result says was sent is what the target's own log has lines for: exactly, per URL and status."""

from __future__ import annotations

import collections
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.command import Ended, SwellRun
from tests.targets.digest import DigestServer, digest_server
from tests.targets.hostile import hostile
from tests.targets.nginx import Nginx, nginx

Start = Callable[..., SwellRun]
Lines = collections.Counter[tuple[str, int]]

VISITOR = """
    from swell import HttpUser, task

    class Visitor(HttpUser):
        @task(5)
        def page(self):
            self.client.get("/124.html")

        @task
        def text(self):
            assert "shrinks" in self.client.get("/text.txt").text

        @task
        def query(self):
            self.client.get("/ok", params={"q": "load", "n": self.random.randint(1, 3)})

        @task
        def head(self):
            self.client.head("/hello.txt")

        @task
        def post(self):
            self.client.post("/echo", data="x" * self.random.choice([1, 1_000]))

        @task
        def post_and_go_elsewhere(self):
            self.client.post("/redirect/0", json={"n": 1})

        @task
        def redirects(self):
            self.client.get("/redirect/2")

        @task
        def not_followed(self):
            self.client.get("/redirect/1", allow_redirects=False)

        @task
        def missing(self):
            self.client.get("/status/404")

        @task
        def broken(self):
            self.client.get("/status/500")

        @task
        def closing(self):
            self.client.get("/close")
    """
HOPS = {"/redirect/2": [("/redirect/2", 302), ("/redirect/1", 302), ("/redirect/0", 302)],
        "/redirect/0": [("/redirect/0", 302)]}  # fmt: skip
DIGEST_VISITOR = """
    from requests.auth import HTTPDigestAuth
    from swell import HttpUser, task

    class Member(HttpUser):
        def on_start(self):
            self.auth, self.other_auth = (HTTPDigestAuth("swell", "secret") for _ in range(2))

        @task
        def private(self):
            self.client.get("DIGEST/digest/md5/auth?uses=3", auth=self.auth)

        @task
        def private_post(self):
            self.client.post("DIGEST/digest/sha-256/auth-int?uses=2", data=b"12345", auth=self.other_auth)

        @task
        def wrong(self):
            self.client.get("DIGEST/digest/md5/both", auth=HTTPDigestAuth("swell", "wrong"))

        @task
        def public(self):
            self.client.get("/redirect/0")
    """


@pytest.fixture
def target() -> Iterator[Nginx]:
    with nginx() as server:
        yield server


@pytest.fixture
def guarded() -> Iterator[DigestServer]:
    with digest_server() as server:
        yield server


def expected_lines(ended: Ended) -> Lines:
    """What the log must hold, by the result: every call's last hop, and the hops before it."""
    lines: Lines = collections.Counter()
    for series in ended.result["series"]:
        for status, count in series["statuses"].items():
            name = series["name"]
            redirected = name in HOPS
            for hop in HOPS.get(name, []):
                lines[hop] += count
            lines["/ok" if redirected else name, int(status)] += count
    return lines


def check_against(target: Nginx, ended: Ended) -> None:
    target.stop()
    ended.check_sums()
    accounting = ended.result["accounting"]
    log = target.log()
    assert expected_lines(ended) == target.counts()
    assert (accounting["sent"], accounting["answered"], accounting["unanswered"]) == (len(log), len(log), 0)
    assert accounting["redirected"] == sum(line.status == 302 for line in log) - not_followed(ended)
    assert ended.result["totals"]["requests"] == len(log) - accounting["redirected"]


def not_followed(ended: Ended) -> int:
    return sum(series["statuses"].get("302", 0) for series in ended.result["series"])


@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_line_of_the_log_is_in_the_result_of_a_run_ended_by_time(
    swell: Start, target: Nginx, workers: str
) -> None:
    ended = swell(VISITOR, "-H", target.url, "-u", "12", "-r", "24", "-t", "2s", "-w", workers).finish()
    check_against(target, ended)
    assert ended.result["run"]["end"] == "completed"
    assert ended.exit_code == ended.documented_exit_code > 0
    assert len(ended.result["workers"]) == int(workers)
    assert all(worker["sent"] for worker in ended.result["workers"])
    assert len(target.log()) > 500


def interrupt_the_group(run: SwellRun) -> None:
    run.signal_group(signal.SIGINT)


def interrupt_the_controller(run: SwellRun) -> None:
    run.signal(signal.SIGINT)


def terminate(run: SwellRun) -> None:
    run.signal(signal.SIGTERM)


@pytest.mark.parametrize("end", [interrupt_the_group, interrupt_the_controller, terminate])
def test_every_line_of_the_log_is_in_the_result_of_a_run_ended_by_a_signal(
    swell: Start, target: Nginx, end: Callable[[SwellRun], None]
) -> None:
    run = swell(VISITOR, "-H", target.url, "-u", "12", "-r", "24", "-w", "2")
    run.wait_until(lambda: len(target.log()) > 1_000, "a thousand requests")
    end(run)
    ended = run.finish()
    check_against(target, ended)
    assert ended.result["run"]["end"] == "stopped"
    assert ended.exit_code == ended.documented_exit_code > 0


def test_connections_that_are_closed_all_the_time_lose_no_exchange(swell: Start) -> None:
    with nginx(locations="keepalive_requests 10;") as target:
        ended = swell(VISITOR, "-H", target.url, "-u", "12", "-t", "2s").finish()
        check_against(target, ended)
        log = target.log()
        assert max(line.nth_on_connection for line in log) == 10
        assert len({line.connection for line in log}) > len(log) / 10


def test_requests_that_cross_the_close_of_an_idle_connection_are_retried_and_counted(swell: Start) -> None:
    reader = """
        from swell import HttpUser, between, task

        class Reader(HttpUser):
            wait_time = between(0.018, 0.022)

            @task
            def read(self):
                self.client.get("/124.html")
        """
    with nginx(locations="keepalive_timeout 20ms;") as target:
        ended = swell(reader, "-H", target.url, "-u", "100", "-t", "3s").finish()
        target.stop()
        log, accounting = target.log(), ended.result["accounting"]
        ended.check_sums()
        assert ended.errors() == {}
        assert ended.result["totals"]["requests"] == accounting["answered"] == len(log)
        assert accounting["unanswered"] == accounting["retried"]
        assert max(line.nth_on_connection for line in log) > 1


def test_a_server_that_drops_every_second_request_is_asked_again_each_time_and_once(swell: Start) -> None:
    reader = """
        from swell import HttpUser, constant, task

        class Reader(HttpUser):
            wait_time = constant(0.01)

            @task
            def read(self):
                self.client.get("/close/next")
        """
    with hostile() as target:
        ended = swell(reader, "-H", target.url, "-u", "5", "-t", "2s").finish()
        accounting = ended.result["accounting"]
        ended.check_sums()
        assert ended.exit_code == ended.documented_exit_code
        assert ended.result["totals"]["requests"] == accounting["answered"]
        assert accounting["retried"] == accounting["unanswered"] == accounting["answered"] - 5
        assert len(target.log()) == accounting["answered"] + accounting["unanswered"]


def test_digest_challenges_and_redirects_are_exchanges_of_their_calls(
    swell: Start, target: Nginx, guarded: DigestServer
) -> None:
    script = DIGEST_VISITOR.replace("DIGEST", guarded.url)
    ended = swell(script, "-H", target.url, "-u", "8", "-t", "2s", "-w", "2").finish()
    target.stop()
    ended.check_sums()
    accounting = ended.result["accounting"]
    lines, log = guarded.counts(), guarded.log()
    assert accounting["sent"] == accounting["answered"] == len(log) + len(target.log())
    for path, status in (("/digest/md5/auth?uses=3", 200), ("/digest/sha-256/auth-int?uses=2", 200)):
        series = ended.series(guarded.url + path)
        assert series["statuses"] == {str(status): lines[path, status]}
        assert lines[path, 401] > 0
    wrong = ended.series(f"{guarded.url}/digest/md5/both")
    assert wrong["statuses"] == {"401": wrong["requests"]}
    assert lines["/digest/md5/both", 401] == 2 * wrong["requests"]
    assert target.counts() == {("/redirect/0", 302): accounting["redirected"], ("/ok", 200): accounting["redirected"]}


def test_each_line_of_the_log_carries_the_number_of_one_exchange_and_none_comes_twice(
    swell: Start, target: Nginx
) -> None:
    options = ("-u", "12", "-t", "2s", "-w", "2", "--request-id-header", "X-Request-Id")
    ended = swell(VISITOR, "-H", target.url, *options).finish()
    check_against(target, ended)
    numbers = collections.defaultdict(list)
    for line in target.log():
        run, worker, number = line.request_id.split("/")
        assert run == ended.result["run"]["id"]
        numbers[worker].append(int(number))
    sent = {f"{worker['id']}.{worker['incarnation']}": worker["sent"] for worker in ended.result["workers"]}
    assert {worker: sorted(seen) for worker, seen in numbers.items()} == {
        worker: list(range(1, count + 1)) for worker, count in sent.items()
    }


def test_calls_that_are_cut_off_at_the_end_are_sent_and_unanswered(swell: Start, target: Nginx) -> None:
    waiter = """
        from swell import HttpUser, task

        class Waiter(HttpUser):
            @task
            def wait_for_it(self):
                self.client.get("/slow", headers={"Accept-Encoding": "identity"})
        """
    run = swell(waiter, "-H", target.url, "-u", "10", "-r", "1000", "-t", "1s", "--stop-timeout", "0.3")
    ended = run.finish()
    target.stop()
    log, accounting = target.log(), ended.result["accounting"]
    assert ended.took_s < 6
    assert (accounting["sent"], accounting["answered"], accounting["unanswered"]) == (10, 0, 10)
    assert [line.completed for line in log] == [False] * 10


def test_a_second_interrupt_ends_the_run_at_once(swell: Start, target: Nginx) -> None:
    waiter = """
        from swell import HttpUser, task

        class Waiter(HttpUser):
            @task
            def wait_for_it(self):
                self.client.get("/hello.txt")
                self.client.get("/slow", headers={"Accept-Encoding": "identity"})
        """
    run = swell(waiter, "-H", target.url, "-u", "4", "--stop-timeout", "600")
    run.wait_until(lambda: len(target.log()) >= 4, "the first requests")
    workers = run.workers()
    run.signal_group(signal.SIGINT)
    time.sleep(0.3)  # nobody is quicker, and two signals pending at once would be one
    run.signal_group(signal.SIGINT)
    ended = run.finish(10)
    assert ended.exit_code == 130
    assert not any(worker.is_running() for worker in workers)
