"""One GET an iteration."""

from swell import HttpUser, task


class Visitor(HttpUser):
    @task
    def read(self) -> None:
        self.client.get("/")
