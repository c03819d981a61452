"""Where a run's metrics go while it goes on: to be scraped by a Prometheus, or pushed to an OpenTelemetry collector."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from swell.cli import options
from swell.cli.settings import Settings
from swell.errors import Problem
from swell.plan import RunPlan

if TYPE_CHECKING:
    import socket

    from swell.cli.observers import Observer
    from swell.result import ExportCount

    class Exporter(Observer, Protocol):
        """One that sends metrics on."""

        def count(self) -> ExportCount:
            """How often it could, and how often not."""


@dataclasses.dataclass(frozen=True, slots=True)
class Exports:
    """What was asked for. `listener` is bound already, so that nobody else takes its port."""

    listener: socket.socket | None = None
    otlp_url: str = ""

    def notices(self) -> Iterator[str]:
        """Where to find what is served."""
        if self.listener is not None:
            from swell.cli.prometheus_endpoint import url_of

            yield f"metrics for Prometheus are at {url_of(self.listener)}"

    def exporters(self, run: str, plan: RunPlan, note: Callable[[str], None]) -> Iterator[Exporter]:
        """Those who send them on. `note` says that something could not be sent."""
        if self.listener is not None:
            from swell.cli.prometheus_endpoint import PrometheusEndpoint

            yield PrometheusEndpoint(self.listener, note)
        if self.otlp_url:
            from swell.cli.otlp_push import OtlpPush

            yield OtlpPush(self.otlp_url, run, plan, note)


def wanted(settings: Settings) -> tuple[Exports, list[Problem]]:
    """What the settings ask for, and why that cannot be."""
    address, url = settings[options.PROMETHEUS], settings[options.OTLP]
    listener, found = None, list[Problem]()
    if address is not None:
        from swell.cli.prometheus_endpoint import listen

        made = listen(address, options.PROMETHEUS.flag)
        if isinstance(made, Problem):
            found.append(made)
        else:
            listener = made
    if url:
        from swell.cli.otlp_push import problems

        found += problems(url, options.OTLP.flag)
    return Exports(listener, url), found
