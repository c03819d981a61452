"""Pushes a run's metrics to an OpenTelemetry collector every few seconds, and once more at its end.

A push goes on in a greenlet of its own; while one is under way no other begins. One that fails is counted, and said at
the end: the run does not wait for it.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import gevent

import swell
from swell.errors import Problem
from swell.plan import RunPlan, host_faults
from swell.result import RunResult

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricsData

PATH = "/v1/metrics"
EVERY_S = 5.0
TIMEOUT_S = 4.0
LOGGER = "opentelemetry.exporter.otlp"
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
    """The observer that pushes. `note` says at the end what could not be."""

    def __init__(self, url: str, run: str, plan: RunPlan, note: Callable[[str], None]) -> None:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

        from swell.report.otlp import resource_of

        self._url = endpoint_of(url)
        self._plan = plan
        self._resource = resource_of(run, plan, swell.__version__)
        self._exporter = OTLPMetricExporter(endpoint=self._url, timeout=TIMEOUT_S)
        self._note = note
        self._last_words = _LastWords()
        self._push: gevent.Greenlet[..., None] | None = None
        self._pushed_s = 0.0
        self._sent_ns = 0
        self.pushes = self.failures = self.skipped = 0
        _listen_to_exporter(self._last_words)

    def __repr__(self) -> str:
        return f"<OtlpPush to {self._url}, {self.failures} of {self.pushes} failed>"

    def observe(self, result: RunResult) -> None:
        """Push it, if it is time."""
        if result.at_s - self._pushed_s < EVERY_S:
            return
        self._pushed_s = result.at_s
        if self._push is not None and not self._push.dead:
            self.skipped += 1
            return
        self._push = gevent.spawn(self._export, result)

    def ended(self, result: RunResult) -> None:
        """Push the whole, and say what has failed. It takes a few seconds at most."""
        if self._push is not None:
            self._push.join(timeout=TIMEOUT_S)
            self._push.kill()
        last = gevent.spawn(self._export, result)
        last.join(timeout=2 * TIMEOUT_S)
        if not last.dead:
            last.kill()
            self.failures += 1
        if self.failures or self.skipped:
            late = f", {self.skipped} were left out because the one before took too long" if self.skipped else ""
            why = f": {self._last_words.text}" if self._last_words.text else ""
            self._note(f"{self.failures} of {self.pushes} pushes to {self._url} failed{late}{why}")

    def _export(self, result: RunResult) -> None:
        from opentelemetry.sdk.metrics.export import MetricExportResult

        self.pushes += 1
        data = gevent.get_hub().threadpool.apply(self._data, (result,))
        if self._exporter.export(data) is not MetricExportResult.SUCCESS:
            self.failures += 1

    def _data(self, result: RunResult) -> MetricsData:
        from swell.report.metrics import families
        from swell.report.otlp import metrics_data

        started_ns = round(result.started_at.timestamp() * 1e9)
        self._sent_ns = max(started_ns + round(result.at_s * 1e9), self._sent_ns + 1)
        return metrics_data(families(result), self._plan, self._resource, started_ns, self._sent_ns)


class _LastWords(logging.Handler):
    """Keeps what the exporter said last."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = " ".join(record.getMessage().split())[:300]


def _listen_to_exporter(last_words: _LastWords) -> None:
    """Its complaints are counted and told once, not printed each."""
    logger = logging.getLogger(LOGGER)
    logger.handlers = [last_words]
    logger.propagate = False
