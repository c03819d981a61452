"""Load of its own for each class: people who come whether or not the site keeps up, beside others who stay.

    swell run examples/arrivals.py -t 30s

Against the site that `python -m swell.cli.demo_target` starts. Without `-t` it takes seven minutes.
"""

from swell import HttpUser, arrivals, between, hold, jump, ramp, sessions, task, users


class Visitor(HttpUser):
    """The public: an open load. Each arrival is one look at a page, and nobody waits for those who came before."""

    host = "http://127.0.0.1:8000"
    load = arrivals(ramp(to=40, over="1s"), hold("5m"), jump(to=100), hold("1m"), spread="poisson", users=10)

    @task(5)
    def see_who_leads(self):
        self.client.get("/leaderboard")

    @task(1)
    def read(self):
        problem = self.random.randint(1, 12)
        self.client.get(f"/problems/{problem}", name="/problems/:id")


class Contestant(HttpUser):
    """Who is logged in stays: a closed load. Each of them waits for the answer before it goes on."""

    host = "http://127.0.0.1:8000"
    wait_time = between(0.2, 0.6)
    load = users(ramp(to=10, over="1s"), hold("6m"), graceful_stop="10s")

    def on_start(self):
        self.client.post("/login", json={"user": "Night Shift"})

    @task
    def submit(self):
        self.client.post("/submit", json={"problem": 1, "code": "print(1)"})


class Guest(HttpUser):
    """Comes, looks at three things, and leaves: a partly open load."""

    host = "http://127.0.0.1:8000"
    wait_time = between(0.1, 0.2)
    load = sessions(jump("180/m"), hold("6m"), iterations=3, start="0.5s")

    @task
    def look(self):
        self.client.get("/problems")
