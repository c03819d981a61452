"""Where a run can be seen again: the last line of its report."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from swell.report.labelled import Labelled
from swell.report.wording import visible


def stored_line(run: str, name: str, command: str) -> RenderableType:
    """What the run is called in the store, and the command that shows it."""
    line = Text(f"as {run}")
    if name:
        line.append(f" ({visible(name)})")
    line.append(" · see it again: ", "dim").append(visible(command), "bold")
    return Labelled("stored", [line])
