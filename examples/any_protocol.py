"""Any protocol: whatever blocking Python can do can be measured, here a socket spoken to by hand, and a database.

    swell run examples/any_protocol.py -u 5 -t 30s

Against the site that `python -m swell.cli.demo_target` starts.
"""

import socket
import sqlite3
from urllib.parse import urlsplit

from swell import User, constant_throughput, task

HEALTH_CHECK = b"GET /health HTTP/1.0\r\n\r\n"


class LoadBalancer(User):
    """Opens a connection, asks whether the site is well, and closes it again, twice a second."""

    host = "http://127.0.0.1:8000"
    wait_time = constant_throughput(2)

    @task
    def check_health(self):
        site = urlsplit(self.host)
        with self.measure("TCP", "health check") as sample:
            with socket.create_connection((site.hostname, site.port), timeout=5) as connection:
                connection.sendall(HEALTH_CHECK)
                answer = b"".join(iter(lambda: connection.recv(4096), b""))
            if b'"ok"' not in answer:
                sample.failure("the site says that it is not well")


class Archivist(User):
    """Keeps a database of his own, in memory, and asks it things. An exception in the block is a failed sample."""

    wait_time = constant_throughput(10)

    def on_start(self):
        self.database = sqlite3.connect(":memory:")
        self.database.execute("CREATE TABLE visit (team TEXT, minute INTEGER)")

    def on_stop(self):
        self.database.close()

    @task
    def note_and_count_visits(self):
        with self.measure("SQL", "insert visit"):
            self.database.execute("INSERT INTO visit VALUES (?, ?)", ("Quick Otters", self.random.randrange(60)))
        with self.measure("SQL", "count visits"):
            self.database.execute("SELECT minute, COUNT(*) FROM visit GROUP BY minute").fetchall()
