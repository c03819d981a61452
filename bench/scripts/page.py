"""swell: get one page, again and again, without waiting."""

from swell import HttpUser, constant, task


class Reader(HttpUser):
    wait_time = constant(0)

    def on_start(self):
        self.client.verify = False

    @task
    def read(self):
        self.client.get("/")
