"""A run as OpenTelemetry's metrics, encoded by its own exporter and read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics

from swell.plan import Scenario
from swell.report.metrics import families
from swell.report.otlp import HTTP_DURATION, MOST_BUCKETS, metrics_data, resource_of
from swell.result import RunResult
from tests.report import sample_results
from tests.report.test_metrics import RESULTS

STARTED_NS, NOW_NS = 1_000_000_000, 11_000_000_000


def pushed(result: RunResult) -> Any:
    """The request that goes to the collector, read back from its bytes."""
    resource = resource_of(result.run, result.plan, "1.2.3")
    request = encode_metrics(metrics_data(families(result), result.plan, resource, STARTED_NS, NOW_NS))
    return type(request).FromString(request.SerializeToString())


def metrics_of(result: RunResult) -> dict[str, Any]:
    (of_resource,) = pushed(result).resource_metrics
    (of_scope,) = of_resource.scope_metrics
    found = {metric.name: metric for metric in of_scope.metrics}
    assert len(found) == len(of_scope.metrics)
    return found


def attributes_of(point: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in point.attributes}


@pytest.mark.parametrize("make", RESULTS.values(), ids=RESULTS)
def test_whatever_the_run_its_histograms_are_whole(make: Callable[[], RunResult]) -> None:
    for metric in metrics_of(make()).values():
        for point in metric.exponential_histogram.data_points:
            assert point.count == point.zero_count + sum(point.positive.bucket_counts)
            assert len(point.positive.bucket_counts) <= MOST_BUCKETS
            assert (point.start_time_unix_nano, point.time_unix_nano) == (STARTED_NS, NOW_NS)


def test_failed_calls_are_apart_from_the_others_by_an_attribute() -> None:
    duration = metrics_of(sample_results.ended())[HTTP_DURATION]
    assert duration.unit == "s"
    submit = [point for point in duration.exponential_histogram.data_points if "/submit" in str(point.attributes)]
    assert [(attributes_of(point).get("error.type"), point.count) for point in submit] == [(None, 320), ("_OTHER", 24)]
    assert attributes_of(submit[0]) == {
        "swell.scenario": "Contestant",
        "http.request.method": "GET",
        "url.template": "/submit",
        "server.address": "127.0.0.1",
        "server.port": 8000,
    }


def test_counts_are_cumulative_sums_with_the_status_as_a_number() -> None:
    requests = metrics_of(sample_results.ended())["swell.requests"].sum
    assert (requests.is_monotonic, requests.aggregation_temporality) == (True, 2)
    statuses = {attributes_of(point)["http.response.status_code"]: point.as_double for point in requests.data_points}
    assert statuses[503] == 24


def test_what_the_script_measured_keeps_its_unit() -> None:
    found = metrics_of(sample_results.measured())
    own = {"swell.scenario": "Contestant"}
    (depth,) = found["swell.measure.trend"].exponential_histogram.data_points
    assert (depth.count, depth.sum, depth.min, depth.max) == (2, 45, 5, 40)
    assert attributes_of(depth) == {**own, "swell.name": "depth"}
    assert found["swell.measure.trend"].unit == "1"
    (orders,) = found["swell.measure.counter"].sum.data_points
    assert (orders.as_double, attributes_of(orders)) == (7.5, {**own, "swell.name": "orders"})
    (queue,) = found["swell.measure.gauge"].gauge.data_points
    assert queue.as_double == -3.5
    checks = [
        (attributes_of(point)["swell.outcome"], point.as_double) for point in found["swell.checks"].sum.data_points
    ]
    assert checks == [("passed", 6), ("failed", 3)]


def test_failed_transactions_are_apart_from_the_others_by_an_attribute() -> None:
    found = metrics_of(sample_results.measured())
    duration = found["swell.transaction.duration"]
    points = [
        (attributes_of(point).get("error.type"), point.count) for point in duration.exponential_histogram.data_points
    ]
    assert (duration.unit, points) == ("s", [(None, 2), ("_OTHER", 1)])
    assert found["swell.transaction.failures"].sum.data_points[0].as_double == 1


def test_the_generators_health_is_in_a_namespace_of_its_own() -> None:
    cpu = metrics_of(sample_results.running())["swell.worker.cpu"]
    assert [(attributes_of(point), point.as_double) for point in cpu.gauge.data_points] == [
        ({"swell.worker": "0"}, 0.42),
        ({"swell.worker": "1"}, 0.42),
    ]


@pytest.mark.parametrize(
    ("host", "server"),
    [
        ("https://test.example.com", {"server.address": "test.example.com", "server.port": 443}),
        ("http://[::1]:81/base", {"server.address": "::1", "server.port": 81}),
        ("unix:/run/app.sock", {"server.address": "/run/app.sock"}),
        ("", {}),
    ],
)
def test_the_server_is_the_target_of_the_scenario(host: str, server: dict[str, Any]) -> None:
    result = sample_results.ended()
    plan = msgspec.structs.replace(result.plan, host="", scenarios=(Scenario("Contestant", host=host),))
    point = metrics_of(msgspec.structs.replace(result, plan=plan))[HTTP_DURATION].exponential_histogram.data_points[0]
    assert {key: value for key, value in attributes_of(point).items() if key.startswith("server.")} == server


def test_calls_of_another_protocol_are_no_http_requests() -> None:
    result = sample_results.ended()
    named = tuple(msgspec.structs.replace(series, method="SQL") for series in result.series)
    found = metrics_of(msgspec.structs.replace(result, series=named))
    assert HTTP_DURATION not in found
    first = attributes_of(found["swell.response.duration"].exponential_histogram.data_points[0])
    assert first == {"swell.scenario": "Contestant", "swell.method": "SQL", "swell.name": "/"}


def test_the_resource_is_swell_unless_somebody_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = sample_results.plan()
    assert resource_of("r1", plan, "1.2.3").attributes["service.name"] == "swell"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "contest-load")
    attributes = resource_of("r1", plan, "1.2.3").attributes
    assert (attributes["service.name"], attributes["service.instance.id"]) == ("contest-load", "r1")
