"""Locust, with its client on requests: get one page, again and again, without waiting."""

from locust import HttpUser, constant, task


class Reader(HttpUser):
    wait_time = constant(0)

    @task
    def read(self):
        self.client.get("/")
