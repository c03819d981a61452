"""Metrics while a run goes on: a real Prometheus scrapes them, a real receiver of OTLP takes them."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import re
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tests.e2e.command import SwellRun
from tests.e2e.prometheus import eventually, prometheus

Start = Callable[..., SwellRun]
NAPS = """
    import time
    from swell import User, constant, task

    class Member(User):
        wait_time = constant(0.02)

        @task
        def work(self):
            with self.measure("GET", "/nap"):
                time.sleep(0.01)
    """
NAP = '{scenario="Member",method="GET",name="/nap"}'


def address_of(run: SwellRun) -> str:
    """HOST:PORT of the endpoint, as the run says it."""
    pattern = re.compile(r"metrics for Prometheus are at http://(\S+)/metrics")
    run.wait_until(lambda: pattern.search(run.said), "the address")
    found = pattern.search(run.said)
    assert found is not None
    return found[1]


@pytest.mark.timeout(60)
def test_prometheus_gets_native_histograms_where_it_asks_for_them(swell: Start, tmp_path: Path) -> None:
    run = swell(NAPS, "-u", "4", "-w", "1", "-t", "1m", "--prometheus", "127.0.0.1:0")
    with prometheus(tmp_path, address_of(run), native=True) as server:
        eventually(lambda: server.value(f"swell_requests_total{NAP}") > 100, "a hundred requests")
        requests = server.query(f"swell_requests_total{NAP}")[0]
        at_s = requests["value"][0]
        native = server.query(f"swell_response_seconds{NAP}", at_s)[0]["histogram"][1]
        assert float(native["count"]) == server.value(f"swell_requests_total{NAP}", at_s)
        assert sum(float(bucket[3]) for bucket in native["buckets"]) == float(native["count"])
        assert float(native["buckets"][0][1]) >= 0.009
        assert server.value(f"histogram_quantile(0.01, swell_response_seconds{NAP})") == pytest.approx(0.0101, rel=0.1)
        assert server.query("swell_response_seconds_bucket") == []
        assert server.value("up") == 1
    run.signal(signal.SIGINT)
    assert run.finish().exit_code in (0, 5)


@pytest.mark.timeout(60)
def test_prometheus_gets_classic_buckets_otherwise(swell: Start, tmp_path: Path) -> None:
    run = swell(NAPS, "-u", "4", "-w", "1", "-t", "1m", "--prometheus", "127.0.0.1:0")
    with prometheus(tmp_path, address_of(run), native=False) as server:
        requests = f"swell_requests_total{NAP}"
        eventually(lambda: server.value(requests) > 100, "a hundred requests")
        at_s = server.query(requests)[0]["value"][0]
        assert server.value(f"swell_response_seconds_count{NAP}", at_s) == server.value(requests, at_s)
        below, all_of_them = (NAP.replace("}", f',le="{bound}"}}') for bound in ("0.005", "+Inf"))
        assert server.value(f"swell_response_seconds_bucket{below}", at_s) == 0
        assert server.value(f"swell_response_seconds_bucket{all_of_them}", at_s) == server.value(requests, at_s)
        assert server.value('swell_users{scenario="Member"}') == 4
    run.signal(signal.SIGINT)
    assert run.finish().exit_code in (0, 5)


def test_the_endpoint_answers_only_for_its_path_and_compresses_for_those_who_ask(swell: Start) -> None:
    run = swell(NAPS, "-u", "1", "-w", "1", "-t", "1m", "--prometheus", "[::1]:0")
    host, port = address_of(run).strip("[").split("]:")

    def answer(method: str, path: str, **headers: str) -> tuple[int, bytes]:
        with contextlib.closing(http.client.HTTPConnection(host, int(port))) as connection:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response.status, response.read()

    assert answer("GET", "/") == (404, b"the metrics are at /metrics\n")
    assert answer("POST", "/metrics") == (405, b"")
    assert answer("HEAD", "/metrics") == (200, b"")
    eventually(lambda: b"swell_requests_total" in answer("GET", "/metrics")[1], "requests")
    status, body = answer("GET", "/metrics", **{"Accept-Encoding": "gzip", "Accept": "text/plain"})
    assert status == 200
    assert gzip.decompress(body).startswith(b"# HELP swell_run_info The run.\n")
    with contextlib.closing(socket.create_connection((host, int(port)))) as leaving:
        leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        leaving.sendall(b"GET /metrics HTTP/1.1\r\nHost: swell\r\n\r\n")
    run.wait_until(lambda: "the scraper was gone" in run.said, "a scrape that failed")
    run.signal(signal.SIGINT)
    (export,) = run.finish().result["exports"]
    assert export["to"] == f"http://[::1]:{port}/metrics"
    assert (export["sent"] >= 3, export["failed"], export["skipped"]) == (True, 1, 0)


def test_a_port_in_use_is_a_problem_before_the_run(swell: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = swell(NAPS, "-t", "1s", "--prometheus", f":{port}").finish()
    what = f"cannot listen on 127.0.0.1:{port}: address already in use (port 0 takes any that is free)"
    assert (ended.exit_code, ended.stderr) == (2, f"swell: --prometheus: {what}\n")


class Collector:
    """An OTLP receiver: what was pushed to it, and the status that it answers with."""

    def __init__(self, status: int) -> None:
        self.pushed: list[ExportMetricsServiceRequest] = []
        collector = self

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert (self.path, self.headers["Content-Type"]) == ("/v1/metrics", "application/x-protobuf")
                collector.pushed.append(ExportMetricsServiceRequest.FromString(body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def collector(request: pytest.FixtureRequest) -> Iterator[Collector]:
    made = Collector(getattr(request, "param", 200))
    yield made
    made.server.shutdown()
    made.server.server_close()


def points(pushed: ExportMetricsServiceRequest) -> dict[str, list[tuple[dict[str, Any], Any]]]:
    """Data points by metric, each with its attributes."""
    found: dict[str, list[tuple[dict[str, Any], Any]]] = {}
    for metric in pushed.resource_metrics[0].scope_metrics[0].metrics:
        data = getattr(metric, str(metric.WhichOneof("data")))
        found[metric.name] = [(attributes_of(point.attributes), point) for point in data.data_points]
    return found


def attributes_of(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


@pytest.mark.timeout(60)
def test_a_collector_gets_every_few_seconds_what_the_run_has_come_to(swell: Start, collector: Collector) -> None:
    ended = swell(NAPS, "-u", "4", "-w", "1", "-t", "7s", "-H", "http://a.test:81", "--otlp", collector.url).finish()
    assert ended.exit_code in (0, 5)
    assert "failed, and the run" not in ended.said
    assert ended.result["exports"] == [
        {"to": f"{collector.url}/v1/metrics", "sent": len(collector.pushed), "failed": 0, "skipped": 0, "fault": ""}
    ]
    assert len(collector.pushed) >= 2
    resource = attributes_of(collector.pushed[0].resource_metrics[0].resource.attributes)
    assert (resource["service.name"], resource["service.instance.id"]) == ("swell", ended.result["run"]["id"])
    first, last = points(collector.pushed[0]), points(collector.pushed[-1])
    ((attributes, duration),) = last["http.client.request.duration"]
    assert attributes == {
        "swell.scenario": "Member",
        "http.request.method": "GET",
        "url.template": "/nap",
        "server.address": "a.test",
        "server.port": 81,
    }
    nap, response = ended.series("/nap"), ended.series("/nap")["response_ms"]
    assert duration.count == nap["requests"] == sum(duration.positive.bucket_counts)
    assert duration.sum * 1e3 == pytest.approx(response["mean"] * response["count"])
    assert (duration.min * 1e3, duration.max * 1e3) == pytest.approx((response["min"], response["max"]))
    assert len(duration.positive.bucket_counts) <= 160
    ((_, requests),) = last["swell.requests"]
    assert requests.as_double == nap["requests"]
    ((_, before),) = first["swell.requests"]
    assert 0 < before.as_double < requests.as_double
    assert (
        before.start_time_unix_nano == requests.start_time_unix_nano < before.time_unix_nano < requests.time_unix_nano
    )


@pytest.mark.parametrize("collector", [400], indirect=True)
def test_failed_pushes_are_counted_and_the_run_goes_on(swell: Start, collector: Collector) -> None:
    ended = swell(NAPS, "-u", "2", "-w", "1", "-t", "2s", "--otlp", collector.url).finish()
    assert ended.exit_code in (0, 5)
    url = f"{collector.url}/v1/metrics"
    assert f"swell: a push to {url} failed, and the run goes on: " in ended.stderr
    assert f"exports     {url}: 1 of 1 failed\n" in ended.stdout
    (export,) = ended.result["exports"]
    assert (export["to"], export["sent"], export["failed"]) == (url, 0, 1)
    assert export["fault"]


def test_without_the_extra_it_is_said_how_to_install_it(swell: Start, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['opentelemetry.sdk.metrics'] = None\n")
    ended = swell(NAPS, "--otlp", "http://127.0.0.1:1", environment={"PYTHONPATH": str(tmp_path)}).finish()
    assert ended.exit_code == 2
    assert ended.stderr.endswith("is not installed (pip install 'swell[otel]')\n")
