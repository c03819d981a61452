"""Hooks, their listeners, and samples that a script fires itself."""

import logging

import gevent
import pytest

from swell import StopUser, events, task
from swell.clock import ManualClock
from swell.script.current import bind_recorder, seat_here
from swell.script.events import EventHook, Events, listener_faults
from swell.segment import Outcome
from tests.script.seats import Listed, MemoryRecorder, Record, Stage

LOCUST_2_HOOKS = {
    *("request", "user_error", "report_to_master", "worker_report", "worker_connect", "spawning_complete", "quitting"),
    *("quit", "init", "init_command_line_parser", "test_start", "test_stopping", "test_stop", "reset_stats"),
    *("cpu_warning", "heartbeat_sent", "heartbeat_received", "usage_monitor"),
}
OWN = Outcome.OWN | Outcome.USER_CLOCK


def test_every_hook_that_locust_documents_is_there() -> None:
    assert {hook.name for hook in vars(Events()).values()} == LOCUST_2_HOOKS
    assert set(vars(Events())) == LOCUST_2_HOOKS


def test_listeners_are_told_in_order_until_removed() -> None:
    hook, heard = EventHook("test_start"), []

    @hook.add_listener
    def first(**arguments: object) -> None:
        heard.append(("first", arguments))

    second = hook.add_listener(lambda environment: heard.append(("second", environment)))
    hook.fire(environment=1)
    hook.remove_listener(first)
    hook.fire(environment=2)
    assert heard == [("first", {"environment": 1}), ("second", 1), ("second", 2)]
    assert (bool(hook), hook.listeners) == (True, [second])


def test_a_hook_nobody_listens_to_is_false() -> None:
    assert not EventHook("init")
    assert repr(Events()) == "<Events, listened to: none>"


def test_a_listener_may_remove_itself() -> None:
    hook, heard = EventHook("init"), []

    def once(**_: object) -> None:
        heard.append(1)
        hook.remove_listener(once)

    hook.add_listener(once)
    hook.add_listener(lambda **_: heard.append(2))
    hook.fire()
    hook.fire()
    assert heard == [1, 2, 2]


def test_a_failing_listener_is_counted_logged_once_and_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    recorder, heard = MemoryRecorder(), []
    bind_recorder(recorder, ManualClock())
    events.test_start.add_listener(lambda **_: {}["missing"])
    events.test_start.add_listener(lambda **_: heard.append(1))
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            events.test_start.fire(environment=None)
    assert heard == [1, 1, 1]
    assert listener_faults == {"events.test_start: KeyError: 'missing'": 3}
    assert recorder.exceptions == {"events.test_start: KeyError: 'missing'": 3}
    assert len(caplog.records) == 1


def test_texts_of_failing_listeners_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    def fail(number: int) -> None:
        raise ValueError(number)

    events.test_stop.add_listener(fail)
    for number in range(150):
        events.test_stop.fire(number=number)
    assert len(listener_faults) == 101
    assert (listener_faults["(others)"], sum(listener_faults.values())) == (50, 150)
    assert len(caplog.records) == 101


def test_a_listener_may_stop_the_user() -> None:
    class Strict(Listed):
        @task
        def work(self) -> None:
            events.request.fire(request_type="X", name="y", response_time=1, exception="bad")

    @events.request.add_listener
    def stop_at_failure(exception: object, **_: object) -> None:
        if exception:
            raise StopUser

    stage = Stage(Strict).run()
    assert (len(stage.recorder.records), stage.recorder.exceptions) == (1, {})


def test_firing_request_in_a_user_records_a_sample_for_it() -> None:
    class Database(Listed):
        @task
        def work(self) -> None:
            events.request.fire(request_type="SQL", name="find", response_time=12.5, response_length=700)
            events.request.fire(request_type="SQL", name="find", response_time=0.5, exception=KeyError("x"), context={})
            raise StopUser

    stage = Stage(Database).run()
    assert stage.recorder.records == [
        Record("SQL", "find", "", 1_000, 0.0125, 0.0125, -1, 700, OWN),
        Record("SQL", "find", "KeyError: 'x'", 1_000, 0.0005, 0.0005, -1, 0, OWN | Outcome.FAILED),
    ]
    assert stage.recorder.scenarios == ["Database", "Database"]


def test_firing_request_in_a_greenlet_of_a_user_records_for_that_user() -> None:
    seen = []

    class Parallel(Listed):
        @task
        def work(self) -> None:
            gevent.spawn(lambda: gevent.spawn(self.fire).join()).join()
            raise StopUser

        def fire(self) -> None:
            seen.append(seat_here())
            events.request.fire(request_type="SQL", name="find", response_time=1)

    stage = Stage(Parallel)
    gevent.spawn(stage.run).join()
    assert seen == [stage.seat]
    assert stage.recorder.scenarios == ["Parallel"]


def test_firing_request_outside_of_users_records_without_a_scenario() -> None:
    recorder = MemoryRecorder()
    bind_recorder(recorder, ManualClock(5_000_000_000))
    events.request.fire(request_type="SQL", name="vacuum", response_time=None)
    assert recorder.records == [Record("SQL", "vacuum", "", 5, 0, 0, -1, 0, OWN)]
    assert recorder.scenarios == [""]


def test_firing_request_where_nothing_is_recorded_tells_listeners() -> None:
    heard = []
    events.request.add_listener(lambda **arguments: heard.append(arguments))
    events.request.fire(request_type="SQL", name="x", response_time=3, more=4)
    assert heard == [{"request_type": "SQL", "name": "x", "response_time": 3, "more": 4}]


def test_telling_request_records_nothing() -> None:
    recorder, heard = MemoryRecorder(), []
    bind_recorder(recorder, ManualClock())
    events.request.add_listener(lambda **arguments: heard.append(arguments["name"]))
    events.request.tell(request_type="GET", name="/x", response_time=3)
    assert (heard, recorder.records) == (["/x"], [])


@pytest.mark.parametrize("nonsense", [float("nan"), float("inf"), -1])
def test_a_response_time_that_is_none_is_refused(nonsense: float) -> None:
    bind_recorder(MemoryRecorder(), ManualClock())
    with pytest.raises(ValueError, match="is not a time of 0 ms or more"):
        events.request.fire(request_type="SQL", name="x", response_time=nonsense)


def test_once_a_user_has_gone_its_greenlet_is_nobodys() -> None:
    class Brief(Listed):
        @task
        def work(self) -> None:
            raise StopUser

    Stage(Brief).run()
    assert seat_here() is None
