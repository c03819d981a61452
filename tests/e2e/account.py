"""A user who does a bit of everything, and what nginx's log must then hold by the result."""

from __future__ import annotations

import collections

from tests.e2e.command import Ended
from tests.targets.nginx import Nginx

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
