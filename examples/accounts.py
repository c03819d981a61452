"""Rows of data: each user logs in with an account of its own, wherever it lives, and submits what a list says.

    swell run examples/accounts.py -u 10 -t 30s

Against the site that `python -m swell.cli.demo_target` starts. `accounts.csv` lies beside this file; a user beyond its
last row stops.
"""

from swell import HttpUser, between, feed, task

accounts = feed("accounts.csv", unique=True)
programs = feed(
    [
        {"problem": 1, "code": "print(1)", "expected": "accepted"},
        {"problem": 2, "code": "print(2)", "expected": "accepted"},
        {"problem": 1, "code": "pass", "expected": "rejected"},
    ],
    order="random",
    name="programs",
)


class Contestant(HttpUser):
    """One account, from logging in to the end."""

    host = "http://127.0.0.1:8000"
    wait_time = between(0.2, 1)

    def on_start(self):
        account = accounts.next()
        self.language = account["language"]
        self.client.post("/login", json={"user": account["user"]})

    @task
    def submit(self):
        program = programs.next()
        with self.client.post(
            "/submit",
            json={"problem": program["problem"], "code": program["code"]},
            headers={"Accept-Language": self.language},
            catch_response=True,
        ) as response:
            if response.json()["status"] != program["expected"]:
                response.failure(f"{response.json()['status']} instead of {program['expected']}")
