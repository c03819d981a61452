"""The contest site as a process: it says where it is, and ends when it is told to or when its parent has gone."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "swell.cli.demo_target", "--port", "0"]
END_TIMEOUT_S = 10


def start(*options: str, temporary: Path | None = None) -> tuple[subprocess.Popen[bytes], str, int]:
    """The process, and the host and port that its first line says."""
    site = subprocess.Popen(
        [*COMMAND, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(temporary or tempfile.gettempdir())},
    )
    assert site.stdout is not None
    host, _, port = site.stdout.readline().decode().strip().removeprefix("http://").partition(":")
    return site, host, int(port)


def ask(host: str, port: int, path: str) -> int:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    site, host, port = start(temporary=tmp_path)
    assert ask(host, port, "/health") == 200
    assert len(list(tmp_path.iterdir())) == 1
    site.send_signal(number)
    assert site.communicate(timeout=END_TIMEOUT_S) == (b"", b"")
    assert site.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_the_end_of_its_stdin_ends_it() -> None:
    site, _, _ = start()
    assert site.stdin is not None
    site.stdin.close()
    assert site.wait(END_TIMEOUT_S) == 0
    site.stdin = None
    site.communicate()


def test_the_end_of_its_parent_ends_it_where_stdin_is_no_pipe() -> None:
    line = f"import subprocess; subprocess.Popen({COMMAND!r}, stdin=subprocess.DEVNULL); input()"
    parent = subprocess.Popen([sys.executable, "-c", line], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    port = int(parent.stdout.readline().decode().rpartition(":")[2])
    assert ask("127.0.0.1", port, "/health") == 200
    parent.kill()
    parent.communicate(timeout=END_TIMEOUT_S)
    wait_until_refused(port)


def test_it_logs_each_request_only_if_asked() -> None:
    site, host, port = start("--access-log")
    ask(host, port, "/problems/1")
    _, log = site.communicate(timeout=END_TIMEOUT_S)
    assert log.count(b'"GET /problems/1 HTTP/1.1" 200 ') == len(log.splitlines()) == 1


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        site = subprocess.run([*COMMAND, "--port", str(port)], capture_output=True, timeout=END_TIMEOUT_S, check=False)
    assert site.returncode == 4
    assert site.stderr.decode().startswith(f"cannot listen on 127.0.0.1:{port}: ")
    assert len(site.stderr.splitlines()) == 1


def wait_until_refused(port: int) -> None:
    deadline_s = time.monotonic() + END_TIMEOUT_S
    while time.monotonic() < deadline_s:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return
        time.sleep(0.05)
    pytest.fail("it still listens")
