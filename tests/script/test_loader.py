"""From a file to user classes that can run."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from swell.clock import ManualClock
from swell.errors import PlanError, ScriptError
from swell.plan import Scenario
from swell.script.loader import load
from swell.script.secrets import secrets
from swell.user import Seat
from tests.script.seats import MemoryRecorder

Script = Callable[..., str]

ONE_TASK = """
    @task
    def read(self): ...
"""


INSTALL = "install it beside swell (pip install {0}), or put {0}.py next to the script"
SAME_NAMES = "(swell has the same names: from swell import ...)"
NO_SUCH_NAME = "cannot import name 'HTTPUser' from 'swell' (did you mean HttpUser?)"
WRITE_ONE = "(write a class that is a subclass of HttpUser or User; one with `abstract = True` does not count)"


def problems_of(path: str, **choice: object) -> list[str]:
    """What is said to be wrong, each with its place and hint, the script's folder left out."""
    with pytest.raises(PlanError) as caught:
        load(path, **choice)  # type: ignore[arg-type]
    folder = f"{Path(path).parent}/"
    return [str(problem).replace(folder, "") for problem in caught.value.problems]


def test_user_classes_become_scenarios_in_the_order_written(script: Script) -> None:
    path = script("""
        class Contestant(HttpUser):
            weight = 3
            host = "http://contest"
            @task
            def read(self): ...

        class Jury(User):
            fixed_count = 2
            @task
            def rate(self): ...

        class Common(HttpUser):
            abstract = True
    """)
    loaded = load(path)
    assert loaded.scenarios == (
        Scenario("Contestant", weight=3.0, host="http://contest", needs_host=True),
        Scenario("Jury", fixed_count=2, needs_host=False),
    )
    assert [cls.__name__ for cls in loaded.classes] == ["Contestant", "Jury"]
    assert (loaded.path, loaded.module.__name__) == (path, "contest")


def test_abstract_is_not_inherited_and_tasks_are(script: Script) -> None:
    path = script("""
        class Base(User):
            abstract = True
            @task
            def read(self): ...

        class First(Base): ...
        class Second(Base): ...
    """)
    assert [scenario.name for scenario in load(path).scenarios] == ["First", "Second"]


def test_only_the_classes_named_are_taken(script: Script) -> None:
    path = script("class A(User):" + ONE_TASK + "class B(User):" + ONE_TASK + "class C(User):" + ONE_TASK)
    assert [scenario.name for scenario in load(path, class_names=["C", "A", "C"]).scenarios] == ["A", "C"]


def test_helpers_beside_the_script_can_be_imported_also_later(script: Script) -> None:
    path = script(
        """
        from pages import Reader, Empty
        class Contestant(Reader):
            @task
            def late(self):
                import later
                self._seat.leaving = later.answer == 42
        """,
        pages="""
        from swell import User, task
        class Reader(User):
            @task
            def read(self): ...
        class Empty(User): ...
        """,
        later="answer = 42",
    )
    loaded = load(path, class_names=["Contestant"])
    assert [scenario.name for scenario in load(path).scenarios] == ["Reader", "Contestant"]
    recorder = MemoryRecorder()
    seat = Seat(number=1, scenario="Contestant", seed=1, host="", clock=ManualClock(), recorder=recorder, shared=None)
    loaded.factory(loaded.environment()).make(seat).live()
    assert recorder.exceptions == {}


def test_a_factory_makes_users_of_the_class_that_the_seat_names(script: Script) -> None:
    path = script("""
        class A(User):
            @task
            def stop(self):
                events.request.fire(request_type="A", name=self.environment.parsed_options.page, response_time=1)
                raise StopUser

        class B(A): ...
    """)
    loaded = load(path)
    recorder = MemoryRecorder()
    environment = loaded.environment(host="http://x")
    environment.parsed_options.page = "/1"
    factory = loaded.factory(environment)
    for name in ("B", "A"):
        seat = Seat(number=1, scenario=name, seed=1, host="", clock=ManualClock(), recorder=recorder, shared=None)
        user = factory.make(seat)
        user.live()
        user.close()
    assert recorder.scenarios == ["B", "A"]
    assert (repr(factory), recorder.records[0].name) == ("<ClassFactory of A, B>", "/1")
    assert repr(environment) == "<Environment for http://x, 2 user classes>"


