"""A secret that is used everywhere is seen nowhere: every output of a run is searched for it, in every spelling."""

from __future__ import annotations

import html
import json
import os
import subprocess
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.e2e.command import SWELL, SwellRun

Start = Callable[..., SwellRun]

TOKEN = 'tok/en+42=="x"&7'
PASSWORD = "pa ß<wort>%\\9é"
TENANT = "tenant-4711"
KEY = "-----BEGIN KEY-----\nMIIBVwIBADANBgkqhkiG\n-----END KEY-----\n"

SCRIPT = """
import logging
import sys
from swell import HttpUser, check, constant, counter, events, secret, setup, task, transaction

TOKEN = secret("API_TOKEN")
print("loaded with", TOKEN)
print("loaded with", secret("KEY"), file=sys.stderr)

USED = counter(f"used {TOKEN}")


@setup
def begin():
    print("setup has", TOKEN)
    logging.warning("setup has %s", TOKEN)
    return {"token": TOKEN}


@events.test_stop.add_listener
def end(environment):
    raise ValueError(f"the end with {TOKEN}")


class Visitor(HttpUser):
    wait_time = constant(0.05)
    host = f"{TARGET}/{secret('TENANT')}"

    @task
    def header(self):
        self.client.get("/header", headers={"X-Token": TOKEN})
        self.client.get("/basic", auth=("me", secret("PASSWORD")))

    @task
    def url(self):
        self.client.get(f"/url/{TOKEN}", params={"password": secret("PASSWORD")})

    @task
    def body(self):
        self.client.post("/json", json={"token": self.shared["token"], "password": secret("PASSWORD")})
        self.client.post("/form", data={"token": TOKEN, "password": secret("PASSWORD")})
        self.client.post("/cut", data="x" * 1010 + TOKEN * 10)
        with self.client.get("/caught", catch_response=True) as response:
            response.failure(f"{TOKEN} was wrong")

    @task
    def names(self):
        with transaction(f"pay with {TOKEN}"):
            USED.add(1)
        check(None, f"has {TOKEN}", lambda _: False)
        with self.measure("OWN", secret("PASSWORD")):
            pass

    @task
    def say(self):
        print("a user has", secret("PASSWORD"))
        print(secret("KEY"))
        logging.warning("a user has %s", TOKEN)
        raise RuntimeError(f"{TOKEN} and {'x' * 255}{TOKEN}") from KeyError(secret("PASSWORD"))
"""


class Echo(BaseHTTPRequestHandler):
    """Answers with all that it was sent, as a failure."""

    protocol_version = "HTTP/1.1"
    received: set[str]

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.path.endswith("/cut"):
            body = f"{self.path}\n{self.headers}\n".encode("latin-1", "replace") + body
        self.received |= {self.path, self.headers.get("X-Token", "")}
        self.send_response(500)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Path", self.path)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def log_message(self, format: str, *arguments: object) -> None: ...


@pytest.fixture
def echo() -> Iterator[str]:
    Echo.received = set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def spellings(value: str) -> set[str]:
    """As it may be written; of the longer ones also the beginning, which is what is left where a text is cut."""
    whole = {
        value,
        urllib.parse.quote(value, safe=""),
        urllib.parse.quote(value),
        urllib.parse.quote_plus(value),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(value))[3:-3],
        html.escape(value),
        repr(value)[1:-1],
        value.encode().decode("latin-1"),
        " ".join(value.split()),
    }
    return {text.strip()[:8] for text in whole}


@pytest.fixture
def secrets(tmp_path: Path) -> dict[str, str]:
    """The environment that has them, one in a file."""
    (tmp_path / "password").write_text(PASSWORD + "\n")
    return {"API_TOKEN": TOKEN, "PASSWORD_FILE": str(tmp_path / "password"), "TENANT": TENANT, "KEY": KEY}


def leaks(texts: dict[str, str]) -> list[str]:
    values = [TOKEN, PASSWORD, TENANT, KEY, "MIIBVwIBADANBgkqhkiG", urllib.parse.quote(TOKEN)]
    wanted = {spelt for value in values for spelt in spellings(value)}
    return [
        f"{where}: {spelt!r} in {text[max(text.find(spelt) - 60, 0) :][:120]!r}"
        for where, text in texts.items()
        for spelt in sorted(wanted)
        if spelt in text
    ]


