"""The commands of swell, as `swell --help` lists them."""

from __future__ import annotations

from typing import Any

import click

from swell.cli import options
from swell.cli.opening import Opened, ScriptCommand
from swell.cli.parsing import Commands, click_option, command_line_layer
from swell.cli.patching import patch


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="swell", prog_name="swell")
def swell() -> None:
    """Load tests in plain blocking Python."""


@swell.command(cls=ScriptCommand, short_help="Run a load test.")
def run(opened: Opened) -> int:
    """Runs the users of SCRIPT against the target, and shows what they measured."""
    from swell.cli import start

    return start.start(opened)


@swell.command(cls=ScriptCommand, short_help="Run one user once, and print what it does.")
def debug(opened: Opened) -> int:
    """Runs one user of SCRIPT once in this process, and prints each request and response."""
    from swell.cli.debug import debug

    return debug(opened)


@swell.command(params=[*map(click_option, options.OF_DEMO)], short_help="Run a load test against a site of its own.")
def demo(**parameters: Any) -> int:
    """Runs examples/contest.py against a small contest site on this machine, with 20 users for 20 s."""
    patch()
    from swell.cli.demo import demonstrate

    return demonstrate(command_line_layer(options.OF_DEMO, parameters))


@swell.command(
    params=[
        click.Argument(["base"], metavar="BASE"),
        click.Argument(["run"], metavar="RUN"),
        *map(click_option, options.options_of("compare")),
    ],
    short_help="Say whether one run was faster or slower than another.",
)
def compare(base: str, run: str, **parameters: Any) -> int:
    """Compares two stored runs, each named by its id, its name or `latest`, and gives a verdict on throughput, failures
    and percentiles of each series."""
    from swell.cli.compare import compare_stored

    return compare_stored(base, run, command_line_layer(options.options_of("compare"), parameters))


@swell.command(short_help="Say what this machine can carry.")
def doctor() -> int:
    """Says what this machine can carry as a load generator, and what to change."""
    from swell.cli.doctor import examine

    return examine()
