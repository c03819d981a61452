"""Exceptions as their author reads them."""

import json
import re
from pathlib import Path

import gevent
import pytest

from swell import secret
from swell.script.secrets import secrets
from swell.script.traces import MESSAGE_MOST, author_trace, leave_out, one_line, place_of


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def raised_by(call: object) -> BaseException:
    with pytest.raises(BaseException) as caught:
        call()  # type: ignore[operator]
    return caught.value


@pytest.mark.parametrize(
    ("raised", "line"),
    [
        (ValueError("a\n  b\tc"), "ValueError: a b c"),
        (ValueError(), "ValueError"),
        (KeyError("x"), "KeyError: 'x'"),
        ("text\n", "text"),
        (Unspeakable(), "Unspeakable: (its text cannot be had)"),
        (gevent.Timeout(5), "Timeout: 5 seconds"),
    ],
)
def test_an_exception_is_said_on_one_line(raised: BaseException | str, line: str) -> None:
    assert one_line(raised) == line


def test_a_long_text_is_cut() -> None:
    assert len(one_line("x" * 10_000)) == MESSAGE_MOST
    assert one_line("x" * 10_000).endswith("x…")


def test_secrets_are_hidden_before_a_text_is_cut() -> None:
    secrets.look_in({"TOKEN": "abcdefghij"})
    secret("TOKEN")
    said = one_line("x" * (MESSAGE_MOST - 5) + "abcdefghij" * 2)
    assert said == "x" * (MESSAGE_MOST - 5) + "***" + "*…"
    _, trace = author_trace(raised_by(lambda: {}["abcdef" + "ghij"]))
    assert trace.splitlines()[-1] == "KeyError: '***'"


def test_the_folder_that_a_script_was_unpacked_into_is_left_out() -> None:
    leave_out(Path("/dev/shm/swell-x/script"))
    try:
        raised = FileNotFoundError(2, "No such file", "/dev/shm/swell-x/script/load/users.json")
        assert one_line(raised) == "FileNotFoundError: [Errno 2] No such file: 'load/users.json'"
    finally:
        leave_out(None)
    assert one_line(raised).endswith("'/dev/shm/swell-x/script/load/users.json'")


def test_frames_of_installed_code_are_left_out() -> None:
    _, trace = author_trace(raised_by(lambda: json.loads("{")))
    assert "json" not in re.sub(r"json\.loads|JSONDecodeError", "", trace)


def test_where_no_frame_is_the_authors_the_innermost_is_shown() -> None:
    raised = raised_by(lambda: json.loads("{"))
    assert raised.__traceback__ is not None
    raised.__traceback__ = raised.__traceback__.tb_next.tb_next  # type: ignore[union-attr]
    assert place_of(raised).startswith("decoder.py:") or place_of(raised).startswith("__init__.py:")


def test_one_fault_gives_one_text_however_often() -> None:
    texts = {author_trace(raised_by(lambda: {}["x"]))[1] for _ in range(3)}
    assert len(texts) == 1


def test_a_context_that_was_suppressed_is_not_shown() -> None:
    def suppress() -> None:
        try:
            raise KeyError("inner")
        except KeyError:
            raise ValueError("outer") from None

    assert author_trace(raised_by(suppress))[1].endswith("ValueError: outer")


def test_an_exception_that_was_never_raised_has_no_place() -> None:
    assert (place_of(ValueError("x")), author_trace(ValueError("x"))[1]) == ("", "ValueError: x")
