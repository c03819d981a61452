"""How the next task is picked, and what an iteration is."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from swell import RescheduleTask, RescheduleTaskImmediately, SequentialTaskSet, TaskSet, constant, task
from swell.script.draws import Draws
from swell.script.turns import TurnTable
from tests.script.seats import Listed, Stage, notes_of


def named(name: str) -> object:
    def note(owner: Listed) -> None:
        owner.note(name)

    note.__name__ = name
    return note


@given(st.lists(st.integers(0, 20), min_size=1, max_size=8).filter(any), st.integers(0, 2**64))
def test_in_the_long_run_each_task_is_picked_in_proportion_to_its_weight(weights: list[int], seed: int) -> None:
    picks = 4_000
    table = TurnTable(Listed, {named(str(index)): weight for index, weight in enumerate(weights)}, in_order=False)
    pick = table.picker(Draws(seed, 1).next)
    picked = Counter(pick()[1] for _ in range(picks))
    for index, weight in enumerate(weights):
        expected = picks * weight / sum(weights)
        spread = 6 * (expected * (1 - weight / sum(weights))) ** 0.5
        assert abs(picked[f"Listed.{index}"] - expected) <= spread + 1e-9


@given(st.lists(st.floats(0.001, 1000), min_size=1, max_size=8), st.floats(0, 1, exclude_max=True))
def test_every_draw_stands_for_a_task(weights: list[float], draw: float) -> None:
    table = TurnTable(Listed, {named(str(index)): weight for index, weight in enumerate(weights)}, in_order=False)
    slow = next(index for index in range(len(weights)) if draw * sum(weights) <= sum(weights[: index + 1]) * (1 + 1e-9))
    assert table.index_of(draw) in (slow, slow + 1)


@given(st.lists(st.integers(1, 3), min_size=1, max_size=5), st.integers(1, 30))
def test_a_sequence_runs_in_the_order_written_weights_as_repeats(weights: list[int], turns: int) -> None:
    methods = {f"t{index}": task(weight)(named(f"t{index}")) for index, weight in enumerate(weights)}
    inside = type("Inside", (SequentialTaskSet,), {**methods, "note": lambda self, what: self.user.note(what)})
    user = type("InOrder", (Listed,), {"tasks": [inside], "turns_most": turns})
    once = [f"t{index}" for index, weight in enumerate(weights) for _ in range(weight)]
    assert notes_of(Stage(user).run()) == (once * turns)[:turns]


def test_the_same_seed_and_number_pick_the_same_tasks_and_others_pick_others() -> None:
    class Undecided(Listed):
        @task
        def left(self) -> None:
            self.note("left")

        @task
        def right(self) -> None:
            self.note("right")

    first = notes_of(Stage(Undecided, number=1, seed=5).run())
    assert notes_of(Stage(Undecided, number=1, seed=5).run()) == first
    assert notes_of(Stage(Undecided, number=2, seed=5).run()) != first
    assert notes_of(Stage(Undecided, number=1, seed=6).run()) != first


def test_what_an_author_draws_does_not_change_which_task_comes_next() -> None:
    class Plain(Listed):
        tasks = {named("a"): 1, named("b"): 1}

    class Drawing(Plain):
        def note(self, what: str) -> None:
            self.random.random()
            super().note(what)

    assert notes_of(Stage(Drawing).run()) == notes_of(Stage(Plain).run())


def test_random_is_the_same_in_every_run_of_a_user() -> None:
    class Drawing(Listed):
        turns_most = 3

        @task
        def draw(self) -> None:
            self.note(f"{self.random.random():.6f}")

    assert notes_of(Stage(Drawing, number=7, seed=1).run()) == notes_of(Stage(Drawing, number=7, seed=1).run())
    assert notes_of(Stage(Drawing, number=7, seed=1).run()) == ["0.960263", "0.745209", "0.344223"]


def test_tasks_are_a_list_or_a_dict_and_add_to_those_of_the_base() -> None:
    def extra(user: Listed) -> None: ...

    class Base(Listed):
        @task(2)
        def read(self) -> None: ...

    class Derived(Base):
        tasks = {extra: 5}

        @task
        def write(self) -> None: ...

    assert Derived.tasks == {Base.read: 2, extra: 5, Derived.write: 1}
    assert Base.tasks == {Base.read: 2}
    assert type("Repeated", (Listed,), {"tasks": [extra, extra]}).tasks == {extra: 2}


def test_a_method_that_overrides_a_task_takes_its_place() -> None:
    class Base(Listed):
        @task(2)
        def read(self) -> None: ...

        @task
        def write(self) -> None: ...

        @task
        def idle(self) -> None: ...

    class Derived(Base):
        def read(self) -> None: ...

        @task(7)
        def write(self) -> None: ...

        idle = None  # type: ignore[assignment]

    assert Derived.tasks == {Derived.read: 2, Derived.write: 7}


def test_the_table_is_made_once_for_a_class_and_again_when_its_tasks_are_replaced() -> None:
    class Changing(Listed):
        turns_most = 2

        @task
        def before(self) -> None:
            self.note("before")

    assert notes_of(Stage(Changing).run()) == ["before", "before"]
    Changing.tasks = [named("after")]
    assert notes_of(Stage(Changing).run()) == ["after", "after"]


def test_an_instance_may_have_tasks_of_its_own() -> None:
    class Choosing(Listed):
        turns_most = 2

        def on_start(self) -> None:
            self.tasks = [self.chosen]

        def chosen(self) -> None:
            self.note("chosen")

    assert notes_of(Stage(Choosing).run()) == ["chosen", "chosen"]
    assert Choosing.tasks == {}


def test_scheduled_tasks_come_before_picked_ones() -> None:
    class Scheduling(Listed):
        turns_most = 5

        @task
        def usual(self) -> None:
            if not self.notes:
                self.schedule_task(type(self).second)
                self.schedule_task(type(self).third)
                self.schedule_task(type(self).first, first=True)
            self.note("usual")

        def first(self) -> None:
            self.note("first")

        def second(self) -> None:
            self.note("second")

        def third(self) -> None:
            self.note("third")

    assert notes_of(Stage(Scheduling).run()) == ["usual", "first", "second", "third", "usual"]


def test_get_next_task_may_be_overridden() -> None:
    class Choosy(Listed):
        turns_most = 4
        tasks = [named("a"), named("b")]

        def get_next_task(self):  # type: ignore[no-untyped-def]
            return list(self.tasks)[len(self.notes) % 2]

    assert notes_of(Stage(Choosy).run()) == ["a", "b", "a", "b"]


def test_an_iteration_is_one_turn_of_the_outermost_list() -> None:
    class Flat(Listed):
        wait_time = constant(1)

        @task
        def read(self) -> None: ...

    assert Stage(Flat).run(until_s=9.5).seat.iterations == 10


def test_an_iteration_of_a_sequence_is_a_pass_through_it() -> None:
    class Flow(Listed):
        wait_time = constant(1)

        @task
        class Steps(SequentialTaskSet):
            @task
            def login(self) -> None: ...

            @task
            def read(self) -> None: ...

            @task
            def submit(self) -> None: ...

    assert Stage(Flow).run(until_s=7.5).seat.iterations == 2


def test_an_iteration_of_a_nested_set_lasts_until_it_interrupts() -> None:
    class Outer(Listed):
        wait_time = constant(1)

        @task
        class Inside(TaskSet):
            def on_start(self) -> None:
                self.left = 3

            @task
            def step(self) -> None:
                self.left -= 1
                if not self.left:
                    self.interrupt()

    assert Stage(Outer).run(until_s=9.5).seat.iterations == 4


def test_reschedule_leaves_the_task_with_or_without_a_wait() -> None:
    class Wavering(Listed):
        wait_time = constant(10)
        turns_most = 4

        @task
        def waver(self) -> None:
            self.note("at once" if len(self.notes) % 2 else "later")
            raise RescheduleTask if len(self.notes) % 2 else RescheduleTaskImmediately

    stage = Stage(Wavering).run()
    assert (notes_of(stage), stage.now_s) == (["later", "at once", "later", "at once"], 20)
    assert stage.recorder.exceptions == {}


def test_the_seat_knows_what_its_user_is_doing() -> None:
    class Busy(Listed):
        turns_most = 3

        def on_start(self) -> None:
            self.note(self._seat.task_name)

        @task
        class Inside(TaskSet):
            @task
            def step(self) -> None:
                self.user.note(self.user._seat.task_name)

    assert notes_of(Stage(Busy).run()) == ["Busy.on_start", "Inside.step", "Inside.step"]
