"""What the result says was sent is what the target's own log has lines for: exactly, per URL and status."""

from __future__ import annotations

import collections
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.account import VISITOR, check_against
from tests.e2e.command import SwellRun
from tests.targets.digest import DigestServer, digest_server
from tests.targets.nginx import Nginx, nginx
from tests.targets.tls import Authority

Start = Callable[..., SwellRun]

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


@pytest.mark.parametrize("way", ["TLS", "a unix socket", "IPv6"])
def test_every_line_of_the_log_is_in_the_result_whatever_the_connections_are(
    swell: Start, tmp_path: Path, way: str
) -> None:
    authority = Authority(tmp_path)
    with nginx(certificate=authority.server(), locations="keepalive_requests 100;") as target:
        urls = {"TLS": target.tls_url, "a unix socket": f"unix:{target.unix_path}", "IPv6": target.ipv6_url}
        trusting = {"SSL_CERT_FILE": str(authority.certificate)}
        ended = swell(VISITOR, "-H", urls[way], "-u", "6", "-r", "60", "-t", "1s", environment=trusting).finish()
        check_against(target, ended)
        assert len(target.log()) > 300
        assert any(line.tls_reused for line in target.log()) == (way == "TLS")


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
