"""A whole contest: how its people behave, from logging in to looking where they stand.

Start the site in one terminal, the test in another:

    python -m swell.cli.demo_target
    swell run examples/contest.py -u 20 -t 30s

`swell demo` does both at once.
"""

from swell import HttpUser, between, tag, task

TEAMS = 200
PROBLEMS = 12
WRONG_PROGRAM = "pass"


class Contestant(HttpUser):
    """One team in front of one screen. What it draws from `self.random` is the same in every run with that --seed."""

    host = "http://127.0.0.1:8000"
    wait_time = between(0.2, 1)

    def on_start(self):
        self.problem = 1
        self.submission = None
        self.client.post("/login", json={"user": f"Team {self.random.randrange(TEAMS)}"})
        self.client.get("/problems")

    @tag("read")
    @task(6)
    def read_a_problem(self):
        """All problems are one row of the results: they are one kind of page, whatever their number."""
        self.problem = self.random.randint(1, PROBLEMS)
        self.client.get(f"/problems/{self.problem}", name="/problems/:id")

    @tag("read")
    @task(2)
    def look_at_the_leaderboard(self):
        self.client.get("/leaderboard")

    @tag("read")
    @task(1)
    def go_back_to_a_submission(self):
        if self.submission is not None:
            self.client.get(f"/submissions/{self.submission}", name="/submissions/:id")

    @tag("submit")
    @task(3)
    def submit_a_program(self):
        """A rejected program is no failure of the site. A right program rejected, or a wrong one accepted, is."""
        is_right = self.random.random() < 0.7
        program = f"print({self.problem})" if is_right else WRONG_PROGRAM
        expected = "accepted" if is_right else "rejected"
        with self.client.post(
            "/submit", json={"problem": self.problem, "code": program}, catch_response=True
        ) as response:
            if not response.ok:
                response.failure(f"not judged: {response.status_code}")
                return
            verdict = response.json()
            self.submission = verdict["id"]
            if verdict["status"] != expected:
                response.failure(f"{verdict['status']} instead of {expected}")
