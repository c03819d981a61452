"""Options and listeners of the script's own, in Locust's way.

    swell run examples/own_options.py -u 10 -t 30s --team "Sleepy Newts" --patience-ms 50

Against the site that `python -m swell.cli.demo_target` starts. `swell run examples/own_options.py --help` lists both
options. Listeners of `request` run in the workers, once for each call; swell spends nothing on the event otherwise.
"""

from collections import Counter

from swell import HttpUser, between, events, task

slow_calls = Counter()


@events.init_command_line_parser.add_listener
def add_options(parser):
    parser.add_argument("--team", default="Lucky Hares", help="Name that the users log in with")
    parser.add_argument("--patience-ms", type=float, default=100, help="A call that takes longer counts as slow")


@events.init.add_listener
def count_slow_calls(environment, **_):
    patience_ms = environment.parsed_options.patience_ms

    @events.request.add_listener
    def note(request_type, name, response_time, **_):
        if response_time > patience_ms:
            slow_calls[f"{request_type} {name}"] += 1


@events.test_stop.add_listener
def tell(environment, **_):
    for call, count in slow_calls.most_common():
        print(f"{count} × {call} took longer than {environment.parsed_options.patience_ms:g} ms")


class Contestant(HttpUser):
    """Logs in with the name that the command line gave."""

    host = "http://127.0.0.1:8000"
    wait_time = between(0.2, 1)

    def on_start(self):
        self.client.post("/login", json={"user": self.environment.parsed_options.team})

    @task
    def look_at_the_leaderboard(self):
        self.client.get("/leaderboard")
