"""The fixture `truth_server`: call it as often as needed, `truth_server(tls=True, seed=7)`; all are gone at the end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import swell
from tests.truth.truth_server import TruthServer, build, start

__all__ = ["swell"]


@pytest.fixture(scope="session")
def truth_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("truth-program"))


@pytest.fixture
def truth_server(truth_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., TruthServer]]:
    started: list[TruthServer] = []

    def begin(**options: object) -> TruthServer:
        started.append(start(truth_program, tmp_path_factory.mktemp("truth"), **options))
        return started[-1]

    yield begin
    for server in started:
        server.kill()
