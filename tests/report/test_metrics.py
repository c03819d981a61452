"""A run as metrics: which there are, and how they look to Prometheus in each of its formats."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families

from swell.histogram import Histogram
from swell.report.families import Family, FamilySort
from swell.report.metrics import families
from swell.report.prometheus_protobuf import SCHEMA, is_wanted, protobuf
from swell.report.prometheus_text import BOUNDS_S, bounds_of, bucket_counts, full_name, printable, text
from swell.result import RunResult
from swell.stats import packed
from tests.report import sample_results
from tests.report.prometheus_messages import labels_of, native_counts, read
from tests.stats.worker_runs import WorkerRun, merged, runs

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"
SUBMIT = {"scenario": "Contestant", "method": "GET", "name": "/submit", "tags": ""}
RESULTS = {
    "running": sample_results.running,
    "ended": sample_results.ended,
    "troubled": sample_results.troubled,
    "without requests": sample_results.without_requests,
    "hostile": sample_results.hostile,
    "of many series": lambda: sample_results.of_many_series(100, 3),
    "measured": sample_results.measured,
}
whatever_the_run = pytest.mark.parametrize("make", RESULTS.values(), ids=RESULTS)


def values(result: RunResult) -> dict[str, dict[tuple[str, ...], Any]]:
    """Every value by its family and the values of its labels."""
    return {
        family.name: {tuple(sample.labels.values()): sample.value for sample in family.samples}
        for family in families(result)
    }


def test_the_metrics_of_a_run_are_those_of_its_table() -> None:
    found = values(sample_results.ended())
    submit = tuple(SUBMIT.values())
    assert found["requests"][(*submit, "200")] == 320
    assert found["requests"][(*submit, "503")] == found["failures"][submit] == 24
    assert sum(found["requests"].values()) == 2_024
    assert (found["response"][submit].total, found["failed_response"][submit].total) == (320, 24)
    assert found["received"][submit] == 344_000
    assert found["users"] == {("Contestant",): 0}
    assert found["exchanges"] == {("answered",): 2_000, ("unanswered",): 0, ("not_sent",): 0}
    assert found["exchanges_sent"] == {(): 2_000}
    assert found["workers"] == {(): 2}
    assert values(sample_results.running())["worker_cpu"] == {("0",): 0.42, ("1",): 0.42}


def test_what_the_script_measured_is_there_by_scenario_and_name() -> None:
    found = values(sample_results.measured())
    of = "Contestant"
    assert found["checks"] == {(of, "has a title", "passed"): 6, (of, "has a title", "failed"): 3}
    assert found["transactions"] == {(of, "checkout"): 3}
    assert found["transaction_failures"] == {(of, "checkout"): 1}
    assert found["transaction"][of, "checkout"].total == 2
    assert found["failed_transaction"][of, "checkout"].total == 1
    assert found["measure_counter"] == {(of, "orders"): 7.5}
    assert found["measure_gauge"] == {(of, "queue"): -3.5}
    assert found["measure_rate"] == {(of, "cached", "true"): 1, (of, "cached", "false"): 1}
    assert "requests" not in found


def test_a_trend_is_in_its_own_unit() -> None:
    depth = 'name="depth",scenario="Contestant"}'
    body, _ = text(families(sample_results.measured()), "")
    lines = body.decode().splitlines()
    assert f"swell_measure_trend_sum{{{depth} 45.0" in lines
    assert f'swell_measure_trend_bucket{{le="5.0",{depth} 1.0' in lines
    assert f'swell_measure_trend_bucket{{le="50.0",{depth} 2.0' in lines


def test_a_worker_that_was_lost_has_no_health() -> None:
    assert list(values(sample_results.troubled())["worker_cpu"]) == [("0",)]


def test_a_call_without_a_response_has_no_status_and_an_odd_status_is_its_class() -> None:
    result = sample_results.ended()
    tables = packed.unpack(result.whole)
    keys = tables.tally.keys.copy()
    keys[:2] &= np.uint64(~(0xFFFF << 24) & (1 << 64) - 1)
    keys[1] |= np.uint64(299 << 24)
    tally = dataclasses.replace(tables.tally, keys=keys)
    whole = packed.pack(0, result.whole.to_s, dataclasses.replace(tables, tally=tally))
    statuses = [key[-1] for key in values(msgspec.structs.replace(result, whole=whole))["requests"]]
    assert statuses == ["none", "2xx", "200", "200", "200", "200", "503"]


@whatever_the_run
def test_every_sample_of_a_family_has_the_same_labels_and_no_two_the_same_values(make: Callable[[], RunResult]) -> None:
    for family in families(make()):
        assert len({tuple(sample.labels) for sample in family.samples}) == 1
        assert len({tuple(sample.labels.values()) for sample in family.samples}) == len(family.samples)


@whatever_the_run
def test_prometheus_own_parser_reads_what_was_written(make: Callable[[], RunResult]) -> None:
    result = make()
    body, content_type = text(families(result), "")
    assert content_type.startswith("text/plain")
    read_back = {family.name: family for family in text_string_to_metric_families(body.decode())}
    for family in families(result):
        samples = read_back[full_name(family)].samples
        for sample in family.samples:
            labels = {name: printable(value) for name, value in sample.labels.items()}
            if isinstance(sample.value, Histogram):
                mine = [one for one in samples if {k: v for k, v in one.labels.items() if k != "le"} == labels]
                by_bound = {one.labels["le"]: one.value for one in mine if one.name.endswith("_bucket")}
                assert list(by_bound.values()) == [*bucket_counts(sample.value, family), sample.value.total]
                assert list(map(float, by_bound)) == [*bounds_of(family), math.inf]
            else:
                assert [one.value for one in samples if one.labels == labels] == [sample.value]


@whatever_the_run
def test_open_metrics_are_read_too(make: Callable[[], RunResult]) -> None:
    body, content_type = text(families(make()), OPEN_METRICS)
    assert content_type.startswith("application/openmetrics-text")
    assert "swell_run_info" in {sample.name for family in open_metrics(body.decode()) for sample in family.samples}


@whatever_the_run
def test_the_protobuf_says_what_the_text_says(make: Callable[[], RunResult]) -> None:
    result = make()
    read_back = read(protobuf(families(result)))
    for family in families(result):
        counter = family.sort is FamilySort.COUNTER
        found = read_back[full_name(family) + "_total" * counter]
        assert found.help == family.text
        assert len(found.metric) == len(family.samples)
        for metric, sample in zip(found.metric, family.samples, strict=True):
            assert labels_of(metric) == {name: printable(value) for name, value in sample.labels.items() if value}
            if isinstance(sample.value, Histogram):
                assert_same_histogram(metric.histogram, sample.value, family)
            else:
                assert (metric.counter if counter else metric.gauge).value == sample.value


def assert_same_histogram(found: Any, histogram: Histogram, family: Family) -> None:
    assert (found.sample_count, found.schema) == (histogram.total, SCHEMA)
    assert found.sample_sum == pytest.approx(histogram.sum_ns / family.one_ns)
    assert [bucket.upper_bound for bucket in found.bucket] == list(bounds_of(family))
    assert [bucket.cumulative_count for bucket in found.bucket] == bucket_counts(histogram, family)
    native = native_counts(found)
    assert found.zero_count + sum(native.values()) == histogram.total
    assert all(count > 0 for count in native.values())
    base = 2.0 ** (2.0**-SCHEMA)
    if native:
        assert base ** (min(native) - 1) <= histogram.min_ns * 1.005 / family.one_ns or found.zero_count
        assert base ** max(native) >= histogram.max_ns / 1.005 / family.one_ns


@given(runs)
@settings(max_examples=30, deadline=None)
def test_native_buckets_hold_every_call_of_any_run(workers: tuple[WorkerRun, ...]) -> None:
    result = merged(one for worker in workers for one in worker.segments).snapshot()
    for family in families(result):
        for sample in family.samples:
            if isinstance(sample.value, Histogram):
                found = read(protobuf([family]))[full_name(family)]
                assert sum(metric.histogram.sample_count for metric in found.metric) == sum(
                    one.value.total for one in family.samples if isinstance(one.value, Histogram)
                )


def test_a_duration_counts_under_the_bound_that_it_does_not_exceed() -> None:
    histogram = Histogram()
    for ms in (0, 0.99, 1.01, 990, 1_010, 59_000, 61_000):
        histogram.add(round(ms * 1e6))
    family = Family("response", "", FamilySort.HISTOGRAM, "seconds", ())
    found = dict(zip(BOUNDS_S, bucket_counts(histogram, family), strict=True))
    assert (found[0.001], found[0.0025], found[1.0], found[2.5], found[60.0]) == (2, 3, 4, 5, 6)


def test_what_no_label_can_hold_is_escaped_and_what_is_too_long_is_cut() -> None:
    assert printable("/\ud800") == "/\\ud800"
    long, longer = printable("x" * 301), printable("x" * 302)
    assert long.startswith("x" * 300 + "…")
    assert len(long) == 309
    assert long != longer


ACCEPTS = {
    "": False,
    "*/*": False,
    "text/plain": False,
    "application/vnd.google.protobuf": False,
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text": False,
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited": True,
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0": False,
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=x": False,
    (
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.8,"
        "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.2"
    ): True,
    (
        "application/openmetrics-text;version=1.0.0;q=0.6,"
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.3"
    ): False,
}


@pytest.mark.parametrize(("accept", "wanted"), ACCEPTS.items())
def test_native_histograms_are_for_those_who_ask_for_them(accept: str, wanted: bool) -> None:
    assert is_wanted(accept) is wanted


def test_names_follow_the_conventions() -> None:
    names = {
        full_name(family) + "_total" * (family.sort is FamilySort.COUNTER)
        for family in families(sample_results.ended())
    }
    assert {
        "swell_response_seconds",
        "swell_requests_total",
        "swell_sent_bytes_total",
        "swell_worker_cpu_ratio",
    } < names
    assert [name for name in names if not re.fullmatch(r"swell(_[a-z]+)+", name)] == []
