import textwrap
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from swell.errors import PlanError, ScriptError
from swell.feed_plan import FeedPlan, Order, WhenOut
from swell.script.current import current_seat
from swell.script.declarations import declarations
from swell.script.feed import Feed, feed
from swell.script.flow import StopUser
from swell.script.loader import LoadedScript, load
from swell.script.user import User
from tests.script.seats import Stage

ROWS = [{"n": 1}, {"n": 2}]


class ListSupply:
    """A supply that has rows and then none."""

    def __init__(self, *rows: bytes) -> None:
        self.rows = list(rows)

    def take(self) -> bytes | None:
        return self.rows.pop(0) if self.rows else None


@pytest.fixture(autouse=True)
def loading() -> Iterator[None]:
    declarations.begin()
    yield
    declarations.begin()


def manner(made: Feed) -> tuple[Order, WhenOut, bool]:
    return made.order, made.when_out, made.unique


@pytest.mark.parametrize(
    ("options", "settled"),
    [
        ({}, (Order.CIRCULAR, WhenOut.REPEAT, False)),
        ({"order": "circular"}, (Order.CIRCULAR, WhenOut.REPEAT, False)),
        ({"order": "random"}, (Order.RANDOM, WhenOut.REPEAT, False)),
        ({"order": "once"}, (Order.ONCE, WhenOut.STOP, False)),
        ({"order": "once", "when_out": "repeat"}, (Order.ONCE, WhenOut.REPEAT, False)),
        ({"when_out": "repeat"}, (Order.CIRCULAR, WhenOut.REPEAT, False)),
        ({"when_out": "stop"}, (Order.ONCE, WhenOut.STOP, False)),
        ({"when_out": "error"}, (Order.ONCE, WhenOut.ERROR, False)),
        ({"order": "random", "when_out": "error"}, (Order.RANDOM, WhenOut.ERROR, False)),
        ({"unique": True}, (Order.ONCE, WhenOut.STOP, True)),
        ({"unique": True, "order": "random"}, (Order.RANDOM, WhenOut.STOP, True)),
        ({"unique": True, "when_out": "error"}, (Order.ONCE, WhenOut.ERROR, True)),
    ],
)
def test_what_is_not_said_follows_from_what_is(options: dict[str, object], settled: object) -> None:
    assert manner(feed(ROWS, **options)) == settled  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"order": "cirular"}, "order='cirular' is not one of once, circular, random; did you mean circular?"),
        ({"order": 3}, "order=3 is not one of once, circular, random"),
        ({"when_out": "wait"}, "when_out='wait' is not one of stop, repeat, error"),
        ({"unique": True, "order": "circular"}, 'order="circular" uses them again'),
        ({"unique": True, "when_out": "repeat"}, 'when_out="repeat" uses them again'),
        ({"order": "circular", "when_out": "stop"}, "never runs out"),
        ({"format": "xml"}, "format='xml' is not one of csv, tsv, jsonl"),
        ({"delimiter": ";;"}, "delimiter=';;' is not one character"),
        ({"delimiter": '"'}, "is not one character that can part fields"),
        ({"columns": "name"}, "columns='name' is not a list of names"),
        ({"columns": ["a", ""]}, r"columns=\['a', ''\] is not a list of names"),
        ({"columns": ["a", "a"]}, "has a name twice"),
        ({"format": "jsonl", "delimiter": ","}, "delimiter and columns are for CSV files"),
    ],
)
def test_what_makes_no_sense_is_a_value_error(options: dict[str, object], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        feed("users.csv", **options)  # type: ignore[arg-type]


def test_what_is_no_source_is_said() -> None:
    with pytest.raises(TypeError, match="not of a int"):
        feed(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not of a bytes"):
        feed(b"users.csv")
    with pytest.raises(ValueError, match=r"'users.txt' ends in none of .csv, .tsv, .jsonl, .ndjson: give format="):
        feed("users.txt")
    with pytest.raises(ValueError, match="format, delimiter and columns are for files"):
        feed(ROWS, format="csv")


def test_feeds_have_names_of_their_own() -> None:
    names = [made.name for made in (feed("a.csv"), feed(Path("a.csv")), feed(ROWS), feed(ROWS), feed(ROWS, name="x"))]
    assert names == ["a.csv", "a.csv (2)", "list", "list (2)", "x"]


def test_a_row_is_a_dict_and_a_list_gives_what_it_holds() -> None:
    of_file, of_list = feed("a.jsonl"), feed(ROWS)
    of_file.bind(ListSupply(b'{"a": [1, null]}', b'{"a": 2}'))
    of_list.bind(ListSupply(b"\x81\x01\xc4\x01x"))
    assert (of_file.next(), next(of_file)) == ({"a": [1, None]}, {"a": 2})
    assert next(of_list) == {1: b"x"}


def test_a_user_for_whom_there_is_no_row_stops() -> None:
    rows = feed(ROWS)
    rows.bind(ListSupply(b"\x01", b"\x02"))
    seen: list[object] = []

    class Reader(User):
        def on_stop(self) -> None:
            seen.append("stopped")

        def read(self) -> None:
            seen.extend(rows)

        tasks = [read]

    assert Stage(Reader).run().recorder.exceptions == {}
    assert seen == [1, 2, "stopped"]


def test_where_no_user_is_it_is_an_error_to_want_a_row() -> None:
    rows = feed(ROWS)
    with pytest.raises(RuntimeError, match="list: rows are for users"):
        next(rows)
    rows.bind(ListSupply())
    assert current_seat.get() is None
    with pytest.raises(RuntimeError, match="list: there are no rows left"):
        next(rows)


def test_code_that_a_user_has_spawned_stops_too() -> None:
    rows = feed(ROWS)
    rows.bind(ListSupply())
    raised: list[type] = []

    class Reader(User):
        def read(self) -> None:
            raised.append(type(gevent.spawn(self.caught).get()))
            raise StopUser

        def caught(self) -> BaseException:
            try:
                next(rows)
            except StopUser as stop:
                return stop
            raise AssertionError("there was a row")

        tasks = [read]

    Stage(Reader).run()
    assert raised == [StopUser]


# --- in a script -----------------------------------------------------------------------------------------------------

SCRIPT = """
from swell import User, feed, task
{feeds}

class Reader(User):
    @task
    def read(self):
        {task}
"""


def script_with(folder: Path, feeds: str, task: str = "pass") -> LoadedScript:
    path = folder / "script.py"
    path.write_text(SCRIPT.format(feeds=textwrap.dedent(feeds), task=task))
    return load(str(path))


def test_a_file_is_looked_for_beside_the_script_and_then_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("scripts", "here"):
        (tmp_path / folder).mkdir()
    (tmp_path / "scripts" / "both.csv").write_text("a\nbeside\n")
    (tmp_path / "here" / "both.csv").write_text("a\nhere\n")
    (tmp_path / "here" / "one.jsonl").write_text('{"a": 1}\n{"a": 22}\n')
    monkeypatch.chdir(tmp_path / "here")
    script = script_with(tmp_path / "scripts", 'both = feed("both.csv"); one = feed("one.jsonl", order="random")')
    assert script.open_feeds() == []
    assert [source.read([0]) for source in script.row_sources] == [[b'{"a":"beside"}'], [b'{"a": 1}']]
    assert script.feed_plans() == (
        FeedPlan(name="both.csv", order=Order.CIRCULAR, when_out=WhenOut.REPEAT, rows=1, row_bytes=14),
        FeedPlan(name="one.jsonl", order=Order.RANDOM, when_out=WhenOut.REPEAT, rows=2, row_bytes=9),
    )
    for source in script.row_sources:
        source.close()


def test_everything_that_is_wrong_with_the_files_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "users.csv").write_text("a,b\n1\n")
    feeds = 'a = feed("user.csv"); b = feed("users.csv", name="accounts"); c = feed([]); d = feed([{1j}])'
    feeds += '; e = feed("/no/where.csv")'
    assert [str(problem) for problem in script_with(tmp_path, feeds).open_feeds()] == [
        f"user.csv: no such file in {tmp_path} (did you mean users.csv?)",
        "users.csv:2:2: 1 field where the header has 2",
        "list: the list has no rows",
        "list (2): row 1 cannot be sent to another process: Encoding objects of type complex is unsupported",
        "/no/where.csv: no such file",
    ]


def test_a_faulty_declaration_is_a_script_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"script.py:3: ValueError: order='x' is not one of once, circular, random"):
        script_with(tmp_path, 'rows = feed("a.csv", order="x")')


def test_a_feed_that_a_user_declares_comes_too_late(tmp_path: Path) -> None:
    stage = Stage(script_with(tmp_path, "", 'feed("a.csv")').classes[0]).run(until_s=0.1)
    assert "RuntimeError: feed() is called too late" in next(iter(stage.recorder.exceptions))


def test_a_worker_needs_no_file_but_the_same_feeds(tmp_path: Path) -> None:
    script = script_with(tmp_path, 'rows = feed("not_here.csv")')
    plan = FeedPlan(name="not_here.csv", order=Order.CIRCULAR, when_out=WhenOut.REPEAT, rows=1)
    script.bind_feeds([plan], [ListSupply(b"{}")])
    assert next(script.module.rows) == {}
    with pytest.raises(PlanError, match=r"declares the feeds not_here.csv here, but others in the controller"):
        script.bind_feeds([], [])
