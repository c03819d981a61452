"""What is meant by the arguments of `feed()`. Each raises ValueError for what makes no sense."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from pathlib import Path

from swell.feed_plan import Order, WhenOut
from swell.script.importing import closest
from swell.script.row_formats import DELIMITERS, SUFFIXES, CsvFormat, JsonLines, RowFormat

FORMATS = tuple(dict.fromkeys(SUFFIXES.values()))


def order_of(order: object, when_out: object, unique: bool) -> tuple[Order, WhenOut]:
    """In which order, and what happens at the end: what is not given follows from what is."""
    _check_is_one_of("order", order, Order)
    _check_is_one_of("when_out", when_out, WhenOut)
    if unique and (order == "circular" or when_out == "repeat"):
        given = 'order="circular"' if order == "circular" else 'when_out="repeat"'
        raise ValueError(f"unique=True uses no row twice, and {given} uses them again: leave one of the two out")
    if order == "circular" and when_out in ("stop", "error"):
        raise ValueError(f'order="circular" never runs out, so when_out={when_out!r} says nothing: use order="once"')
    ends = unique or when_out in ("stop", "error")
    settled = Order(order or ("once" if ends else "circular"))
    return settled, WhenOut(when_out or ("stop" if ends or settled is Order.ONCE else "repeat"))


def format_of(path: str, name: str, delimiter: str, columns: object) -> Callable[[], RowFormat]:
    """What makes the format of a file."""
    kind = name or SUFFIXES.get(Path(path).suffix.lower(), "")
    if name and name not in FORMATS:
        raise ValueError(f"format={name!r} is not one of {', '.join(FORMATS)}")
    if not kind:
        raise ValueError(f"{path!r} ends in none of {', '.join(SUFFIXES)}: give format=, one of {', '.join(FORMATS)}")
    names = _columns(columns)
    if kind not in DELIMITERS:
        if delimiter or names:
            raise ValueError("delimiter and columns are for CSV files")
        return JsonLines
    mark = delimiter or DELIMITERS[kind]
    if len(mark) != 1 or mark in '"\r\n':
        raise ValueError(f"delimiter={delimiter!r} is not one character that can part fields")
    return lambda: CsvFormat(mark, names)


def _columns(columns: object) -> tuple[str, ...]:
    if not isinstance(columns, Sequence) or isinstance(columns, str | bytes):
        raise ValueError(f"columns={columns!r} is not a list of names")
    names = tuple(name for name in columns if isinstance(name, str) and name)
    if len(names) < len(columns):
        raise ValueError(f"columns={columns!r} is not a list of names")
    if len(set(names)) < len(names):
        raise ValueError(f"columns={columns!r} has a name twice")
    return names


def _check_is_one_of(name: str, value: object, choices: type[enum.Enum]) -> None:
    allowed = [str(choice.value) for choice in choices]
    if value is not None and value not in allowed:
        hint = closest(value, allowed) if isinstance(value, str) else ""
        raise ValueError(f"{name}={value!r} is not one of {', '.join(allowed)}" + (f"; {hint}" if hint else ""))
