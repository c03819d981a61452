"""A script on a machine that has nothing but swell: what it needs comes along, and what does not is named.

The other machine is another working directory, and an environment without what the controller's has.
"""

from __future__ import annotations

import dataclasses
import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import SWELL

HERE = {"TOKEN": "abcdef-of-the-controller", "OWN": "ghijkl-of-the-controller"}
THERE = {"OWN": "mnopqr-of-the-machine"}


@dataclasses.dataclass(frozen=True, slots=True)
class Travelled:
    """How a run on another machine ended."""

    exit_code: int
    said: str
    said_there: str
    result: dict[str, Any]


Run = Callable[..., Travelled]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs the script at `path` below a folder with these files, by one worker on the other machine."""
    started: list[subprocess.Popen[bytes]] = []

    def start(folder: Path, environment: Mapping[str, str], *words: str) -> subprocess.Popen[bytes]:
        folder.mkdir(exist_ok=True)
        inherited = {name: value for name, value in os.environ.items() if name not in {*HERE, "PYTHONPATH"}}
        with (folder / "said").open("wb") as said:
            process = subprocess.Popen(
                [str(SWELL), *words], cwd=folder, stdout=said, stderr=said, env={**inherited, **environment}
            )
        started.append(process)
        return process

    def run(files: Mapping[str, str], path: str, **environment: str) -> Travelled:
        here, there = tmp_path / "here", tmp_path / "there"
        for name, text in files.items():
            (here / name).parent.mkdir(parents=True, exist_ok=True)
            (here / name).write_text(text)
        address = f"127.0.0.1:{_free_port()}"
        options = ["--listen", address, "--expect-workers", "1", "--workers", "0", "-u", "2", "-t", "1s", "--no-store"]
        controller = start(here, HERE | environment, "run", path, *options, "--json", "result.json")
        start(there, THERE, "worker", address, "--processes", "1").wait(18)
        exit_code = controller.wait(18)
        document = here / "result.json"
        result = json.loads(document.read_text()) if document.exists() else {}
        return Travelled(exit_code, (here / "said").read_text(), (there / "said").read_text(), result)

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_script_finds_there_what_it_has_beside_it_here(run: Run) -> None:
    script = """
from pathlib import Path
from swell import User, constant, files, secret, task
from shop import price

files("declared/*.txt")
AT_ONCE = open("load/at_once.txt").read()

class Visitor(User):
    wait_time = constant(0.05)

    @task
    def read(self):
        from late import word
        names = [
            AT_ONCE, price(), word(),
            open("load/by_working_directory.json").read(),
            (Path(__file__).parent / "beside.txt").read_text(),
            (Path(__file__).parent / "declared" / ("by_" + "pattern.txt")).read_text(),
        ]
        for name in names:
            with self.measure("READ", name):
                pass
        print("secrets:", secret("TOKEN"), secret("OWN"))
        with self.measure("OWN", "own" if secret("OWN").endswith("machine") else "sent"):
            pass

    @task
    def fail(self):
        (Path(__file__).parent / "nowhere.txt").read_text()
"""
    package = "from pathlib import Path\ndef price():\n    return Path(__file__).with_name('price.txt').read_text()\n"
    files = {
        "load/contest.py": script,
        "load/shop/__init__.py": package,
        "load/shop/price.txt": "the price",
        "load/late.py": "def word():\n    return 'late'",
        "load/at_once.txt": "at once",
        "load/by_working_directory.json": "by working directory",
        "load/beside.txt": "beside",
        "load/declared/by_pattern.txt": "by pattern",
    }
    ended = run(files, "load/contest.py")
    assert ended.exit_code == 0, ended.said + ended.said_there
    names = {series["name"] for series in ended.result["series"]}
    assert names == {"at once", "the price", "late", "by working directory", "beside", "by pattern", "own"}
    [missing] = ended.result["exceptions"]
    assert missing["message"] == "FileNotFoundError: [Errno 2] No such file or directory: 'load/nowhere.txt'"
    assert missing["traceback"].startswith("contest.py:30 in Visitor.fail\n")
    assert "secrets: *** ***" in ended.said
    assert not [value for value in (*HERE.values(), *THERE.values()) if value in ended.said + ended.said_there]


def test_a_package_that_is_missing_there_is_named_with_the_machine(run: Run, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    installed.mkdir()
    (installed / "only_here.py").write_text("")
    script = "import only_here\nfrom swell import User, task\nclass A(User):\n    @task\n    def read(self): ...\n"
    ended = run({"contest.py": script}, "contest.py", PYTHONPATH=str(installed))
    what = "the script needs the package 'only_here', which is not installed there"
    remedy = "contest.py:1 imports it; pip install only_here there; if it is a file of yours"
    assert f"worker 0 on {socket.gethostname()}: {what} ({remedy}" in ended.said
    assert f"imports only_here from {installed}/only_here.py, outside the script's folder: it does not" in ended.said
    assert "Traceback" not in ended.said + ended.said_there
    assert ended.exit_code == 2, ended.said


def test_a_file_outside_the_scripts_folder_is_refused_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "load").mkdir()
    (tmp_path / "users.json").write_text("")
    script = 'from swell import *\nfiles("../users.json")\nclass A(User):\n    @task\n    def read(self): ...\n'
    (tmp_path / "load" / "contest.py").write_text(script)
    command = [str(SWELL), "run", "load/contest.py", "-t", "1s", "--no-store"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=18, check=False)
    outside = f"lies outside the script's folder, {tmp_path}/load, and only what is in it travels"
    remedy = "(put it into the script's folder)"
    assert (ended.returncode, ended.stderr) == (
        2,
        f'swell: contest.py: files("../users.json"): {tmp_path}/users.json {outside} {remedy}\n',
    )