def test_a_script_may_have_the_name_of_a_module_that_is_loaded(script: Script) -> None:
    loaded = load(script("import json\nclass A(User):" + ONE_TASK + "assert json.loads('1') == 1", name="json.py"))
    assert loaded.module.__name__ == "swell_script_json"
    assert sys.modules["json"].__name__ == "json"


def test_a_script_may_use_dataclasses(script: Script) -> None:
    load(
        script(
            """
        from __future__ import annotations
        import dataclasses
        @dataclasses.dataclass
        class Account:
            name: str
        class A(User):
            @task
            def read(self): ...
        """.replace("from __future__ import annotations", "")
        )
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("contets.py", "contets.py: no such script (did you mean contest.py?)"),
        ("contest", "contest: no such script (did you mean contest.py?)"),
        ("zzz.py", "zzz.py: no such script"),
        ("nowhere/at/all.py", "all.py: no such script"),
        ("notes.txt", "notes.txt: is not a Python file (its name must end in .py)"),
        ("folder", "folder: is a directory; a script is a file (it holds one.py)"),
        ("empty", "empty: is a directory; a script is a file"),
    ],
)
def test_a_path_that_is_no_script(script: Script, tmp_path: Path, name: str, said: str) -> None:
    script("class A(User):" + ONE_TASK)
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder" / "one.py").write_text("")
    assert problems_of(str(tmp_path / name)) == [said]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def read(:", "contest.py:2: syntax error: invalid syntax (def read(:)"),
        ("class A(User):\n  x = (1,\n", "contest.py:3: syntax error: '(' was never closed (x = (1,)"),
        ("import numpie", "contest.py:2: imports numpie, which is not here (" + INSTALL.format("numpie") + ")"),
        ("import json.nowhere", "contest.py:2: an import fails: No module named 'json.nowhere'"),
        ("from locust import HttpUser", "contest.py:2: imports locust, which is not here " + SAME_NAMES),
        ("from swell import HTTPUser", "contest.py:2: an import fails: " + NO_SUCH_NAME),
        ("from broken import x", "broken.py:3: syntax error: invalid syntax (x = = 2)"),
        ("import deeper", "deeper.py:2: imports nowhere, which is not here (" + INSTALL.format("nowhere") + ")"),
        ("\n\n1 / 0", "contest.py:4: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "contest.py:2: the script ends the process while it is loaded (SystemExit)"),
        ("@tag\nclass A(User): ...", 'contest.py:2: ValueError: @tag needs at least one name: @tag("name")'),
        ("x = 1", "contest.py: no user class in it " + WRITE_ONE),
    ],
)  # fmt: skip
def test_a_script_that_cannot_be_loaded(script: Script, body: str, said: str) -> None:
    path = script(body, broken="\nx = 1\nx = = 2", deeper="\nimport nowhere")
    found = problems_of(path)
    assert found == [said]


def test_the_file_of_a_script_may_hold_anything(tmp_path: Path) -> None:
    file = tmp_path / "bytes.py"
    for content in (b"\x00", b"\xff\xfe", b"# coding: nonsense\n", b"'\xe9'", bytes(range(256))):
        file.write_bytes(content)
        [said] = problems_of(str(file))
        assert said.startswith("bytes.py"), said


def test_a_package_that_is_missing_where_the_script_has_travelled_to_is_named(script: Script) -> None:
    path = script("import one", one="from numpie.linear import x")
    remedy = (
        "one.py:1 imports it; pip install numpie there; if it is a file of yours, files('numpie.py') sends it along"
    )
    assert problems_of(path, travelled=True) == [
        f"the script needs the package 'numpie', which is not installed there ({remedy})"
    ]


def test_a_missing_secret_is_said_with_its_place(script: Script) -> None:
    [said] = problems_of(script("import one", one="from swell import secret\nTOKEN = secret('TOKEN')"))
    assert said.startswith("one.py:2: needs the secret TOKEN, which is not here: looked for in ")


def test_secrets_are_looked_up_wherever_the_code_names_them(script: Script, tmp_path: Path) -> None:
    body = """
        import one
        class A(User):
            @task
            def read(self):
                secret("TOKEN"); secret("MISSING"); secret("OPTIONAL", default=""); secret("SOME" + "HOW")
        """
    secrets.look_in({"TOKEN": "abcdef", "OTHER": "ghijkl"}, tmp_path)
    loaded = load(script(body, one="import swell\ndef f():\n    return swell.secret('OTHER')"))
    [problem] = loaded.secret_problems()
    where = f"the environment variables MISSING and MISSING_FILE, and {tmp_path}/MISSING"
    assert str(problem) == f"contest.py:7: needs the secret MISSING, which is not here: looked for in {where}"
    assert secrets.known == {"TOKEN": "abcdef", "OTHER": "ghijkl"}


def test_an_exception_in_the_script_has_the_authors_own_traceback(script: Script) -> None:
    path = script("import accounts\naccounts.read()", accounts="def read():\n    return {}['user']")
    with pytest.raises(ScriptError) as caught:
        load(path)
    assert caught.value.author_traceback.splitlines() == [
        "contest.py:3 in <module>",
        "    accounts.read()",
        "accounts.py:2 in read",
        "    return {}['user']",
        "KeyError: 'user'",
    ]


def test_a_script_that_failed_can_be_loaded_again_once_mended(script: Script, tmp_path: Path) -> None:
    path = script("1 / 0")
    problems_of(path)
    assert load(script("class A(User):" + ONE_TASK + "    # mended")).scenarios[0].name == "A"


def test_a_class_name_that_is_not_there(script: Script) -> None:
    path = script("class Contestant(User):" + ONE_TASK + "class Jury(User):" + ONE_TASK)
    assert problems_of(path, class_names=["contestent", "Zzz", "Jury"]) == [
        "contestent: contest.py has no user class contestent (did you mean Contestant?)",
        "Zzz: contest.py has no user class Zzz (it has Contestant, Jury)",
    ]


def test_two_classes_of_one_name(script: Script) -> None:
    body = "import other\nFirst = other.A\nclass A(User):" + ONE_TASK
    path = script(body, other="from swell import *\nclass A(User):" + ONE_TASK)
    assert problems_of(path) == ["contest.py: two user classes are called A (rename one)"]


def test_everything_that_is_wrong_is_said_at_once(script: Script) -> None:
    path = script("""
        class Contestant(User):
            weight = -1
            fixed_count = 1.5
            host = 80
            wait_time = 5
            @task
            def read(self): ...

        class Jury(User): ...

        @setup
        def one(): ...
        @setup
        def two(): ...
    """)
    assert problems_of(path) == [
        "contest.py: more than one function has @setup: one() and two() (call the others from one)",
        "Contestant.weight: weight -1 is not a number of 0 or more",
        "Contestant.fixed_count: 1.5 is not a whole number of 0 or more",
        "Contestant.host: 80 is not a text",
        "Contestant.wait_time: 5 is a number (write wait_time = constant(5))",
        "Jury: has no tasks (give it a method with @task; or, if it is only there to be subclassed, `abstract = True`)",
    ]


SHAPE = """
        class Reader(User):
            @task
            def read(self): ...

        class Steps(LoadTestShape):
            def tick(self):
                return None
"""


def test_the_shape_of_a_script_is_the_one_that_is_not_abstract(script: Script) -> None:
    more = """
        class Common(LoadTestShape):
            abstract = True

        Other = Steps
    """
    shape = load(script(SHAPE + more)).shape
    assert shape is not None
    assert shape.__name__ == "Steps"
    assert load(script("class Reader(User):" + ONE_TASK, "plain.py")).shape is None


KEEP_ONE = "(keep one; a class with `abstract = True` does not count)"
NO_TICK = "Idle: has no tick() (write `def tick(self)`: it returns (users, rate per second), or None to end the run)"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("class Waves(Steps): ...", f"contest.py: more than one LoadTestShape: Steps and Waves {KEEP_ONE}"),
        ("Steps.abstract = True\n        class Idle(LoadTestShape): ...", NO_TICK),
    ],
)
def test_a_shape_has_to_be_the_only_one_and_to_have_a_tick(script: Script, more: str, said: str) -> None:
    assert problems_of(script(f"{SHAPE}\n        {more}")) == [said]


def test_a_shape_alone_is_no_script(script: Script) -> None:
    (said,) = problems_of(script("class Steps(LoadTestShape):\n    def tick(self): ..."))
    assert said.startswith("contest.py: no user class in it")
