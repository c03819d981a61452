"""`python -m swell.cli.reference > docs/reference/options.md`: the page of all options, from their declarations."""

from __future__ import annotations

from collections.abc import Iterator

from swell.cli import store_options
from swell.cli.option import Option, Section
from swell.cli.options import ALL

HEAD = """\
# Options

<!-- Made by `python -m swell.cli.reference > docs/reference/options.md`; change `src/swell/cli/options.py` instead. -->

Each option can be given on the command line, as an environment variable, as a key in a config file, or in the script;
the first of these that has it counts. [Configuration](../configuration.md) says how, and how values are written.
"""


def page() -> str:
    """The whole page, as Markdown."""
    return HEAD + "".join(_section(section) for section in Section) + _of_stored_runs()


def _section(section: Section) -> str:
    lines = [line for option in ALL if option.section is section for line in ("", *_lines(option))]
    return "\n".join(["", f"## {section.value}", *lines, ""])


def _of_stored_runs() -> str:
    """The options of commands about stored runs, which are given on the command line only."""
    lines = [
        "",
        "## Stored runs",
        "",
        "These are given on the command line only. [Stored runs](../store.md) says more.",
    ]
    for command, known in store_options.BY_COMMAND.items():
        own = [option for option in known if option not in ALL]
        lines += ["", f"### `{command}`", "", *map(_line, own)]
    return "\n".join([*lines, ""])


def _line(option: Option[object]) -> str:
    value = f" {option.shown_metavar}" if option.shown_metavar else ""
    return f"- `{option.flag}{value}`: {option.help}" + (
        "" if option.kind.is_flag else f" Default: {option.shown_default}."
    )


def _lines(option: Option[object]) -> Iterator[str]:
    usage = ", ".join(option.flags) + (f" {option.shown_metavar}" if option.shown_metavar else "")
    yield from (f"### `{option.flag}`", "", f"`{usage}`", "")
    yield from (f"{option.help}{' May be given more than once.' if option.kind.is_list else ''}", "")
    yield f"- default: {option.shown_default}"
    if option.adds_up:
        yield "- what several places give adds up"
    yield f"- commands: {', '.join(f'`swell {command}`' for command in option.commands)}"
    yield f"- environment: `{option.variable}`"
    if option.in_config:
        yield f"- config key: `{option.name}`"


if __name__ == "__main__":
    print(page(), end="")
