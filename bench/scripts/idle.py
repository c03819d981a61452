"""swell: get one page, then keep the connection and do nothing."""

from swell import HttpUser, constant, task


class Idler(HttpUser):
    wait_time = constant(3600)

    def on_start(self):
        self.client.verify = False

    @task
    def read(self):
        self.client.get("/")
