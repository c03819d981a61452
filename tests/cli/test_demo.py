"""The demo, and the site that it runs against."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from swell.cli.demo import contest_script, contest_site

OWNER = """
import time
from swell.cli.demo import contest_site
with contest_site() as url:
    print(url, flush=True)
    time.sleep(60)
"""


def answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until_silent(url: str) -> bool:
    give_up_s = time.monotonic() + 10
    while answers(url) and time.monotonic() < give_up_s:
        time.sleep(0.05)
    return not answers(url)


def test_the_site_is_there_for_as_long_as_the_block() -> None:
    with contest_site() as url:
        assert answers(url)
    assert not answers(url)


def test_the_site_goes_when_the_block_is_interrupted() -> None:
    with pytest.raises(KeyboardInterrupt), contest_site() as url:
        raise KeyboardInterrupt
    assert not answers(url)


def test_the_site_goes_with_the_process_that_started_it() -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    url = owner.stdout.readline().strip()
    assert answers(url)
    owner.kill()
    owner.communicate()
    assert wait_until_silent(url)


def test_the_contest_script_is_there() -> None:
    assert "class Contestant(HttpUser)" in contest_script().read_text(encoding="utf-8")


@pytest.mark.timeout(60)
def test_the_demo_runs_the_contest_to_its_end(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "swell", "demo", "--users", "4", "--run-time", "2s", "--json", "result.json"]
    environment = {**os.environ, "SWELL_TAGS": "nothing", "SWELL_USERS": "0"}
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
    assert (run.returncode, "Traceback" in run.stderr) == (0, False)
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["run"]["end"], result["totals"]["users_peak"]) == ("completed", 4)
    assert not answers(result["run"]["target"])


@pytest.mark.timeout(60)
def test_ctrl_c_ends_the_demo_with_its_result_and_stops_the_site(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "swell", "demo", "--users", "2", "--json", "result.json"]
    demo = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0)
    assert demo.stdout is not None
    assert b"2 users" in demo.stdout.readline()
    os.killpg(demo.pid, signal.SIGINT)
    demo.communicate(timeout=30)
    result = json.loads((tmp_path / "result.json").read_text())
    assert (demo.returncode, result["run"]["end"]) == (0, "stopped")
    assert not answers(result["run"]["target"])
