"""A real Prometheus that scrapes one target every second."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs: [{{job_name: swell, static_configs: [{{targets: ["{target}"]}}]}}]
"""
READY_S = 15.0


class Prometheus:
    """One that is up. `native`: it asks for native histograms."""

    def __init__(self, folder: Path, target: str, *, native: bool) -> None:
        config = folder / "prometheus.yml"
        config.write_text(CONFIG.format(target=target))
        features = ["--enable-feature=native-histograms"] if native else []
        with (folder / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={config}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    "--web.listen-address=127.0.0.1:0",
                    *features,
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._url = f"http://127.0.0.1:{eventually(self._port, 'it listens')}"

    def _port(self) -> int | None:
        assert self._process.poll() is None, "it has ended"
        connections = psutil.Process(self._process.pid).net_connections("tcp")
        return next((one.laddr.port for one in connections if one.status == psutil.CONN_LISTEN), None)

    def query(self, expression: str, at_s: float | None = None) -> list[dict[str, Any]]:
        """The vector that an expression gives, at an instant."""
        given = {"query": expression, **({} if at_s is None else {"time": f"{at_s:.3f}"})}
        with urllib.request.urlopen(f"{self._url}/api/v1/query?{urllib.parse.urlencode(given)}", timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found

    def value(self, expression: str, at_s: float | None = None) -> float:
        """The one number that an expression gives; 0 where it gives none."""
        found = self.query(expression, at_s)
        return float(found[0]["value"][1]) if found else 0.0

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def prometheus(folder: Path, target: str, *, native: bool) -> Iterator[Prometheus]:
    started = Prometheus(folder, target, native=native)
    try:
        yield started
    finally:
        started.stop()


def eventually(look: Callable[[], Any], what: str) -> Any:
    """What `look` gives as soon as it is something."""
    deadline_s = time.monotonic() + READY_S
    while not (found := _found(look)):
        assert time.monotonic() < deadline_s, f"not within {READY_S} s: {what}"
        time.sleep(0.05)
    return found


def _found(look: Callable[[], Any]) -> Any:
    try:
        return look()
    except OSError:
        return None
