"""TLS over memory BIOs: the socket stays raw, so that its reads keep their kernel stamps.

`wrap_bio` does the cryptography; the bytes for the wire come out of `outgoing`, those from the wire go into `incoming`.
A TLS 1.3 server sends its session tickets after the handshake, so the session to resume is asked for when it is needed.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from pathlib import Path

import certifi

from swell.http.failure import CallFailure, tls_reason

_PLAIN_BYTES = 256 * 1024

Verify = bool | str | Path
Cert = str | Path | tuple[str | Path, str | Path] | None


class TlsLayer:
    """One TLS connection's state: `encrypt` what is to be sent, `decrypt` what came."""

    __slots__ = ("_incoming", "_outgoing", "_tls", "closed")

    def __init__(self, context: ssl.SSLContext, host: str, session: ssl.SSLSession | None = None) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        # A name without its final dot is what certificates are made for (RFC 6066 §3), an address without its zone.
        name = host.partition("%")[0].removesuffix(".")
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        if session is not None:
            with contextlib.suppress(ValueError):  # from a context that is no longer in the cache: a full handshake
                self._tls.session = session
        self.closed = False

    def __repr__(self) -> str:
        return f"<TlsLayer {self._tls.version() or 'before its handshake'}{', closed' if self.closed else ''}>"

    def handshake(self, send: Callable[[bytes], None], receive: Callable[[], bytes]) -> None:
        """Shake hands over `send` (all of it) and `receive` (b'' at the end of the file). Raises CallFailure."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush(send)
                data = receive()
                if not data:
                    raise CallFailure("TLS: closed in the handshake", silent=True) from None
                self._incoming.write(data)
            except ssl.SSLError as error:
                with contextlib.suppress(OSError):  # our alert; whether it arrives does not matter
                    self._flush(send)
                raise CallFailure(tls_reason(error), silent=True) from error
            else:
                self._flush(send)
                return

    def encrypt(self, data: bytes) -> bytes:
        """The bytes to put on the wire for `data`. Raises CallFailure when the TLS stream is broken."""
        try:
            self._tls.write(data)
        except ssl.SSLError as error:
            raise CallFailure(tls_reason(error), silent=True) from error
        return self._outgoing.read()

    def decrypt(self, data: bytes) -> bytes:
        """The plain bytes that became readable with `data`; `closed` is set when the server ended the TLS stream."""
        tls, incoming = self._tls, self._incoming
        incoming.write(data)
        plain = self._read()
        if not incoming.pending and not tls.pending():
            return plain
        parts = [plain]
        while plain:
            plain = self._read()
            parts.append(plain)
        return b"".join(parts)

    def _read(self) -> bytes:
        try:
            plain = self._tls.read(_PLAIN_BYTES)
        except ssl.SSLWantReadError:
            return b""
        except ssl.SSLZeroReturnError:
            plain = b""
        except ssl.SSLError as error:
            raise CallFailure(tls_reason(error)) from error
        self.closed = self.closed or not plain
        return plain

    def reply(self) -> bytes:
        """What TLS itself wants to send (a key update's answer); mostly nothing."""
        return self._outgoing.read() if self._outgoing.pending else b""

    @property
    def session(self) -> ssl.SSLSession | None:
        """The session to resume on the next connection."""
        return self._tls.session

    @property
    def resumed(self) -> bool:
        """Whether this connection took up an earlier session."""
        return bool(self._tls.session_reused)

    @property
    def alpn(self) -> str | None:
        """The protocol that the server chose."""
        return self._tls.selected_alpn_protocol()

    def _flush(self, send: Callable[[bytes], None]) -> None:
        if self._outgoing.pending:
            send(self._outgoing.read())


def client_context(verify: Verify, cert: Cert) -> ssl.SSLContext:
    """A context for `verify` (True, False, or a CA file or folder) and `cert` (a PEM file, or certificate and key).

    Raises OSError or ssl.SSLError when a file cannot be read as what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif isinstance(verify, str | Path):
        is_folder = Path(verify).is_dir()
        context.load_verify_locations(None if is_folder else verify, verify if is_folder else None)
    else:
        _load_default_roots(context)
    if cert is not None:
        context.load_cert_chain(*((cert,) if isinstance(cert, str | Path) else cert))
    return context


def _load_default_roots(context: ssl.SSLContext) -> None:
    context.load_default_certs()
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())
