"""A line in place at the end of a terminal, and what is printed meanwhile."""

import io

import pytest

from swell.cli.printing import Printer
from swell.cli.status_line import StatusLine

CLEAR = "\r\x1b[2K"


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def screen_for(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """What standard error is from now on."""
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("COLUMNS", "20")
    return screen


def test_each_text_takes_the_place_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = screen_for(monkeypatch)
    status = StatusLine(Printer(to_stderr=True))
    for text in ("1 of 4", "1 of 4", "2 of 4", ""):
        status.show(text)
    assert screen.getvalue() == f"{CLEAR}1 of 4{CLEAR}2 of 4{CLEAR}"


def test_a_text_is_cut_where_the_line_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = screen_for(monkeypatch)
    StatusLine(Printer(to_stderr=True)).show("x" * 30)
    assert screen.getvalue() == CLEAR + "x" * 19


def test_whole_lines_are_printed_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = screen_for(monkeypatch)
    printer = Printer(to_stderr=True)
    status = StatusLine(printer)
    status.show("2 of 4")
    with status.aside():
        printer.line("hello", printer.err)
    assert screen.getvalue() == f"{CLEAR}2 of 4{CLEAR}hello\n{CLEAR}2 of 4"


def test_where_there_is_no_terminal_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = io.StringIO()
    monkeypatch.setattr("sys.stderr", plain)
    status = StatusLine(Printer(to_stderr=True))
    status.show("2 of 4")
    with status.aside():
        pass
    assert plain.getvalue() == ""
