"""Going into a task set, staying there, and coming out."""

from swell import InterruptTaskSet, SequentialTaskSet, StopUser, TaskSet, constant, task
from tests.script.seats import Listed, Stage, notes_of


class Visitor(Listed):
    abstract = True
    turns_most = 12

    def on_stop(self) -> None:
        self.notes.append("user stops")


class Room(TaskSet):
    def on_start(self) -> None:
        self.user.note(f"into {type(self).__name__}")

    def on_stop(self) -> None:
        self.user.notes.append(f"out of {type(self).__name__}")


def test_a_user_stays_in_a_set_until_it_interrupts() -> None:
    class Browsing(Visitor):
        turns_most = 8

        @task
        class Forum(Room):
            @task
            class Order(SequentialTaskSet):
                @task
                def read(self) -> None:
                    self.user.note("read")

                @task
                def leave_both(self) -> None:
                    self.interrupt()

            @task(0)
            def never(self) -> None:
                self.user.note("never")

    assert notes_of(Stage(Browsing).run()) == ["into Forum", *["read"] * 7, "out of Forum", "user stops"]


def test_interrupt_goes_on_at_once_or_after_a_wait() -> None:
    def times(reschedule: bool) -> list[str]:
        class Shop(TaskSet):
            @task
            def look(self) -> None:
                self.user.note(f"{self.user._seat.clock.now_ns() // 10**9 - 1000}")
                self.interrupt(reschedule)

        user = type("V", (Listed,), {"tasks": [Shop], "wait_time": constant(4), "turns_most": 3})
        return notes_of(Stage(user).run())

    assert (times(True), times(False)) == (["0", "0", "0"], ["0", "4", "8"])


def test_an_interrupt_in_on_start_keeps_the_user_out() -> None:
    class Turned(Visitor):
        turns_most = 2

        @task
        class Closed(TaskSet):
            def on_start(self) -> None:
                self.user.note("closed")
                self.interrupt()

            @task
            def never(self) -> None:
                self.user.note("never")

    assert notes_of(Stage(Turned).run()) == ["closed", "closed", "user stops"]


def test_an_exception_in_on_start_of_a_set_fails_the_task() -> None:
    class Turned(Visitor):
        wait_time = constant(1)

        @task
        class Broken(TaskSet):
            def on_start(self) -> None:
                raise ValueError("door jammed")

            @task
            def never(self) -> None:
                self.user.note("never")

    stage = Stage(Turned).run(until_s=1.5)
    assert (notes_of(stage), stage.recorder.exceptions) == (["user stops"], {"ValueError: door jammed": 2})


def test_an_exception_inside_a_set_is_counted_and_the_user_stays_in() -> None:
    class Clumsy(Visitor):
        wait_time = constant(1)

        @task
        class Shop(Room):
            @task
            def drop(self) -> None:
                raise ValueError("dropped")

    stage = Stage(Clumsy).run(until_s=2.5)
    assert notes_of(stage) == ["into Shop", "out of Shop", "user stops"]
    assert stage.recorder.exceptions == {"ValueError: dropped": 3}


def test_an_exception_in_on_stop_of_a_set_does_not_keep_the_user_in() -> None:
    class Clumsy(Visitor):
        @task
        class Shop(TaskSet):
            def on_stop(self) -> None:
                raise ValueError("stuck")

            @task
            def look(self) -> None:
                self.user.note("look")
                raise StopUser

    stage = Stage(Clumsy).run()
    assert (notes_of(stage), stage.recorder.exceptions) == (["look", "user stops"], {"ValueError: stuck": 1})


def test_sets_know_their_user_parent_and_client() -> None:
    class Nested(Visitor):
        turns_most = 1
        client = "a client"

        @task
        class Outer(TaskSet):
            @task
            class Inner(TaskSet):
                @task
                def look(self) -> None:
                    assert isinstance(self.parent, Nested.Outer)
                    assert self.parent.parent is self.user is self.parent.user
                    self.user.note(f"{self.client} {self.user.user is self.user}")

    assert notes_of(Stage(Nested).run())[0] == "a client True"


def test_a_set_may_be_listed_and_shared_between_classes() -> None:
    class Shop(Room):
        @task
        def look(self) -> None:
            self.user.note("look")

    first, second = (type(name, (Visitor,), {"tasks": {Shop: 3}, "turns_most": 2}) for name in ("First", "Second"))
    expected = ["into Shop", "look", "out of Shop", "user stops"]
    assert notes_of(Stage(first).run()) == notes_of(Stage(second).run()) == expected


def test_a_function_that_is_listed_in_a_set_is_given_the_set() -> None:
    def look(room: Room) -> None:
        room.user.note(type(room).__name__)

    class Shop(TaskSet):
        tasks = [look]

    assert notes_of(Stage(type("Guest", (Visitor,), {"tasks": [Shop], "turns_most": 1})).run())[0] == "Shop"


def test_a_set_uses_its_own_wait_time_and_else_the_users() -> None:
    class Own(TaskSet):
        wait_time = constant(3)

        @task
        def look(self) -> None:
            self.user.note(f"{self.user._seat.clock.now_ns() // 10**9 - 1000}")

    class Users(Own):
        wait_time = None

    def times(inside: type[TaskSet]) -> list[str]:
        return notes_of(
            Stage(type("V", (Listed,), {"tasks": [inside], "wait_time": constant(2), "turns_most": 3})).run()
        )

    assert (times(Own), times(Users)) == (["0", "3", "6"], ["0", "2", "4"])


def test_leaving_ends_sets_between_two_tasks_and_runs_each_on_stop() -> None:
    class Deep(Visitor):
        wait_time = constant(1)

        @task
        class Outer(Room):
            @task
            class Inner(Room):
                @task
                def look(self) -> None:
                    self.user.note("look")

    notes = notes_of(Stage(Deep).run(until_s=1.5))
    assert notes == ["into Outer", "into Inner", "look", "look", "out of Inner", "out of Outer", "user stops"]


def test_interrupting_the_users_own_list_goes_on_with_the_next_task() -> None:
    class Confused(Visitor):
        wait_time = constant(1)
        turns_most = 3

        @task
        def look(self) -> None:
            self.note("look")
            raise InterruptTaskSet(reschedule=len(self.notes) == 1)

    stage = Stage(Confused).run()
    assert (notes_of(stage), stage.now_s, stage.recorder.exceptions) == (["look"] * 3 + ["user stops"], 1, {})


def test_a_task_scheduled_in_a_set_runs_in_it() -> None:
    class Scheduling(Visitor):
        turns_most = 3

        @task
        class Shop(SequentialTaskSet):
            @task
            def first(self) -> None:
                self.user.note("first")
                self.schedule_task(Scheduling.Shop.extra)

            def extra(self) -> None:
                self.user.note("extra")

            @task
            def second(self) -> None:
                self.user.note("second")

    assert notes_of(Stage(Scheduling).run())[:3] == ["first", "extra", "second"]


def test_a_sequence_may_be_asked_for_its_next_task() -> None:
    class Cautious(Visitor):
        turns_most = 3

        @task
        class Steps(SequentialTaskSet):
            def get_next_task(self):  # type: ignore[no-untyped-def]
                chosen = super().get_next_task()
                self.user.note(chosen.__name__)
                return chosen

            @task
            def one(self) -> None: ...

            @task
            def two(self) -> None: ...

    assert notes_of(Stage(Cautious).run())[:3] == ["one", "two", "one"]
