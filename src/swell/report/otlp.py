"""A run as OpenTelemetry's metrics: cumulative since its start, durations in exponential histograms.

Names and attributes are those of https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ where there are such:
`http.client.request.duration` by `http.request.method` and `url.template`. What is swell's own begins with `swell.`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Buckets,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from swell.histogram import Histogram
from swell.plan import RunPlan
from swell.report.exponential import fitted
from swell.report.families import Family, FamilySort, Sample
from swell.report.prometheus_text import printable

SCHEMA_URL = "https://opentelemetry.io/schemas/1.37.0"
MOST_BUCKETS = 160
"""What OpenTelemetry's own exponential histograms have by default."""
HTTP_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}
HTTP_DURATION = "http.client.request.duration"
TEXTS = {
    HTTP_DURATION: "Duration of HTTP client requests.",
    "swell.response.duration": "How long calls took, as a person would have felt it.",
    "swell.transaction.duration": "How long the calls of transactions took together.",
}
"""What two families are in."""
UNITS = {"seconds": "s", "bytes": "By", "ratio": "1", "": "1"}
NAMESPACED = re.compile(r"^(worker|run|exchanges|transaction|measure)_")
FAILED = "failed_"
"""What families of failed calls and transactions begin with."""
DEFAULT_PORTS = {"http": 80, "https": 443}
CUMULATIVE = AggregationTemporality.CUMULATIVE
Attributes = dict[str, str | int]


def metrics_data(
    families: Iterable[Family], plan: RunPlan, resource: Resource, started_ns: int, now_ns: int
) -> MetricsData:
    """What is pushed. Instants are nanoseconds since 1970."""
    hosts = {scenario.name: plan.host or scenario.host for scenario in plan.scenarios}
    servers = {name: _server(host) for name, host in hosts.items()}
    numbers: dict[str, tuple[Family, list[NumberDataPoint]]] = {}
    durations: dict[str, tuple[Family, list[ExponentialHistogramDataPoint]]] = {}
    for family in families:
        for sample in family.samples:
            name, attributes = _named(family, sample, servers)
            if isinstance(sample.value, Histogram):
                point = _distribution(sample.value, family, attributes, started_ns, now_ns)
                durations.setdefault(name, (family, []))[1].append(point)
            else:
                number = NumberDataPoint(attributes, started_ns, now_ns, sample.value)
                numbers.setdefault(name, (family, []))[1].append(number)
    metrics = [
        *(_of_numbers(name, family, points) for name, (family, points) in numbers.items()),
        *(_of_durations(name, family, points) for name, (family, points) in durations.items()),
    ]
    scope = InstrumentationScope("swell", str(resource.attributes.get(SERVICE_VERSION, "")))
    return MetricsData([ResourceMetrics(resource, [ScopeMetrics(scope, metrics, SCHEMA_URL)], SCHEMA_URL)])


def resource_of(run: str, plan: RunPlan, version: str) -> Resource:
    """Who reports. OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES add to it, as everywhere."""
    surroundings = Resource.create()
    ours = {SERVICE_VERSION: version, SERVICE_INSTANCE_ID: run, "swell.script": printable(plan.script)}
    if str(surroundings.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        ours[SERVICE_NAME] = "swell"
    return surroundings.merge(Resource(ours))


def _named(family: Family, sample: Sample, servers: Mapping[str, Attributes]) -> tuple[str, Attributes]:
    """The metric that a sample belongs to, and its attributes."""
    labels = {name: printable(value) for name, value in sample.labels.items() if value}
    scenario, method, name = (labels.pop(key, "") for key in ("scenario", "method", "name"))
    attributes: Attributes = {f"swell.{label}": value for label, value in labels.items() if label != "status"}
    if scenario:
        attributes["swell.scenario"] = scenario
    status = labels.get("status", "")
    if status.isdigit():
        attributes["http.response.status_code"] = int(status)
    is_http = method in HTTP_METHODS
    if is_http:
        attributes |= {"http.request.method": method, "url.template": name, **servers.get(scenario, {})}
    elif method or name:
        attributes |= {"swell.method": method} if method else {}
        attributes["swell.name"] = name
    failed = family.name.startswith(FAILED)
    if failed:
        attributes["error.type"] = "_OTHER"
    if is_http and family.name in ("response", "failed_response"):
        return HTTP_DURATION, attributes
    own = NAMESPACED.sub(r"\1.", family.name.removeprefix(FAILED))
    lasts = family.sort is FamilySort.HISTOGRAM and family.unit == "seconds"
    return f"swell.{own}.duration" if lasts else f"swell.{own}", attributes


def _server(host: str) -> Attributes:
    if host.startswith("unix:"):
        return {"server.address": host.removeprefix("unix:")}
    parts = urlsplit(host)
    if not parts.hostname:
        return {}
    return {"server.address": parts.hostname, "server.port": parts.port or DEFAULT_PORTS.get(parts.scheme, 80)}


def _of_numbers(name: str, family: Family, points: list[NumberDataPoint]) -> Metric:
    counts = family.sort is FamilySort.COUNTER
    data = Sum(points, CUMULATIVE, is_monotonic=True) if counts else Gauge(points)
    return Metric(name, family.text, UNITS[family.unit], data)


def _of_durations(name: str, family: Family, points: list[ExponentialHistogramDataPoint]) -> Metric:
    return Metric(name, TEXTS.get(name, family.text), UNITS[family.unit], ExponentialHistogram(points, CUMULATIVE))


def _distribution(
    histogram: Histogram, family: Family, attributes: Attributes, started_ns: int, now_ns: int
) -> ExponentialHistogramDataPoint:
    found = fitted(histogram, MOST_BUCKETS, family.one_ns)
    return ExponentialHistogramDataPoint(
        attributes=attributes,
        start_time_unix_nano=started_ns,
        time_unix_nano=now_ns,
        count=found.count,
        sum=found.sum,
        scale=found.scale,
        zero_count=found.zero_count,
        positive=Buckets(found.first, found.counts),
        negative=Buckets(0, ()),
        flags=0,
        min=found.min,
        max=found.max,
    )
