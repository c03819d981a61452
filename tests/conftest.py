"""Marks tests by where they live: tests/faults may take 90 s (as written: 300), tests/e2e starts real programs."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("short", max_examples=40)
settings.load_profile("short")  # `--hypothesis-profile default` looks longer

TESTS = Path(__file__).parent
FAULTS_TIMEOUT_S = {"quick": 90, "full": 300}


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "how large the faults of tests/faults are: a fifth of what is promised, or all of it"
    parser.addoption("--faults", choices=list(FAULTS_TIMEOUT_S), default="quick", help=text)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    faults_timeout_s = FAULTS_TIMEOUT_S[config.getoption("faults")]
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder == "e2e":
            item.add_marker(pytest.mark.e2e)
        if folder == "faults":
            item.add_marker(pytest.mark.faults)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(faults_timeout_s))
