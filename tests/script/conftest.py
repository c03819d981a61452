"""Leaves nothing behind: listeners, what scripts did to `sys.path` and `sys.modules`, the bound recorder, secrets."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from swell.script.current import bind_recorder
from swell.script.events import events, listener_faults
from swell.script.secrets import secrets


@pytest.fixture(autouse=True)
def _nothing_left_behind(tmp_path: Path) -> Iterator[None]:
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]
    for hook in vars(events).values():
        hook.listeners.clear()
    listener_faults.clear()
    bind_recorder(None)
    secrets.look_in({})


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., str]:
    """Writes a script, with `from swell import *` before it, and gives its path. Further files by keyword."""

    def write(body: str, name: str = "contest.py", **others: str) -> str:
        for stem, text in others.items():
            (tmp_path / f"{stem}.py").write_text(dedent(text))
        file = tmp_path / name
        file.write_text("from swell import *\n" + dedent(body))
        return str(file)

    return write
