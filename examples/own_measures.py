"""Checking answers, measuring several calls as one, and counting what is no call at all.

    swell run examples/own_measures.py -u 10 -t 30s

Against the site that `python -m swell.cli.demo_target` starts. None of this is in the counts of requests: the report
has parts of its own for it.
"""

from swell import HttpUser, between, check, counter, gauge, rate, task, transaction, trend

programs = counter("bytes of program text")
accepted = rate("accepted")
points = trend("points of a team")
leader = gauge("points of the leader")


class Contestant(HttpUser):
    """Solves problems, and keeps an eye on what the answers say."""

    host = "http://127.0.0.1:8000"
    wait_time = between(0.1, 0.3)

    def on_start(self):
        self.client.post("/login", json={"user": f"Team {self.random.randrange(200)}"})

    @task(2)
    def solve_a_problem(self):
        """From the problem to the verdict: two calls, and the time that a team waits for both of them."""
        number = self.random.randint(1, 12)
        with transaction("solve a problem"):
            page = self.client.get(f"/problems/{number}", name="/problems/:id", tags={"level": (number - 1) // 4 + 1})
            check(page, "shows the problem", lambda r: "<h1>" in r.text)
            program = f"print({number})" if self.random.random() < 0.7 else "pass"
            verdict = self.client.post("/submit", json={"problem": number, "code": program}).json()
        programs.add(len(program))
        accepted.add(verdict["status"] == "accepted")

    @task(1)
    def look_at_the_standings(self):
        """With catch_response a check can fail its call."""
        with self.client.get("/leaderboard.json", catch_response=True) as response:
            standings = response.json()["standings"]
            check(response, "the best team comes first", lambda _: is_sorted(standings), fail=True)
        for standing in standings:
            points.add(standing["points"])
        if standings:
            leader.set(standings[0]["points"])


def is_sorted(standings):
    """Whether no team has more points than the one before it."""
    found = [standing["points"] for standing in standings]
    return found == sorted(found, reverse=True)
