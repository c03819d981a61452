"""Logs on disk, and loads that follow them."""

import gzip
from pathlib import Path

import pytest

from swell import arrivals, from_log, hold
from swell.load_plan import Curve, Leg, Open
from swell.script import log_file
from swell.script.loads import read_loads
from swell.script.log_file import LogFault, read_log_file
from swell.script.user import User

LINE = 'h - - [10/Oct/2000:12:00:0{} +0000] "GET / HTTP/1.1" 200 5\n'
TWO_SECONDS = (LINE.format(0) * 2 + LINE.format(1)).encode()


def fault_of(path: Path) -> str:
    with pytest.raises(LogFault) as caught:
        read_log_file(path.name, path.parent)
    return f"{caught.value} ({caught.value.hint})" if caught.value.hint else str(caught.value)


def loads_of(load: object, folder: Path) -> tuple[object, tuple[str, ...]]:
    found = read_loads([type("Visitor", (User,), {"load": load})], folder)
    assert found.problems == ()
    return found.loads[0].model, found.notices


def test_a_log_is_read_beside_the_script(tmp_path: Path) -> None:
    (tmp_path / "access.log").write_bytes(TWO_SECONDS)
    assert read_log_file("access.log", tmp_path).counts == (2, 1)


def test_a_gzipped_log_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "old.log").write_bytes(gzip.compress(TWO_SECONDS))
    assert read_log_file("old.log", tmp_path).counts == (2, 1)


def test_a_broken_gzip_file_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "broken.gz"
    path.write_bytes(gzip.compress(TWO_SECONDS)[:-12])
    assert fault_of(path).startswith("cannot be read: Compressed file ended")
    path.write_bytes(b"\x1f\x8bgarbage")
    assert fault_of(path).startswith("cannot be read: ")


def test_a_line_without_end_takes_no_memory_and_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "MOST_LINE_BYTES", 100)
    (tmp_path / "long.log").write_bytes(LINE.format(0).encode().strip() + b"x" * 5_000 + b"\n" + TWO_SECONDS)
    log = read_log_file("long.log", tmp_path)
    assert (log.counts, log.unparsed) == ((3, 1), 0)


def test_what_gives_no_curve_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    assert "no such file in " in fault_of(path)
    path.touch()
    assert fault_of(path) == "is empty"
    path.write_bytes(b"\n\n")
    assert fault_of(path) == "is empty"
    path.write_bytes(b"\nerror: disk full\nerror: again\n")
    assert fault_of(path) == (
        "none of its 2 lines says when a request came; line 2 is 'error: disk full' "
        "(the common and combined formats and JSON lines are read)"
    )
    path.write_bytes(bytes(range(256)) * 1_000)
    assert "says when a request came" in fault_of(path)
    path.unlink()
    path.mkdir()
    assert fault_of(path) == "is not a file"


def test_a_log_is_the_load_or_a_part_of_one(tmp_path: Path) -> None:
    (tmp_path / "access.log").write_bytes(TWO_SECONDS)
    alone, _ = loads_of(from_log("access.log", scale=3, speed=2), tmp_path)
    assert alone == Open(Curve((Leg(0.5, 12, 12), Leg(0.5, 6, 6)), source="access.log"), max_users=120)
    longer, _ = loads_of(arrivals(from_log("access.log"), hold("1m"), max_users=7), tmp_path)
    assert longer == Open(Curve((Leg(1, 2, 2), Leg(1, 1, 1), Leg(60, 1, 1)), source="access.log"), max_users=7)


def test_lines_that_were_left_out_are_noticed_with_the_first_place(tmp_path: Path) -> None:
    (tmp_path / "access.log").write_bytes(TWO_SECONDS + b"oops\n" + TWO_SECONDS + b"again\n")
    _, notices = loads_of(from_log("access.log"), tmp_path)
    assert notices == ("access.log: 2 lines say no time and are left out; the first is line 4: oops",)


def test_wide_bins_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "days.log").write_bytes(LINE.format(0).encode() + LINE.replace("10/Oct", "12/Oct").format(1).encode())
    _, notices = loads_of(from_log("days.log"), tmp_path)
    assert notices == ("days.log spans 172,823 s: its requests are counted by 49 s",)


def test_a_log_that_comes_to_too_much_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "access.log").write_bytes(TWO_SECONDS)
    found = read_loads([type("Visitor", (User,), {"load": from_log("access.log", scale=1e6)})], tmp_path)
    (problem,) = found.problems
    assert "comes to 2,000,000 arrivals/s" in problem.what
