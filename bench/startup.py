"""How long `swell run` takes from its call until its first request reaches a server, and what `import swell` costs."""

import argparse
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rig import SCRIPTS, SWELL, BenchError, conclude, interrupt, tail

FIRST_REQUEST_LIMIT_S = 0.7
IMPORT_LIMIT_S = 0.15
PATIENCE_S = 30.0
IMPORT_CODE = "import time; begun = time.perf_counter(); import swell; print(time.perf_counter() - begun)"


def first_request_s(folder: Path) -> float:
    """Seconds from starting `swell run` until a server has read the first byte of a request."""
    log = folder / "log"
    with socket.create_server(("127.0.0.1", 0)) as server, log.open("wb") as out:
        server.settimeout(PATIENCE_S)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        command = [str(SWELL), "run", str(SCRIPTS / "idle.py"), "-H", url, "-u", "1", "-t", "1m", "--quiet"]
        begun_s = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)
        try:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(PATIENCE_S)
                if not connection.recv(65536):
                    raise BenchError(f"the first connection closed without a request:\n{tail(log)}")
                took_s = time.monotonic() - begun_s
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                interrupt(process)
        except TimeoutError as exc:
            raise BenchError(f"no request within {PATIENCE_S:.0f} s:\n{tail(log)}") from exc
        finally:
            interrupt(process)
    return took_s


def import_s(_folder: Path) -> float:
    run = subprocess.run([sys.executable, "-c", IMPORT_CODE], capture_output=True, text=True, check=True)
    return float(run.stdout)


WHAT: dict[str, tuple[Callable[[Path], float], float]] = {
    "first request": (first_request_s, FIRST_REQUEST_LIMIT_S),
    "import swell": (import_s, IMPORT_LIMIT_S),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    found: dict[str, list[float]] = {name: [] for name in WHAT}
    with tempfile.TemporaryDirectory(prefix="swell-bench-") as folder:
        for _ in range(options.rounds + 1):
            for name, (measure, _limit) in WHAT.items():
                found[name].append(measure(Path(folder)))
    missed = []
    for name, (_measure, limit) in WHAT.items():
        figures = found[name][1:]  # the first one compiled the modules and read them from disk
        median = statistics.median(figures)
        spread = f"{min(figures) * 1000:.0f}-{max(figures) * 1000:.0f}"
        print(f"{name:14}{median * 1000:7.0f} ms (of {len(figures)}: {spread} ms; limit {limit * 1000:.0f})")
        if median > limit:
            missed.append(f"{name}: {median * 1000:.0f} ms, over {limit * 1000:.0f}")
    return conclude("startup", {"seconds": found}, missed)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as exc:
        sys.exit(f"bench: {exc}")
