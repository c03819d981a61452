"""A script that needs no target: its users measure something of their own."""

from collections.abc import Callable

from tests.e2e.command import SwellRun

Start = Callable[..., SwellRun]

WORKS = """
    import time
    from swell import User, constant, task

    class Member(User):
        wait_time = constant(0.01)

        @task
        def work(self):
            with self.measure("own", "nap"):
                time.sleep(0.001)
    """
