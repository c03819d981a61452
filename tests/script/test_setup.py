"""@setup: once, in the controller, for every user."""

from collections.abc import Callable

import pytest

from swell.errors import PlanError, ScriptError
from swell.script.loader import load

Script = Callable[..., str]
USER = """
class A(User):
    @task
    def read(self): ...
"""


def test_what_it_returns_is_shared_as_it_will_arrive(script: Script) -> None:
    loaded = load(script(USER + "@setup\ndef accounts():\n    return {'names': ('a', 'b'), 'count': 2, 'raw': b'x'}"))
    assert loaded.run_setup() == {"names": ["a", "b"], "count": 2, "raw": b"x"}


def test_without_one_nothing_is_shared(script: Script) -> None:
    assert load(script(USER)).run_setup() == {}


def test_it_may_take_the_environment(script: Script) -> None:
    loaded = load(script(USER + "@setup\ndef target(environment):\n    return environment.host"))
    assert loaded.run_setup(loaded.environment(host="http://x")) == "http://x"


def test_one_from_a_helper_counts(script: Script) -> None:
    loaded = load(
        script(
            "from helper import prepare\n" + USER,
            helper="from swell import setup\n@setup\ndef prepare():\n    return 7",
        )
    )
    assert loaded.run_setup() == 7


@pytest.mark.parametrize("value", ["object()", "{1, print}", "[lambda: 1]", "1 << 70", "USER_LOOP"])
def test_a_value_that_cannot_be_sent_is_refused(script: Script, value: str) -> None:
    loop = "USER_LOOP = []\nUSER_LOOP.append(USER_LOOP)\n"
    loaded = load(script(loop + USER + f"@setup\ndef accounts():\n    return {value}"))
    with pytest.raises(PlanError, match=r"^accounts\(\): the value of @setup cannot be sent to the workers: .+"):
        loaded.run_setup()


def test_an_exception_in_it_has_the_authors_traceback(script: Script) -> None:
    loaded = load(script(USER + "@setup\ndef accounts():\n    return open('/nonexistent/accounts')"))
    with pytest.raises(ScriptError) as caught:
        loaded.run_setup()
    assert str(caught.value).startswith("contest.py:8: @setup failed: FileNotFoundError: [Errno 2]")
    assert caught.value.author_traceback.startswith("contest.py:8 in accounts\n    return open(")
