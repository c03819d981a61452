"""The console: what it makes of streams that are no terminal or cannot say everything."""

from __future__ import annotations

import io

from rich.text import Text

from swell.report.console import PIPE_WIDTH, open_console
from swell.report.final_table import print_final
from swell.stats.summary import summarise
from tests.report.sample_results import ended


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_is_a_hundred_columns_wide_and_gets_no_colours() -> None:
    pipe = io.StringIO()
    console = open_console(pipe)
    console.print(Text("wrong", style="red"))
    assert (console.width, pipe.getvalue()) == (PIPE_WIDTH, "wrong\n")


def test_nothing_that_is_printed_is_interpreted() -> None:
    pipe = io.StringIO()
    open_console(pipe).print("[red]:smile: 1.5 'x'[/red]")
    assert pipe.getvalue() == "[red]:smile: 1.5 'x'[/red]\n"


def test_what_an_encoding_lacks_is_replaced() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    print_final(summarise(ended()), open_console(stream))
    stream.flush()
    assert raw.getvalue().startswith(b"contest.py ? http://127.0.0.1:8000\n")


def test_a_terminal_keeps_its_own_width() -> None:
    assert open_console(Terminal(), width=77).width == 77
