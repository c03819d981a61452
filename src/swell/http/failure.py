"""Why an exchange failed, in the few words that results are grouped by.

Texts name no port, address, time or URL that would make each one unique.
"""

from __future__ import annotations

import errno
import socket
import ssl


class CallFailure(Exception):
    """An exchange that did not end in a complete response.

    `reason` is the grouped text of the result. `silent` says that not one byte of a response had come back,
    `exhausted` names the generator's own resource ("fd", "port") that ran out.
    """

    def __init__(self, reason: str, *, silent: bool = False, exhausted: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.silent = silent
        self.exhausted = exhausted


_ERRNO_TEXTS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset",
    errno.EPIPE: "connection reset",
    errno.ECONNABORTED: "connection reset",
    errno.ETIMEDOUT: "timed out: no answer from the host (TCP)",
    errno.EHOSTUNREACH: "host unreachable",
    errno.ENETUNREACH: "network unreachable",
    errno.EACCES: "not permitted (EACCES)",
    errno.EPERM: "not permitted (EPERM)",
    errno.ENOENT: "no such unix socket",
}
_EXHAUSTED = {
    errno.EMFILE: ("fd", "out of file descriptors (generator)"),
    errno.ENFILE: ("fd", "out of file descriptors (machine)"),
    errno.EADDRNOTAVAIL: ("port", "out of local ports (generator)"),
}


def from_os_error(error: OSError, *, silent: bool = False) -> CallFailure:
    """The failure that a system call's error means."""
    if isinstance(error, ssl.SSLError):
        return CallFailure(tls_reason(error), silent=silent)
    if isinstance(error, socket.gaierror):
        return CallFailure(f"DNS: {error.strerror or 'lookup failed'}", silent=True)
    number = error.errno or 0
    if number in _EXHAUSTED:
        resource, text = _EXHAUSTED[number]
        return CallFailure(text, silent=True, exhausted=resource)
    return CallFailure(_ERRNO_TEXTS.get(number) or f"{error.strerror or error}", silent=silent)


def tls_reason(error: ssl.SSLError) -> str:
    """OpenSSL's reason without file and line."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: certificate not accepted: {error.verify_message}"
    reason = (error.reason or "handshake failed").replace("_", " ").lower()
    return f"TLS: {reason}"
