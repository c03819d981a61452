"""Steps in their order, and a place to stay in for a while: SequentialTaskSet, and a nested TaskSet.

    swell run examples/sequence.py -u 10 -t 30s

Against the site that `python -m swell.cli.demo_target` starts.
"""

from swell import HttpUser, SequentialTaskSet, TaskSet, between, constant, task


class Solve(SequentialTaskSet):
    """From the list to the verdict. Its tasks run from top to bottom; the last one leaves."""

    def on_start(self):
        self.problem = self.user.random.randint(1, 12)

    @task
    def choose(self):
        self.client.get("/problems")

    @task
    def read(self):
        self.client.get(f"/problems/{self.problem}", name="/problems/:id")

    @task
    def submit(self):
        program = {"problem": self.problem, "code": f"print({self.problem})"}
        self.submission = self.client.post("/submit", json=program).json()["id"]

    @task
    def see_the_verdict(self):
        self.client.get(f"/submissions/{self.submission}", name="/submissions/:id")
        self.interrupt()


class Idle(TaskSet):
    """Watches the leaderboard, again and again, until it has had enough. A set can have a wait time of its own."""

    wait_time = constant(0.1)

    @task(4)
    def watch(self):
        self.client.get("/leaderboard")

    @task(1)
    def get_back_to_work(self):
        self.interrupt()


class Contestant(HttpUser):
    """Solves three problems for each time that it idles."""

    host = "http://127.0.0.1:8000"
    wait_time = between(0.1, 0.3)
    tasks = {Solve: 3, Idle: 1}

    def on_start(self):
        self.client.post("/login", json={"user": "Early Owls"})
