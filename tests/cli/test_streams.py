"""What is printed arrives whole, however Python was started."""

from __future__ import annotations

import io
import os
import sys

import pytest

from swell.cli.streams import complete_writes


def test_a_stream_without_a_buffer_is_given_one(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    bare = io.TextIOWrapper(io.FileIO(writing, "w"), encoding="utf-8", errors="replace", write_through=True)
    assert isinstance(bare.buffer, io.RawIOBase)  # what PYTHONUNBUFFERED makes of standard output
    monkeypatch.setattr(sys, "stdout", bare)
    complete_writes()
    assert isinstance(sys.stdout.buffer, io.BufferedWriter)
    assert (sys.stdout.encoding, sys.stdout.errors) == ("utf-8", "replace")
    print("a line – at once")
    assert os.read(reading, 100).decode() == "a line – at once\n"
    sys.stdout.close()
    bare.write("still open\n")
    assert os.read(reading, 100) == b"still open\n"
    bare.close()
    os.close(reading)


def test_streams_that_have_a_buffer_or_are_closed_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (io.StringIO(), io.TextIOWrapper(io.BytesIO()), None):
        monkeypatch.setattr(sys, "stdout", stream)
        complete_writes()
        assert sys.stdout is stream
