"""Choosing tasks by tag."""

from collections.abc import Callable

import pytest

from swell import SequentialTaskSet, TaskSet, User, tag, task
from swell.errors import PlanError
from swell.script.loader import load
from swell.script.tag_filter import filtered, tags_within
from swell.script.turns import weighted_tasks


class Contestant(User):
    @task(2)
    def plain(self) -> None: ...

    @tag("read", "quick")
    @task(3)
    def read(self) -> None: ...

    @task
    @tag("slow")
    @tag("read")
    def search(self) -> None: ...

    @tag("forum")
    @task
    class Forum(TaskSet):
        @task
        def look(self) -> None: ...

        @tag("slow")
        @task
        class Thread(SequentialTaskSet):
            @tag("read")
            @task
            def open(self) -> None: ...

            @task
            def reply(self) -> None: ...


def tree(cls: type | None) -> object:
    """What is left of a class: names, nested ones as (name, tree)."""
    if cls is None:
        return None
    return [
        (item.__name__, tree(item)) if isinstance(item, type) else f"{item.__name__}*{weight}"
        for item, weight in weighted_tasks(cls.tasks)  # type: ignore[attr-defined]
    ]


ALL_OF_FORUM = ("Forum", ["look*1", ("Thread", ["open*1", "reply*1"])])


@pytest.mark.parametrize(
    ("tags", "exclude_tags", "left"),
    [
        ("", "", ["plain*2", "read*3", "search*1", ALL_OF_FORUM]),
        ("read", "", ["read*3", "search*1", ("Forum", [("Thread", ["open*1"])])]),
        ("quick slow", "", ["read*3", "search*1", ("Forum", [("Thread", ["open*1", "reply*1"])])]),
        ("forum", "", [ALL_OF_FORUM]),
        ("forum", "slow", [("Forum", ["look*1"])]),
        ("", "forum", ["plain*2", "read*3", "search*1"]),
        ("", "read", ["plain*2", ("Forum", ["look*1", ("Thread", ["reply*1"])])]),
        ("read", "read", None),
    ],
)
def test_tags_and_excluded_tags_choose_tasks(tags: str, exclude_tags: str, left: object) -> None:
    chosen = filtered(Contestant, frozenset(tags.split()), frozenset(exclude_tags.split()))
    assert tree(chosen) == left


def test_choosing_leaves_the_class_itself_as_it_was() -> None:
    before = tree(Contestant)
    chosen = filtered(Contestant, frozenset({"read"}), frozenset())
    assert chosen is not None
    assert (chosen.__name__, chosen.__qualname__, chosen.__module__) == ("Contestant", "Contestant", __name__)
    assert issubclass(chosen, Contestant)
    assert tree(Contestant) == before


def test_the_tags_of_a_class_count_for_its_subclasses_and_tasks() -> None:
    @tag("shop")
    class Shop(User):
        @task
        def look(self) -> None: ...

    assert tags_within(type("Corner", (Shop,), {})) == {"shop"}
    assert tree(filtered(type("Corner", (Shop,), {}), frozenset({"shop"}), frozenset())) == ["look*1"]


def test_all_tags_of_a_class_are_known() -> None:
    assert tags_within(Contestant) == {"read", "quick", "slow", "forum"}


@pytest.mark.parametrize("nonsense", [(), (1,), (len,)])
def test_a_tag_needs_a_name(nonsense: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match="@tag needs at least one name"):
        tag(*nonsense)  # type: ignore[arg-type]


TWO_CLASSES = """
class Reader(User):
    @tag("read")
    @task
    def read(self): ...

class Writer(User):
    @tag("write")
    @task
    def write(self): ...
"""


def test_a_class_without_a_chosen_task_takes_no_part(script: Callable[..., str]) -> None:
    loaded = load(script(TWO_CLASSES), tags=["read"])
    assert [scenario.name for scenario in loaded.scenarios] == ["Reader"]


@pytest.mark.parametrize(
    ("tags", "exclude_tags", "said"),
    [
        (["raed"], [], ["--tags: no task has the tag 'raed' (did you mean read?)"]),
        (["zzz"], ["wriet"], ["--tags: no task has the tag 'zzz' (tags are read, write)",
                              "--exclude-tags: no task has the tag 'wriet' (did you mean write?)"]),
        ([], ["read", "write"], ["--exclude-tags: no task is left"]),
        (["read"], ["read"], ["--exclude-tags: no task is left"]),
    ],
)  # fmt: skip
def test_wrong_tags_are_named(
    script: Callable[..., str], tags: list[str], exclude_tags: list[str], said: list[str]
) -> None:
    with pytest.raises(PlanError) as caught:
        load(script(TWO_CLASSES), tags=tags, exclude_tags=exclude_tags)
    assert [str(problem) for problem in caught.value.problems] == said


def test_a_script_without_tags_says_so(script: Callable[..., str]) -> None:
    with pytest.raises(PlanError, match=r"no task has the tag 'a' \(the script has no @tag\)"):
        load(script("class A(User):\n    @task\n    def read(self): ..."), tags=["a"])
