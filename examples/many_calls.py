"""Several calls at once: a browser loads the page first, then everything the page needs, side by side.

    swell run examples/many_calls.py -u 10 -t 30s

Against the site that `python -m swell.cli.demo_target` starts.
"""

import gevent

from swell import HttpUser, between, task

ASSETS = ("/static/contest.css", "/static/contest.js", "/static/logo.svg", "/leaderboard.json")


class Visitor(HttpUser):
    """Opens the home page. His calls share his cookies and up to six connections, as those of a browser do."""

    host = "http://127.0.0.1:8000"
    wait_time = between(1, 3)

    @task
    def open_the_home_page(self):
        with self.measure("PAGE", "home, with all its parts"):
            self.client.get("/")
            parts = [gevent.spawn(self.client.get, asset) for asset in ASSETS]
            gevent.joinall(parts, raise_error=True)
