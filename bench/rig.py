"""What the benchmarks share: an nginx of their own on free loopback ports, its counters, and where results go."""

import contextlib
import datetime
import http.client
import json
import os
import platform
import re
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import trustme

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "bench" / "scripts"
RESULTS = ROOT / "bench" / "results"
SWELL = ROOT / ".venv" / "bin" / "swell"
GENERATOR_CORE = 0
TARGET_CORE = 1 if (os.cpu_count() or 1) > 1 else 0
PAGE = "x" * 123 + "\n"
START_TIMEOUT_S = 10.0

# The page is nginx's `return`, not a file: opening files makes nginx the limit, at half of what wrk can do, and would
# flatter every other client.
NGINX_CONF = """
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile {open_files};
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections {connections}; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_header_timeout 1h;
    default_type text/html;
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:bench:10m;
    server {{
        listen 127.0.0.1:{http_port} backlog=8192;
        listen 127.0.0.1:{https_port} ssl backlog=8192;
        location / {{ return 200 "{page}"; }}
    }}
    server {{
        listen 127.0.0.1:{status_port};
        location / {{ stub_status; }}
    }}
}}
"""


class BenchError(Exception):
    """Something that the benchmark needs is missing or did not do its part."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def raise_open_files() -> int:
    """Raise this process's limit of open files, which its children inherit, as far as it goes; returns the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def on_core(core: int, command: list[str]) -> list[str]:
    return ["taskset", "-c", str(core), *command] if shutil.which("taskset") else command


@dataclass(frozen=True, slots=True)
class Counters:
    """nginx's own count at one moment, without the requests that asked for it."""

    at_s: float
    requests: int
    connections: int
    cpu_s: float


class Nginx:
    """A running nginx with one worker: the page on an http and an https port, its counters on a third."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], ports: tuple[int, int, int]) -> None:
        self.folder = folder
        self.process = process
        http_port, https_port, self._status_port = ports
        self.http_url = f"http://127.0.0.1:{http_port}"
        self.https_url = f"https://127.0.0.1:{https_port}"
        self._asked = 0
        self._status = http.client.HTTPConnection("127.0.0.1", self._status_port, timeout=5)
        self._wait_until_up()
        self._worker = psutil.Process(process.pid).children()[0]

    def _wait_until_up(self) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                self._status.connect()
                break
            except OSError as exc:
                if self.process.poll() is not None or time.monotonic() > deadline_s:
                    log = self.folder / "error.log"
                    raise BenchError(f"nginx did not start: {log.read_text() if log.exists() else exc}") from exc
                time.sleep(0.02)
        self._status.request("GET", "/")  # the listening socket is older than the worker, an answer is not
        self._status.getresponse().read()
        self._asked += 1

    def counters(self) -> Counters:
        self._status.request("GET", "/")
        text = self._status.getresponse().read().decode()
        at_s = time.monotonic()
        self._asked += 1
        totals = re.search(r"^ (\d+) (\d+) (\d+) *$", text, re.MULTILINE)
        active = re.search(r"Active connections: (\d+)", text)
        if totals is None or active is None:
            raise BenchError(f"nginx's counters are not understood: {text!r}")
        cpu = self._worker.cpu_times()
        return Counters(at_s, int(totals[3]) - self._asked, int(active[1]) - 1, cpu.user + cpu.system)


def write_certificate(folder: Path) -> None:
    """A self-made ECDSA certificate for the loopback address."""
    certificate = trustme.CA(key_type=trustme.KeyType.ECDSA).issue_cert(
        "127.0.0.1", "localhost", key_type=trustme.KeyType.ECDSA
    )
    certificate.private_key_pem.write_to_path(str(folder / "server.key"))
    for number, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(str(folder / "server.pem"), append=number > 0)


@contextlib.contextmanager
def nginx() -> Iterator[Nginx]:
    """Start nginx on the target's core; stop it and remove its folder at the end."""
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        raise BenchError("nginx is missing: run `make bench`")
    open_files = raise_open_files()
    with tempfile.TemporaryDirectory(prefix="swell-bench-") as name:
        folder = Path(name)
        write_certificate(folder)
        ports = (free_port(), free_port(), free_port())
        conf = NGINX_CONF.format(
            folder=folder,
            user="user root;" if os.geteuid() == 0 else "",
            open_files=open_files,
            connections=min(open_files - 100, 16_000),
            http_port=ports[0],
            https_port=ports[1],
            status_port=ports[2],
            page=PAGE.replace("\n", "\\n"),
        )
        (folder / "nginx.conf").write_text(conf)
        command = [program, "-e", str(folder / "error.log"), "-p", name, "-c", str(folder / "nginx.conf")]
        process = subprocess.Popen(on_core(TARGET_CORE, command))
        try:
            running = Nginx(folder, process, ports)
            check_page(running)
            yield running
        finally:
            process.terminate()
            process.wait(START_TIMEOUT_S)


def check_page(target: Nginx) -> None:
    """Ask for the page once over http and once over https: a rig that serves an error page measures nothing."""
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    host_http, host_https = target.http_url.partition("//")[2], target.https_url.partition("//")[2]
    for asked in (http.client.HTTPConnection(host_http), http.client.HTTPSConnection(host_https, context=trusting)):
        asked.request("GET", "/")
        answer = asked.getresponse()
        body = answer.read()
        asked.close()
        if (answer.status, len(body)) != (200, len(PAGE)):
            raise BenchError(f"nginx served {answer.status} with {len(body)} bytes")


def interrupt(process: subprocess.Popen[bytes], patience_s: float = 30.0) -> None:
    """End a run as Ctrl-C does; kill it if that does not end it in time."""
    if process.poll() is None:
        process.send_signal(2)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def machine() -> dict[str, object]:
    cpuinfo = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else None
    revision = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return {
        "cpu": model[1] if model else platform.processor(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "revision": revision.stdout.strip(),
    }


def save(name: str, findings: dict[str, object]) -> Path:
    """Write what was found, with the machine it was found on, to bench/results; returns the file."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.datetime.now(datetime.UTC)
    path = RESULTS / f"{name}-{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps({"at": now.isoformat(), "machine": machine(), **findings}, indent=1) + "\n")
    return path


def conclude(name: str, findings: dict[str, object], missed: list[str]) -> int:
    """Save the findings and say which limits were missed; returns the exit code."""
    path = save(name, {**findings, "missed": missed})
    print(f"saved {path.relative_to(ROOT)}")
    for text in missed:
        print(f"MISSED: {text}", file=sys.stderr)
    return 1 if missed else 0
