"""Something that is done once and known to all: `@setup` runs in the controller, its value is `self.shared`.

    swell run examples/shared_setup.py -u 10 -t 30s

Against the site that `python -m swell.cli.demo_target` starts.
"""

import re
from urllib.request import urlopen

from swell import HttpUser, between, setup, task


@setup
def find_the_problems(environment):
    """Reads from the site what there is to ask for, before the first user starts; the test does not count this."""
    with urlopen(f"{environment.host or Reader.host}/problems", timeout=10) as answer:
        page = answer.read().decode()
    return {"problems": sorted({int(number) for number in re.findall(r"/problems/(\d+)", page)})}


class Reader(HttpUser):
    """Reads problems that exist, though nobody told the script which these are."""

    host = "http://127.0.0.1:8000"
    wait_time = between(0.2, 1)

    @task
    def read(self):
        problem = self.random.choice(self.shared["problems"])
        self.client.get(f"/problems/{problem}", name="/problems/:id")
