"""Starts truth_server.c: a server whose own log of response times is what swell's figures are held against.

    program = build(folder)
    server = start(program, folder, tls=True, seed=7)   # server.url, server.ca_file
    truth = server.stop()                               # truth.durations_ns, truth.requests, truth.unstamped, ...

Durations run from the kernel's stamp of a request's arrival until just before the answer is given to the kernel.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import trustme

SOURCE = Path(__file__).with_name("truth_server.c")
MEDIAN_US = 3200.0
SIGMA = 0.58
STOP_TIMEOUT_S = 10.0


class Counts(msgspec.Struct, frozen=True):
    """What the server counted; `span_s` runs from the first request's arrival to the last answer."""

    requests: int
    answered: int
    unanswered: int
    connections: int
    unstamped: int
    short_sends: int
    malformed: int
    cpu_s: float
    span_s: float


@dataclass(frozen=True, slots=True)
class Truth:
    """The server's log: each arrival, by the wall clock, and from it to just before and to just after each send, in the
    order of the answers."""

    arrivals_ns: npt.NDArray[np.uint64]
    durations_ns: npt.NDArray[np.uint64]
    durations_after_send_ns: npt.NDArray[np.uint64]
    counts: Counts

    def quantile_ms(self, q: float) -> float:
        """The duration that the share `q` (0..1) of the answers did not exceed."""
        return float(np.quantile(self.durations_ns, q, method="inverted_cdf")) / 1e6


def build(folder: Path) -> Path:
    """Compile the server into `folder`; returns the program."""
    program = folder / "truth_server"
    command = ["gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", str(SOURCE), "-o", str(program)]
    subprocess.run([*command, "-lssl", "-lcrypto", "-lm"], check=True)
    return program


class TruthServer:
    """A running server. `stop()` ends it and returns its log; `kill()` is for when nobody wants to know."""

    def __init__(self, process: subprocess.Popen[str], log: Path, scheme: str, ca_file: Path | None) -> None:
        assert process.stdout is not None
        self._process = process
        self._log = log
        announced = process.stdout.readline()
        if not announced:
            raise RuntimeError(f"the truth server ended with {process.wait()}")
        self.pid = process.pid
        self.port = int(announced)
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.ca_file = ca_file

    def stop(self) -> Truth:
        self._process.terminate()
        said, _ = self._process.communicate(timeout=STOP_TIMEOUT_S)
        counts = msgspec.convert(json.loads(said), Counts)
        rows = np.fromfile(self._log, dtype=np.uint64).reshape(-1, 3)
        return Truth(rows[:, 0], rows[:, 1], rows[:, 2], counts)

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def write_certificate(folder: Path) -> tuple[Path, Path, Path]:
    """An ECDSA certificate for the loopback address; returns the files of its chain, its key and its authority."""
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    certificate = authority.issue_cert("127.0.0.1", "localhost", key_type=trustme.KeyType.ECDSA)
    chain_file, key_file, ca_file = (folder / name for name in ("chain.pem", "key.pem", "ca.pem"))
    chain_file.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    key_file.write_bytes(certificate.private_key_pem.bytes())
    ca_file.write_bytes(authority.cert_pem.bytes())
    return chain_file, key_file, ca_file


def start(
    program: Path,
    folder: Path,
    *,
    tls: bool = False,
    seed: int = 1,
    median_us: float = MEDIAN_US,
    sigma: float = SIGMA,
    queue_us: float | None = None,
    core: int | None = None,
) -> TruthServer:
    """Start the server with its files in `folder`, pinned to `core` if one is given; it is up when this returns.

    `queue_us`: it is a queue, whose service times are exponential with this mean.
    """
    log = folder / "truth.bin"
    service = [str(median_us), str(sigma)] if queue_us is None else [str(queue_us), "queue"]
    command = [str(program), str(seed), *service, str(log)]
    ca_file = None
    if tls:
        chain_file, key_file, ca_file = write_certificate(folder)
        command += [str(chain_file), str(key_file)]
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    return TruthServer(process, log, "https" if tls else "http", ca_file)
