"""Marks tests by where they live: tests/faults may take 90 s, tests/e2e starts real programs."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FAULTS_TIMEOUT_S = 90


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder == "e2e":
            item.add_marker(pytest.mark.e2e)
        if folder == "faults":
            item.add_marker(pytest.mark.faults)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(FAULTS_TIMEOUT_S))
