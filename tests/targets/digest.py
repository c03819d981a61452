"""A server that wants digest authentication, and logs each answer before it sends it.

/digest/ALGORITHM/QOP?uses=N    ALGORITHM: md5, md5-sess, sha-256, sha-256-sess; QOP: auth, auth-int, both, none;
                                each nonce is good for N requests (default: any number), then it is stale
/digest/choice                  offers SHA-256, MD5 and Basic, strongest first, in one response
/open                           200 without asking

So answered <= log: a line may exist whose response the client did not wait for, never the other way round.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tests.targets.digest_check import Nonces, Scheme, Verdict, judge
from tests.targets.listening import listen
from tests.targets.process import TargetLog, announce, exit_at_end_of_stdin, read_log, target_process
from tests.targets.wire import ClientLeft, Request, Wire

ANY_NUMBER = 10**9
_QOPS = {"auth": "auth", "auth-int": "auth-int", "both": "auth,auth-int", "none": "none"}
_STATUSES = {
    Verdict.ACCEPTED: "200 OK",
    Verdict.WRONG_PARAMETER: "400 Bad Request",
    Verdict.WRONG_URI: "400 Bad Request",
}


class LogLine(msgspec.Struct, frozen=True):
    """One request, what was answered, and why."""

    connection: int
    method: str
    target: str
    status: int
    verdict: Verdict
    request_id: str


class DigestServer:
    """A running server. The user is `swell`, the password `secret`."""

    def __init__(self, url: str, log_path: Path) -> None:
        self.url = url
        self._log_path = log_path

    def log(self) -> list[LogLine]:
        return read_log(self._log_path, LogLine)

    def counts(self) -> collections.Counter[tuple[str, int]]:
        """How often each (target, status) was answered."""
        return collections.Counter((line.target, line.status) for line in self.log())


@contextlib.contextmanager
def digest_server() -> Iterator[DigestServer]:
    """Starts the server in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="swell-digest-") as folder:
        log_path = Path(folder) / "access.log"
        with target_process("tests.targets.digest", str(log_path)) as process:
            yield DigestServer(process.first_line, log_path)


class _Guard:
    """Answers the requests of each connection, with one memory of nonces for all of them."""

    def __init__(self, log: TargetLog) -> None:
        self._log = log
        self._nonces = Nonces()
        self._numbers = itertools.count(1)

    def hold(self, client: socket.socket) -> None:
        wire, number = Wire(client), next(self._numbers)
        with contextlib.suppress(ClientLeft):
            while (request := wire.request()) is not None:
                self._answer(wire, number, request, wire.body(request))
        wire.close()

    def _answer(self, wire: Wire, number: int, request: Request, body: bytes) -> None:
        schemes = _schemes(request)
        verdict = _best_verdict(request, body, schemes, self._nonces)
        status = _STATUSES.get(verdict, "401 Unauthorized") if schemes is not None else "404 Not Found"
        request_id = request.header("x-request-id")
        code = int(status.partition(" ")[0])
        self._log.write(LogLine(number, request.method, request.target, code, verdict, request_id))
        wire.answer(f"{verdict.value}\n", *self._challenges(code, schemes or [], verdict), status=status)

    def _challenges(self, status: int, schemes: list[Scheme], verdict: Verdict) -> list[str]:
        if status != 401:
            return []
        stale = verdict is Verdict.STALE
        offers = [scheme.challenge(self._nonces.issue(), stale=stale) for scheme in schemes]
        if len(offers) > 1:
            offers.append('Basic realm="tests"')
        return [f"WWW-Authenticate: {offer}" for offer in offers]


def _schemes(request: Request) -> list[Scheme] | None:
    """What the path accepts: nothing asked for if empty, no such path if None."""
    uses = request.number("uses", ANY_NUMBER)
    match request.path.strip("/").split("/"):
        case ["open"]:
            return []
        case ["digest", "choice"]:
            return [Scheme("SHA-256", "auth", uses), Scheme("MD5", "auth", uses)]
        case ["digest", ("md5" | "md5-sess" | "sha-256" | "sha-256-sess") as algorithm, qop] if qop in _QOPS:
            name = algorithm.removesuffix("-sess").upper() + ("-sess" if algorithm.endswith("-sess") else "")
            return [Scheme(name, _QOPS[qop], uses)]
        case _:
            return None


def _best_verdict(request: Request, body: bytes, schemes: list[Scheme] | None, nonces: Nonces) -> Verdict:
    if not schemes:
        return Verdict.ACCEPTED
    verdicts = [judge(request, body, scheme, nonces) for scheme in schemes]
    return Verdict.ACCEPTED if Verdict.ACCEPTED in verdicts else verdicts[-1]


def main() -> None:
    guard = _Guard(TargetLog(Path(sys.argv[1])))
    announce(f"http://127.0.0.1:{listen(guard.hold)}")
    exit_at_end_of_stdin()


if __name__ == "__main__":
    main()
