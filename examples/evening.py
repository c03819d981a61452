"""A shape of your own: the evening of a contest, with its peak, the wave of submissions before the end, its decline.

    swell run examples/evening.py -u 40 -t 3m

Against the site that `python -m swell.cli.demo_target` starts. `-u` is how many come at the peak, `-t` how long the
evening is: the shape makes of them what it will.
"""

from swell import HttpUser, LoadTestShape, between, task


class Reader(HttpUser):
    host = "http://127.0.0.1:8000"
    weight = 3
    wait_time = between(0.2, 0.6)

    @task(3)
    def read(self):
        problem = self.random.randint(1, 12)
        self.client.get(f"/problems/{problem}", name="/problems/:id")

    @task
    def see_who_leads(self):
        self.client.get("/leaderboard")


class Solver(HttpUser):
    host = "http://127.0.0.1:8000"
    weight = 1
    wait_time = between(0.1, 0.3)

    def on_start(self):
        self.client.post("/login", json={"user": "Night Shift"})

    @task
    def submit(self):
        self.client.post("/submit", json={"problem": 1, "code": "print(1)"})


class Evening(LoadTestShape):
    """Asked once a second. What it wants takes up to a tenth of the evening to come about."""

    use_common_options = True
    stages = [
        # until this part of the evening, so much of the peak, made up of these classes (None: of all, by weight)
        (0.15, 0.3, [Reader]),
        (0.60, 1.0, None),
        (0.75, 1.0, [Solver]),
        (1.00, 0.1, None),
    ]

    def tick(self):
        options = self.runner.environment.parsed_options
        peak, evening_s = options.users or 40, options.run_time or 180
        for until, share, classes in self.stages:
            if self.get_run_time() < until * evening_s:
                return round(share * peak), peak / (0.1 * evening_s), classes
        return None
