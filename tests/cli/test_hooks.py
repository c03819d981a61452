"""The hooks of a script in a run: which fire where and when, and what they may do to it."""

from __future__ import annotations

from tests.cli.working import WORKS, Start

HOOKED = """
    import sys, time
    from swell import StopUser, User, constant, events, setup, task

    PLACE = "worker" if "worker-process" in sys.orig_argv else "controller"

    def listen(name):
        def listener(**arguments):
            print(PLACE, name, *sorted(arguments), flush=True)
            if name == "report_to_master":
                arguments["data"]["sold"] = 3
            if name == "worker_report":
                print("got", arguments["data"], flush=True)
            if name == "spawning_complete":
                print(arguments["user_count"], "users", flush=True)
                raise ValueError("a listener that fails")
        getattr(events, name).add_listener(listener)

    for name in ("init", "test_start", "spawning_complete", "test_stopping", "test_stop", "quitting", "quit",
                 "report_to_master", "worker_report", "worker_connect"):
        listen(name)

    @setup
    def prepare():
        return {"answer": 42}

    class Member(User):
        wait_time = constant(0.05)
        turns = 0

        @task
        def work(self):
            assert self.shared == {"answer": 42}
            self.turns += 1
            if self.turns > 20:
                raise StopUser
    """


def test_hooks_are_called_in_order_where_they_belong(swell: Start) -> None:
    ended = swell(HOOKED, "-u", "1", "-w", "1").finish()
    lines = ended.stdout.splitlines()
    controller = list(dict.fromkeys(line.split()[1] for line in lines if line.startswith("controller ")))
    worker = list(dict.fromkeys(line.split()[1] for line in lines if line.startswith("worker ")))
    assert [name for name in controller if not name.startswith("worker_")] == [
        *("init", "test_start", "spawning_complete", "test_stopping", "test_stop", "quitting", "quit")
    ]
    assert {"worker_connect", "worker_report"} <= set(controller)
    assert [name for name in worker if name != "report_to_master"] == [
        *("init", "test_start", "test_stopping", "test_stop", "quitting")
    ]
    assert "got {'sold': 3}" in lines
    assert "1 users" in lines
    assert "a listener that fails" in ended.stderr
    assert ended.result["exceptions"] == []
    assert ended.result["run"]["end_text"] == "all users have stopped"


def test_a_hook_that_holds_the_controller_up_is_named(swell: Start) -> None:
    stalling = (
        WORKS
        + """
    from swell import events

    @events.spawning_complete.add_listener
    def think_hard(user_count, **_):
        end = time.monotonic() + 1.7
        while time.monotonic() < end:
            pass
    """
    )
    ended = swell(stalling, "-u", "2", "-t", "3s", "-w", "1").finish()
    assert "spawning_complete" in ended.reasons["controller_stalled"]
    assert sum(point["requests"] > 0 for point in ended.result["timeline"]) >= 3


def test_what_a_script_sets_as_exit_code_is_the_exit_code(swell: Start) -> None:
    script = (
        WORKS
        + """
    from swell import events

    @events.quitting.add_listener
    def judge(environment, **_):
        environment.process_exit_code = 17
    """
    )
    assert swell(script, "-u", "1", "-t", "0.3s").finish().exit_code == 17


def test_a_script_can_end_the_run(swell: Start) -> None:
    script = (
        WORKS
        + """
    from swell import events

    @events.spawning_complete.add_listener
    def enough(user_count, **_):
        seen[0].quit()

    seen = []

    @events.init.add_listener
    def remember(environment, **_):
        seen.append(environment.runner)
    """
    )
    ended = swell(script, "-u", "1").finish(15)
    assert (ended.result["run"]["end"], ended.result["run"]["end_text"]) == ("stopped", "the script asked for it")


def test_a_user_can_end_the_run(swell: Start) -> None:
    script = WORKS.replace("def work(self):", "def work(self):\n            self.environment.runner.quit()")
    ended = swell(script, "-u", "2", "-w", "2").finish(15)
    assert (ended.result["run"]["end"], ended.result["run"]["end_text"]) == ("stopped", "the script asked for it")
