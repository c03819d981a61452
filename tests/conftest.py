"""Marks tests by where they live: tests/faults may take 90 s (as written: 300), tests/e2e starts real programs."""

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("short", max_examples=40)
settings.load_profile("short")  # `--hypothesis-profile default` looks longer

TESTS = Path(__file__).parent
ONLY_IN_FULL = (
    *("no_load_twice[both-1]", "no_load_twice[both-4]", "no_load_twice[in-1]", "no_load_twice[in-30]"),
    *("no_load_twice[out-4]", "no_load_twice[out-30]", "fenced_beyond[1]", "fenced_beyond[10]"),
    *("its_lease_goes_on[1.0]", "its_lease_goes_on[10.0]", "has_been_replaced[patient]"),
    *("is_made_anew[both]", "is_made_anew[out]", "the_account_holds[5 %]", "no_lease_is_lost[50]"),
    *("never_paused[1]", "and_leaves[one class]", "cannot_carry[evenly]", "is_only_bad[20 % lost]"),
)
"""Each row of faults is tried once in `make test`; the other strengths of a fault only in `make faults`."""
FAULTS_TIMEOUT_S = {"quick": 90, "full": 300}


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "how large the faults of tests/faults are: a fifth of what is promised, or all of it"
    parser.addoption("--faults", choices=list(FAULTS_TIMEOUT_S), default="quick", help=text)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("faults") == "quick":
        left_out = [item for item in items if item.nodeid.endswith(ONLY_IN_FULL)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.nodeid.endswith(ONLY_IN_FULL)]
    faults_timeout_s = FAULTS_TIMEOUT_S[config.getoption("faults")]
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder == "e2e":
            item.add_marker(pytest.mark.e2e)
        if folder == "faults":
            item.add_marker(pytest.mark.faults)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(faults_timeout_s))
