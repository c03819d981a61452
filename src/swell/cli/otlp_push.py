"""Pushes a run's metrics to an OpenTelemetry collector every few seconds, and once more at its end.

A push goes on in a greenlet of its own; while one is under way no other begins. One that fails is counted, and the
first such is said: the run does not wait for it.
"""

from __future__ import annotations

import importlib
import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import gevent

import swell
from swell.cli.contained import LONGEST, Contained
from swell.errors import Problem
from swell.plan import RunPlan, host_faults
from swell.result import ExportCount, RunResult

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData

PATH = "/v1/metrics"
EVERY_S = 5.0
TIMEOUT_S = 4.0
LOGGER = "opentelemetry.exporter.otlp"
CAUSED = re.compile(r"\(Caused by .*: ([^:]+?)[\"']\)\)")
NEEDED = ("opentelemetry.sdk.metrics", "opentelemetry.exporter.otlp.proto.http.metric_exporter")


def problems(url: str, flag: str) -> list[Problem]:
    """Why nothing can be pushed there."""
    if not url:
        return []
    found = [Problem(text, flag) for text in host_faults(url)]
    if url.startswith("unix:"):
        found.append(Problem("a collector is reached over HTTP", flag, "for example http://localhost:4318"))
    try:
        for module in NEEDED:
            importlib.import_module(module)
    except ImportError as error:
        found.append(Problem(f"{error.name or error} is not installed", flag, "pip install 'swell[otel]'"))
    return found


def endpoint_of(url: str) -> str:
    """Where metrics go: a URL without a path is that of the collector."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=PATH)) if parts.path in ("", "/") else url


class OtlpPush:
    """The observer that pushes. `note` says the first time that it could not."""

    name = "the pushes to OpenTelemetry"

    def __init__(self, url: str, run: str, plan: RunPlan, note: Callable[[str], None]) -> None:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

        from swell.report.otlp import resource_of

        self._url = endpoint_of(url)
        self._plan = plan
        self._resource = resource_of(run, plan, swell.__version__)
        self._exporter = OTLPMetricExporter(endpoint=self._url, timeout=TIMEOUT_S)
        self._note = note
        self._first_words = _FirstWords()
        self._push: gevent.Greenlet[..., None] | None = None
        self._pushed_s = 0.0
        self._instant_ns = 0
        self._sent = self._failed = self._skipped = 0
        self._fault = ""
        _listen_to_exporter(self._first_words)

    def __repr__(self) -> str:
        return f"<OtlpPush to {self._url}, {self._sent} sent, {self._failed} failed>"

    def observe(self, result: RunResult) -> None:
        """Push it, if it is time."""
        if result.at_s - self._pushed_s < EVERY_S:
            return
        self._pushed_s = result.at_s
        if self._push is not None and not self._push.dead:
            self._skipped += 1
            return
        self._push = gevent.spawn(self._export, result)

    def ended(self, result: RunResult) -> None:
        """Push the whole. It takes a few seconds at most."""
        if self._push is not None:
            self._end(self._push, TIMEOUT_S)
        self._end(gevent.spawn(self._export, result), 2 * TIMEOUT_S)

    def failed(self, why: str) -> None:
        """No more is pushed but the end."""
        self._fail(why)

    def count(self) -> ExportCount:
        """How many pushes arrived, and how many did not."""
        return ExportCount(self._url, self._sent, self._failed, self._skipped, self._fault)

    def _end(self, push: gevent.Greenlet[..., None], timeout_s: float) -> None:
        push.join(timeout=timeout_s)
        if not push.dead:
            push.kill()
            self._fail(f"no answer within {timeout_s:g} s")

    def _export(self, result: RunResult) -> None:
        from opentelemetry.sdk.metrics.export import MetricExportResult

        self._first_words.text = ""
        with Contained(self._fail):
            data = gevent.get_hub().threadpool.apply(self._data, (result,))
            if self._exporter.export(data) is MetricExportResult.SUCCESS:
                self._sent += 1
            else:
                self._fail(self._first_words.text)

    def _fail(self, why: str) -> None:
        """Count it; the first time the user is told."""
        self._failed += 1
        self._fault = " ".join(why.split())[:LONGEST]
        if self._failed == 1:
            self._note(f"a push to {self._url} failed, and the run goes on: {self._fault}")

    def _data(self, result: RunResult) -> MetricsData:
        from swell.report.metrics import families
        from swell.report.otlp import metrics_data

        started_ns = round(result.started_at.timestamp() * 1e9)
        self._instant_ns = max(started_ns + round(result.at_s * 1e9), self._instant_ns + 1)
        return metrics_data(families(result), self._plan, self._resource, started_ns, self._instant_ns)


class _FirstWords(logging.Handler):
    """Keeps what the exporter said first of a push: the reason. Last it says that it has given up."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = self.text or _reason(record.getMessage())


def _reason(said: str) -> str:
    """`[Errno 111] Connection refused`, where what was said wraps that in the errors of several libraries."""
    caused = CAUSED.search(said)
    return caused[1] if caused else said.removeprefix("Transient error ").partition(" encountered while ")[0]


def _listen_to_exporter(first_words: _FirstWords) -> None:
    """Its complaints are counted and told once, not printed each."""
    logger = logging.getLogger(LOGGER)
    logger.handlers = [first_words]
    logger.propagate = False