def texts_in(folder: Path, but: set[str]) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in but]
    return {str(path.relative_to(folder)): path.read_bytes().decode("utf-8", "replace") for path in files}


def swell_here(
    folder: Path, *words: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **(environment or {})}
    return subprocess.run(
        [str(SWELL), *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=20, check=False
    )


def test_the_search_would_find_a_secret_in_any_spelling() -> None:
    found = {spelt for value in (TOKEN, PASSWORD, TENANT, KEY) for spelt in spellings(value)}
    assert all(leaks({"": f"before {spelt} after"}) for spelt in found)
    assert leaks({"": "before *** after"}) == []


def test_a_secret_is_in_nothing_that_a_run_writes(
    swell: Start, echo: str, secrets: dict[str, str], tmp_path: Path
) -> None:
    outputs = ["--html", "r.html", "--csv", "r", "--junit", "r.xml", "--hdr", "r.hlog", "--samples", "s.csv"]
    script = SCRIPT.replace("{TARGET}", echo)
    run = swell(script, "-u", "6", "-r", "60", "-t", "3s", "-w", "2", *outputs, environment=secrets)
    ended = run.finish()
    folder = tmp_path / "run-0"
    again = swell_here(folder, "report", "latest", "--html", "again.html", "--json", "again.json", "--csv", "again")
    assert again.returncode == 0, again.stderr
    shown = swell_here(folder, "show", "latest")
    texts = texts_in(folder, {"script.py"})
    assert {"result.json", "r.html", "again.html", "again.json", "s.csv", ".swell/runs.db", "stdout", "stderr"} <= set(
        texts
    )
    assert leaks({**texts, "show": shown.stdout + shown.stderr}) == []
    assert {TOKEN, f"/{TENANT}/caught"} <= Echo.received
    samples = [sample for error in ended.result["errors"] for sample in error["samples"]]
    assert len(samples) > 10
    assert ended.result["run"]["target"] == f"{echo}/***"
    assert {exception["message"][:30] for exception in ended.result["exceptions"]} == {
        f"RuntimeError: *** and {'x' * 255}"[:30],
        "events.test_stop: ValueError: the end with ***"[:30],
    }
    assert {"used ***"} == {measure["name"] for measure in ended.result["measures"]}
    assert "*** was wrong" in {error["error"] for error in ended.result["errors"]}
    assert "/***/url/***" in {series["name"].partition("?")[0] for series in ended.result["series"]}
    for said in ("loaded with ***", "setup has ***", "a user has ***"):
        assert said in ended.said


def test_a_secret_is_in_no_transcript(swell: Start, echo: str, secrets: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT.replace("{TARGET}", echo))
    ended = swell_here(tmp_path, "debug", "script.py", environment=secrets)
    assert leaks({"transcript": ended.stdout + ended.stderr}) == []
    assert "X-Token: ***" in ended.stdout
    assert "Basic ***" in ended.stdout
    assert "RuntimeError: ***" in ended.stdout


def test_a_missing_secret_ends_it_before_the_run_wherever_the_script_asks_for_it(tmp_path: Path) -> None:
    script = """
from swell import User, secret, task
import late_secrets
class Visitor(User):
    @task
    def visit(self):
        secret("IN_A_TASK")
        secret("OPTIONAL", default="")
"""
    (tmp_path / "script.py").write_text(script)
    (tmp_path / "late_secrets.py").write_text('import swell\ndef ask():\n    return swell.secret("IN_A_MODULE")\n')
    ended = swell_here(tmp_path, "run", "script.py", "-t", "1s")
    why = "which is not here: looked for in the environment variables {0} and {0}_FILE, and /run/secrets/{0}"
    assert (ended.returncode, ended.stderr.splitlines()) == (
        2,
        [
            f"swell: script.py:7: needs the secret IN_A_TASK, {why.format('IN_A_TASK')}",
            f"swell: late_secrets.py:3: needs the secret IN_A_MODULE, {why.format('IN_A_MODULE')}",
        ],
    )
    (tmp_path / "script.py").write_text('from swell import secret\nTOKEN = secret("AT_ONCE")\n')
    ended = swell_here(tmp_path, "run", "script.py", "-t", "1s")
    assert (ended.returncode, ended.stderr) == (
        2,
        f"swell: script.py:2: needs the secret AT_ONCE, {why.format('AT_ONCE')}\n",
    )
