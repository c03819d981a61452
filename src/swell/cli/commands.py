"""The commands of swell, as `swell --help` lists them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import click

from swell.cli import options, store_options
from swell.cli.opening import Opened, ScriptCommand
from swell.cli.option import Option
from swell.cli.outputs import OF_REPORT
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


def _about_runs(known: Sequence[Option[Any]], *words: str, several: str = "") -> list[click.Parameter]:
    """Words that name runs, and options."""
    arguments = [click.Argument([word.lower()], metavar=word) for word in words]
    more = [click.Argument([several.lower()], metavar=f"{several}...", nargs=-1, required=True)] if several else []
    return [*arguments, *more, *map(click_option, known)]


@swell.group(
    cls=Commands,
    invoke_without_command=True,
    params=_about_runs(store_options.OF_RUNS),
    short_help="List the stored runs; name, tag and delete them.",
)
@click.pass_context
def runs(context: click.Context, /, **parameters: Any) -> int:
    """Lists the stored runs, the latest first. Without a command behind it, that is all it does.

    A RUN is an id, the beginning of one, a name (the latest run of that name), or `latest`.
    """
    if context.invoked_subcommand is not None:
        return 0
    from swell.cli.runs import list_runs

    return list_runs(store_options.settings_of(store_options.OF_RUNS, parameters))


@runs.command("name", params=_about_runs(store_options.OF_RUNS_CHANGE, "RUN", "NAME"), short_help="Give a run a name.")
def name_run(run: str, name: str, **parameters: Any) -> int:
    """Gives RUN the name NAME; '' takes its name away."""
    from swell.cli.runs import rename

    return rename(store_options.settings_of(store_options.OF_RUNS_CHANGE, parameters), run, name)


@runs.command("tag", params=_about_runs(store_options.OF_RUNS_TAG, "RUN", several="TAG"), short_help="Tag a run.")
def tag_run(run: str, tag: tuple[str, ...], **parameters: Any) -> int:
    """Gives RUN tags besides those that it has."""
    from swell.cli.runs import retag

    return retag(store_options.settings_of(store_options.OF_RUNS_TAG, parameters), run, tag)


@runs.command("delete", params=_about_runs(store_options.OF_RUNS_CHANGE, several="RUN"), short_help="Delete runs.")
def delete_runs(run: tuple[str, ...], **parameters: Any) -> int:
    """Deletes each RUN, and says how much room that made."""
    from swell.cli.runs import delete

    return delete(store_options.settings_of(store_options.OF_RUNS_CHANGE, parameters), run)


@runs.command("prune", params=_about_runs(store_options.OF_RUNS_PRUNE), short_help="Delete old runs.")
def prune_runs(**parameters: Any) -> int:
    """Deletes what is older than --older-than, and not among the latest --keep; never what is running."""
    from swell.cli.runs import prune

    settings = store_options.settings_of(store_options.OF_RUNS_PRUNE, parameters)
    return prune(settings, datetime.datetime.now(datetime.UTC))


@swell.command(params=_about_runs(store_options.OF_SHOW, "RUN"), short_help="Show a stored run, or a stretch of it.")
def show(run: str, **parameters: Any) -> int:
    """Shows RUN as its end showed it, or as it stands while it goes on; with --from and --to any stretch of it."""
    from swell.cli.show import show

    return show(store_options.settings_of(store_options.OF_SHOW, parameters), run)


@swell.command(params=_about_runs(OF_REPORT, "RUN"), short_help="Write a stored run to files.")
def report(run: str, **parameters: Any) -> int:
    """Writes RUN to files, in the formats that `swell run` writes at its end."""
    from swell.cli.show import report

    return report(store_options.settings_of(OF_REPORT, parameters), run)


@swell.command(
    params=[
        click.Argument(["address"], metavar="HOST:PORT"),
        *map(click_option, options.options_of("worker")),
    ],
    short_help="Lend this machine to a run on another one.",
)
def worker(address: str, **parameters: Any) -> int:
    """Runs workers on this machine for the run that `swell run SCRIPT --listen HOST:PORT` has started there. The script
    comes from there too. It ends with the run; on Ctrl-C or SIGTERM, others take over what these workers do."""
    patch()
    from swell.cli.worker import lend

    return lend(address, command_line_layer(options.options_of("worker"), parameters))


@swell.command(params=[click.Argument(["file"], metavar="FILE")], short_help="Make the key of a cluster.")
def keygen(file: str) -> int:
    """Makes FILE, the key of a cluster, readable for you alone. Each of its machines needs a copy."""
    from swell.cli.keygen import make_key

    return make_key(file)


@swell.command(short_help="Say what this machine can carry.")
def doctor() -> int:
    """Says what this machine can carry as a load generator, and what to change."""
    from swell.cli.doctor import examine

    return examine()
