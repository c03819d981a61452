"""Tracebacks as their author wants to read them: the frames of the script alone, grouped by where it went wrong."""

from __future__ import annotations

import linecache
import sysconfig
from pathlib import Path
from types import TracebackType

from swell.script.flow import AUTHOR_FAULT
from swell.script.secrets import hidden

MESSAGE_MOST = 300
TRACES_MOST = 1_000

Place = tuple[str, int, str]
"""File, line, function."""

_not_theirs = (
    f"{Path(__file__).resolve().parent.parent}/",
    *(f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    "<frozen ",
    "src/gevent/",  # what gevent's compiled modules call themselves
)
"""How the paths begin of code that no author of a script has written: ours, Python's, and what is installed."""
_known: dict[tuple[Place, ...], str] = {}
_unpacked: list[str] = []
"""The folder that the script was unpacked in, if it was, and a slash."""


def leave_out(folder: Path | None) -> None:
    """The script has been unpacked into this folder: it is called otherwise on each machine, so it is left out of what
    exceptions say."""
    _unpacked[:] = [f"{folder}/"] if folder is not None else []


def author_trace(raised: BaseException) -> tuple[str, str]:
    """What an exception says in one line, and its traceback through the author's own frames."""
    message = one_line(raised)
    places = _author_places(raised.__traceback__)
    frames = _known.get(places)
    if frames is None:
        if len(_known) >= TRACES_MOST:
            _known.clear()
        frames = _known[places] = "".join(map(_shown, places))
    return message, f"{frames}{message}{_cause(raised)}"


def one_line(raised: BaseException | str) -> str:
    """An exception's type and text, on one line of at most 300 characters, without secrets."""
    text = hidden(raised if isinstance(raised, str) else f"{type(raised).__name__}: {_text(raised)}")
    for folder in _unpacked:
        text = text.replace(folder, "")
    text = " ".join(text.split()).removesuffix(":")
    return text if len(text) <= MESSAGE_MOST else f"{text[: MESSAGE_MOST - 1]}…"


def place_of(raised: BaseException) -> str:
    """File and line of the innermost frame that is the author's, as `contest.py:12`."""
    places = _author_places(raised.__traceback__)
    return f"{Path(places[-1][0]).name}:{places[-1][1]}" if places else ""


def _text(raised: BaseException) -> str:
    try:
        return str(raised)
    except AUTHOR_FAULT:
        return "(its text cannot be had)"


def _author_places(traceback: TracebackType | None) -> tuple[Place, ...]:
    """The author's frames, outermost first; the innermost of all where none is theirs."""
    places = []
    last: tuple[Place, ...] = ()
    while traceback is not None:
        code = traceback.tb_frame.f_code
        place = (code.co_filename, traceback.tb_lineno, code.co_qualname)
        last = (place,)
        if not code.co_filename.startswith(_not_theirs):
            places.append(place)
        traceback = traceback.tb_next
    return tuple(places) or last


def _shown(place: Place) -> str:
    file, line, function = place
    source = linecache.getline(file, line).strip()
    return f"{Path(file).name}:{line} in {function}\n" + (f"    {source}\n" if source else "")


def _cause(raised: BaseException) -> str:
    cause = raised.__cause__ or (None if raised.__suppress_context__ else raised.__context__)
    return f"\ncaused by {one_line(cause)}" if cause is not None else ""
