"""The fixtures of the fault tests, and the table that `make faults` prints: a line for each, with what was measured.

A test that belongs to a line of the table says so with `@pytest.mark.row("SIGKILL of a worker")`, and gives its figures
to the fixture `figures`. One that takes an `attempt` is run as often as the scale says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import swell
from tests.faults.lab.scale import SCALES, Scale
from tests.faults.lab.visitors import LEDGERS
from tests.targets.nginx import Nginx, nginx

__all__ = ["swell"]

Figures = Callable[..., None]
OUTCOMES = {"passed": "holds", "failed": "FAILS", "error": "FAILS", "xfailed": "does not hold yet", "xpassed": "holds"}


def scale_of(config: pytest.Config) -> Scale:
    return SCALES[config.getoption("faults")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "attempt" in metafunc.fixturenames:
        metafunc.parametrize("attempt", range(scale_of(metafunc.config).kills))


@pytest.fixture
def scale(request: pytest.FixtureRequest) -> Scale:
    return scale_of(request.config)


@pytest.fixture
def target() -> Iterator[Nginx]:
    with nginx() as server:
        yield server


@pytest.fixture
def ledgers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where users note what they have finished."""
    folder = tmp_path / "ledgers"
    folder.mkdir()
    monkeypatch.setenv(LEDGERS, str(folder))
    return folder


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    """`figures(back_s=1.3, unaccounted=0)`: what was measured, for the table."""

    def note(**measured: float) -> None:
        for name, value in measured.items():
            record_property(name, f"{value:.3g}" if isinstance(value, float) else f"{value:,}")

    return note


@pytest.fixture(autouse=True)
def _row(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> None:
    mark = request.node.get_closest_marker("row")
    if mark is not None:
        record_property("row", mark.args[0])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table, by the fault's name, then by the test's."""
    if config.getoption("faults") != "full":
        return
    lines = []
    for key, outcome in OUTCOMES.items():
        for report in terminalreporter.stats.get(key, []):
            said = dict(report.user_properties)
            if row := said.pop("row", None):
                name = report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")
                lines.append((row, f"{name}: {outcome}", "  ".join(f"{name} {value}" for name, value in said.items())))
    if lines:
        terminalreporter.section("faults")
    for row, line, measured in sorted(lines):
        terminalreporter.write_line(f"{row} · {line} · {measured}")
