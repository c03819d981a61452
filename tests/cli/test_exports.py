"""Where metrics go: what is wrong with an address, before a run."""

from __future__ import annotations

import contextlib
import socket

import pytest

from swell.cli.exports import Exports
from swell.cli.otlp_push import endpoint_of, problems
from swell.cli.prometheus_endpoint import listen, url_of
from swell.errors import Problem


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://collector:4318", "http://collector:4318/v1/metrics"),
        ("http://collector:4318/", "http://collector:4318/v1/metrics"),
        ("https://a.test/v1/metrics", "https://a.test/v1/metrics"),
        ("https://a.test/otlp/push", "https://a.test/otlp/push"),
    ],
)
def test_a_url_without_a_path_is_that_of_a_collector(url: str, endpoint: str) -> None:
    assert endpoint_of(url) == endpoint


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", []),
        ("http://localhost:4318", []),
        ("localhost:4318", ["--otlp: 'localhost:4318' is not an http:// or https:// URL; did you mean "]),
        ("unix:/run/otel.sock", ["--otlp: a collector is reached over HTTP (for example http://localhost:4318)"]),
    ],
)
def test_a_collector_is_reached_over_http(url: str, said: list[str]) -> None:
    found = [str(problem) for problem in problems(url, "--otlp")]
    assert len(found) == len(said)
    assert all(text.startswith(start) for text, start in zip(found, said, strict=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_port_0_is_any_that_is_free(host: str) -> None:
    listener = listen((host, 0), "--prometheus")
    assert isinstance(listener, socket.socket)
    with contextlib.closing(listener):
        port = listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        assert url_of(listener) == f"http://{shown}:{port}/metrics"
        assert list(Exports(listener).notices()) == [f"metrics for Prometheus are at http://{shown}:{port}/metrics"]


@pytest.mark.parametrize(
    ("host", "reason"),
    [("a" * 70, "that is no name of a host"), ("192.0.2.1", "cannot assign requested address")],
)
def test_an_address_that_cannot_be_had_is_a_problem(host: str, reason: str) -> None:
    found = listen((host, 1), "--prometheus")
    assert isinstance(found, Problem)
    assert str(found).startswith(f"--prometheus: cannot listen on {host}:1: {reason}")
