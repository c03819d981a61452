"""The commands of swell, as `swell --help` lists them."""

from __future__ import annotations

import click

from swell.cli.opening import Opened, ScriptCommand
from swell.cli.parsing import Commands


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="swell", prog_name="swell")
def swell() -> None:
    """Load tests in plain blocking Python."""


@swell.command(cls=ScriptCommand, short_help="Run a load test.")
def run(opened: Opened) -> int:
    """Runs the users of SCRIPT against the target, and shows what they measured."""
    from swell.cli import start

    return start.start(opened)
