"""The key of a cluster: one secret in a file, from which both ends of a link have their CURVE keys.

The secret itself never travels. The controller's key pair and the workers' are derived from it, each with a label of
its own, so that whoever has the file can be either, and knows whom to expect at the other end; nobody else can be or
knows anything (docs/design/link.md).
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import zmq
from zmq.utils import z85

from swell.errors import LinkError, PlanError, Problem

SECRET_BYTES = 32
FILE_BYTES_MAX = 4_096
HEAD = "swell-cluster-key 1"
"""What stands before the secret, with the version of the form."""
_LABEL_OF_CONTROLLER, _LABEL_OF_WORKERS = b"controller", b"workers"
_TEXT = """\
# The key of a swell cluster, made by `swell keygen`.
# Whoever has it can start load, and run any code, on every machine of the cluster, and read what they say to each
# other. Copy it to those machines by a safe way, and to no other.
{head} {secret}
"""


class KeyPair(NamedTuple):
    """Of CURVE: 32 bytes each."""

    public: bytes
    secret: bytes


@dataclass(frozen=True, slots=True)
class ClusterKey:
    """What all machines of a cluster, and no others, know."""

    secret: bytes = field(repr=False)

    @property
    def controller(self) -> KeyPair:
        """The controller's key pair; workers know its public half."""
        return _pair(self._derived(_LABEL_OF_CONTROLLER))

    @property
    def workers(self) -> KeyPair:
        """The one key pair of all workers and supervisors; the controller lets its public half in, and no other."""
        return _pair(self._derived(_LABEL_OF_WORKERS))

    @property
    def text(self) -> str:
        """What stands in its file."""
        return _TEXT.format(head=HEAD, secret=self.secret.hex())

    def _derived(self, label: bytes) -> bytes:
        import hashlib  # loads OpenSSL, which a run without a key can do without

        return hashlib.blake2b(key=self.secret, person=label, digest_size=SECRET_BYTES).digest()


def new_key() -> ClusterKey:
    """A key that nobody has had before."""
    return ClusterKey(os.urandom(SECRET_BYTES))


def parse_key(text: str, where: str) -> ClusterKey:
    """The key in the text of a file. Raises PlanError where there is none."""
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    found = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not found:
        raise _fault("no key in it", where)
    if len(found) > 1:
        raise _fault("one line with a key is enough", f"{where}:{found[1][0]}")
    ((number, line),) = found
    *head, written = line.split(" ")
    if " ".join(head) != HEAD:
        raise _fault(f"no line that begins with `{HEAD}`", f"{where}:{number}")
    try:
        secret = bytes.fromhex(written)
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES or len(written) != 2 * SECRET_BYTES:
        raise _fault(f"not {2 * SECRET_BYTES} hexadecimal digits behind `{HEAD}`", f"{where}:{number}")
    return ClusterKey(secret)


def read_key(path: Path) -> ClusterKey:
    """The key in a file. Raises PlanError; also where others may read a file of this user's, as ssh does."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError as exc:
        raise PlanError([Problem(f"cannot read the key: {exc.strerror}", str(path))]) from exc
    if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and status.st_mode & 0o077:
        raise PlanError(
            [Problem("others can read this key, or write it", str(path), f"`chmod 600 {path}`, if nobody has")]
        )
    if len(content) > FILE_BYTES_MAX:
        raise _fault("too long for a key", str(path))
    return parse_key(content.decode("utf-8", "replace"), str(path))


def receive_key(fd: int) -> ClusterKey:
    """The key that whoever started this process has written into a pipe of it. Raises PlanError."""
    with open(fd, "rb") as pipe:
        return parse_key(pipe.read(FILE_BYTES_MAX).decode("utf-8", "replace"), "the key handed over")


def write_key(path: Path, key: ClusterKey) -> None:
    """Make the file, for this user alone. Raises PlanError where there is one, or where it cannot be made."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as exc:
        hint = "machines that have the old key could not join any more: remove the file first, if that is meant"
        raise PlanError([Problem("is there already", str(path), hint)]) from exc
    except OSError as exc:
        raise PlanError([Problem(f"cannot write the key: {exc.strerror}", str(path))]) from exc
    try:
        with open(handle, "w", encoding="ascii") as file:
            file.write(key.text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        path.unlink(missing_ok=True)
        raise PlanError([Problem(f"cannot write the key: {exc.strerror}", str(path))]) from exc


def _pair(secret: bytes) -> KeyPair:
    try:
        public = zmq.curve_public(z85.encode(secret))
    except zmq.ZMQError as exc:
        hint = "a wheel of pyzmq's own has it: pip install --force-reinstall --only-binary pyzmq pyzmq"
        raise LinkError("this build of ZeroMQ has no encryption (CURVE)", hint=hint) from exc
    return KeyPair(z85.decode(public), secret)


def _fault(what: str, where: str) -> PlanError:
    return PlanError([Problem(what, where, "`swell keygen FILE` makes one")])
