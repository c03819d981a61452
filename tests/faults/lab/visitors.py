"""The scripts of the fault tests: their users say in each request who they are, and note each call they have finished.

The number of a user, and what stands for the arrival it takes up, travel in the URL, so that the target's log shows who
was active when. What has been finished is one byte in a file per incarnation, written by the user itself: a witness
that neither swell nor the target has a hand in.
"""

from __future__ import annotations

from pathlib import Path

LEDGERS = "SWELL_LAB_LEDGERS"
"""The variable that names their folder."""

_LEDGER = """
    import os
    from swell import HttpUser, arrivals, constant, events, hold, jump, task

    @events.init.add_listener
    def open_ledger(environment, runner, **_):
        global ledger
        name = getattr(runner, "client_id", "controller")
        ledger = os.open(f"{os.environ['SWELL_LAB_LEDGERS']}/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
"""
VISITOR = (
    _LEDGER
    + """
    class Visitor(HttpUser):
        wait_time = constant(0.02)

        @task
        def page(self):
            who = f"user={self._seat.number}&kind={type(self).__name__}"
            if self.client.get(f"/ok?{who}", name="/ok").status_code == 200:
                os.write(ledger, b".")  # a call that has been finished, whatever happens next
    """
)
KINDS = {"Visitor": 1, "Reader": 3}
TWO_KINDS = (
    VISITOR
    + """
    class Reader(Visitor):
        weight = 3
    """
)


def arriving(rate_per_s: int) -> str:
    """A script whose users take up arrivals, and say which."""
    return (
        _LEDGER
        + f"""
    class Arriver(HttpUser):
        load = arrivals(jump({rate_per_s}), hold(), users=10, max_users=100)

        @task
        def page(self):
            which = f"user={{self._seat.number}}&arrival={{self._seat.choices}}"
            if self.client.get(f"/ok?{{which}}", name="/ok").status_code == 200:
                os.write(ledger, b".")
    """
    )


def finished_calls(ledgers: Path) -> dict[str, int]:
    """How many calls each incarnation's users know that they have finished."""
    return {path.name: path.stat().st_size for path in ledgers.iterdir()}
