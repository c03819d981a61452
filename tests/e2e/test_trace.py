"""`--trace`: what the target's own log says of the header is what the result says of the traces."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.command import SwellRun
from tests.targets.nginx import Nginx, nginx

Start = Callable[..., SwellRun]
HEADER = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-01")

VISITOR = """
    from swell import HttpUser, StopUser, task

    class Visitor(HttpUser):
        @task
        def visit(self):
            for _ in range(40):
                self.client.get("/124.html")
                self.client.get("/redirect/2")
                self.client.get("/status/500")
            raise StopUser
    """


@pytest.fixture
def target() -> Iterator[Nginx]:
    with nginx(request_id_header="traceparent") as server:
        yield server


@pytest.mark.parametrize(("ratio", "workers"), [("25%", "2"), ("1", "1")])
def test_the_traces_of_the_slowest_and_of_failures_can_be_looked_up(
    swell: Start, target: Nginx, ratio: str, workers: str
) -> None:
    options = ("-u", "6", "-r", "100", "-w", workers, "--seed", "3", "-t", "20s")
    ended = swell(VISITOR, "-H", target.url, *options, "--trace", ratio).finish()
    target.stop()
    log, calls = target.log(), 6 * 40 * 3
    assert ended.result["totals"]["requests"] == calls
    marked = [(line, found) for line in log if (found := HEADER.fullmatch(line.request_id))]
    assert all(line.request_id == "" for line in log if not HEADER.fullmatch(line.request_id))
    assert len({found[2] for _, found in marked}) == len(marked)
    exchanges = Counter(found[1] for _, found in marked)
    share = len(exchanges) / calls
    assert share == 1 if ratio == "1" else 0.15 < share < 0.35
    targets = {found[1]: (line.target, line.status) for line, found in marked}
    traces = ended.result["traces"]
    assert Counter((row["name"], row["error"]) for row in traces) == {
        ("/124.html", None): 3,
        ("/redirect/2", None): 3,
        ("/status/500", "HTTP 500"): 3,
    }
    for row in traces:
        assert exchanges[row["trace_id"]] == (4 if row["name"] == "/redirect/2" else 1)
        assert row["status"] == (500 if row["error"] else 200)
        if row["name"] != "/redirect/2":
            assert targets[row["trace_id"]] == (row["name"], row["status"])
    assert sum(row["trace_id"] in ended.stdout for row in traces) == 8
    assert "(and 1 more: --json has them all)" in ended.stdout
    if ratio == "1":
        [page] = (row for row in ended.result["series"] if row["name"] == "/124.html")
        slowest = [row["response_ms"] for row in traces if row["name"] == "/124.html"]
        assert slowest[0] == page["response_ms"]["max"] == max(slowest)


def test_the_same_seed_marks_the_same_calls_under_other_ids(swell: Start, target: Nginx) -> None:
    script = VISITOR.replace("range(40)", "range(10)")
    options = ("-u", "1", "-t", "20s", "--seed", "3", "--trace", "0.3")
    for _ in range(2):
        swell(script, "-H", target.url, *options).finish()
    target.stop()
    ids = [line.request_id for line in target.log()]
    first, second = ids[: len(ids) // 2], ids[len(ids) // 2 :]
    assert [bool(id_) for id_ in first] == [bool(id_) for id_ in second]
    assert 0 < sum(map(bool, first)) < len(first)
    assert not set(filter(None, first)) & set(filter(None, second))


def test_without_it_there_is_no_header(swell: Start, target: Nginx) -> None:
    ended = swell(VISITOR, "-H", target.url, "-t", "20s").finish()
    target.stop()
    assert {line.request_id for line in target.log()} == {""}
    assert ended.result["traces"] == []


@pytest.mark.parametrize("ratio", ["2", "-0.1", "nan", "many", "101%"])
def test_what_is_no_share_is_refused(swell: Start, target: Nginx, ratio: str) -> None:
    ended = swell(VISITOR, "-H", target.url, f"--trace={ratio}").finish()
    assert ended.exit_code == 2
    assert "--trace" in ended.stderr
