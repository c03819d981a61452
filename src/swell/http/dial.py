"""Opening a connection: name, socket, connect, proxy, TLS. Not the hot path: it waits with gevent's own waits.

Every failure is a CallFailure that says which step failed; none of it counts as sent, since no target has seen a byte
of the request.
"""

from __future__ import annotations

import _socket
import errno
import os
import ssl
from typing import TYPE_CHECKING, Any

import gevent
from gevent.socket import wait_read, wait_write

from swell.http.connection import Connection
from swell.http.failure import CallFailure, from_os_error, tls_reason
from swell.http.names import Address
from swell.http.options import ConnectOptions
from swell.http.proxy import Dialogue, Proxy, ProxyError, dialogue_for
from swell.http.tls import TlsLayer
from swell.http.url import Origin

if TYPE_CHECKING:
    from swell.http.environment import HttpEnvironment

_BIND_ADDRESS_NO_PORT = 24
_FULL_QUEUE_S = 0.005
_HANDSHAKE_BYTES = 16 * 1024


def dial(
    environment: HttpEnvironment, origin: Origin, options: ConnectOptions, connect_s: float, tls_session: Any = None
) -> Connection:
    """A connection to `origin` that is ready for a request. Raises CallFailure."""
    timeout = gevent.Timeout(connect_s)
    timeout.start()
    try:
        return _dial(environment, origin, options, tls_session)
    except gevent.Timeout as expired:
        if expired is not timeout:
            raise
        raise CallFailure("timed out: connect", silent=True) from None
    except OSError as error:
        raise from_os_error(error, silent=True) from error
    finally:
        timeout.close()
        # An exception that a frame of its own traceback holds would be left to the garbage collector.
        del timeout


def _dial(environment: HttpEnvironment, origin: Origin, options: ConnectOptions, tls_session: Any) -> Connection:
    environment.await_end()
    proxy = options.proxy
    hop = proxy.origin if proxy else origin
    sock = _connect(environment, hop)
    try:
        if proxy is not None and (origin.is_tls or proxy.is_tunnel):
            _through(sock, dialogue_for(proxy, origin, _looked_up(environment, proxy, origin)))
        tls = None
        if origin.is_tls:
            tls = TlsLayer(_context(environment, options), origin.host, tls_session)
            tls.handshake(lambda data: _send_all(sock, data), lambda: _receive(sock))
        environment.clock.enable(sock)
        window_bytes = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_RCVBUF) // 2
    except BaseException:
        sock.close()
        raise
    return Connection(environment, sock, tls, window_bytes)


def _context(environment: HttpEnvironment, options: ConnectOptions) -> ssl.SSLContext:
    try:
        return environment.tls_context(options.verify, options.cert)
    except (OSError, ValueError) as error:
        text = tls_reason(error) if isinstance(error, ssl.SSLError) else f"TLS: {getattr(error, 'strerror', error)}"
        raise CallFailure(f"{text} (certificate file of the script)", silent=True) from error


def _looked_up(environment: HttpEnvironment, proxy: Proxy, origin: Origin) -> str | None:
    if not proxy.looks_up_here:
        return None
    return str(environment.names.look_up(origin.host, origin.port)[0].sockaddr[0])


def _connect(environment: HttpEnvironment, hop: Origin) -> Any:
    if hop.unix_path is not None:
        return _connect_to(environment, Address(_socket.AF_UNIX, hop.unix_path))
    last: OSError | None = None
    for address in environment.names.look_up(hop.host, hop.port):
        try:
            return _connect_to(environment, address)
        except OSError as error:
            last = error
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL):
                break
    assert last is not None
    try:
        raise last
    finally:
        del last


def _connect_to(environment: HttpEnvironment, address: Address) -> Any:
    sock = _socket.socket(address.family, _socket.SOCK_STREAM)
    try:
        if sock.fileno() >= environment.fds_for_users:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        sock.setblocking(False)
        if address.family != _socket.AF_UNIX:
            sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            source = environment.source_address(address.family)
            if source is not None:
                sock.setsockopt(_socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
                sock.bind((source, 0))
        code = sock.connect_ex(address.sockaddr)
        while code == errno.EAGAIN and address.family == _socket.AF_UNIX:
            # Its queue is full. Nothing is under way, as it would be for TCP, and nobody says when there is room.
            gevent.sleep(_FULL_QUEUE_S)
            code = sock.connect_ex(address.sockaddr)
        if code == errno.EINPROGRESS:
            wait_write(sock.fileno())
            code = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
    except BaseException:
        sock.close()
        raise
    return sock


def _through(sock: Any, dialogue: Dialogue) -> None:
    try:
        while not dialogue.done:
            _send_all(sock, dialogue.send())
            received = _receive(sock)
            if not received:
                raise CallFailure("proxy: closed the connection", silent=True)
            dialogue.receive(received)
    except ProxyError as error:
        raise CallFailure(f"proxy: {error}", silent=True) from error


def _send_all(sock: Any, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[sock.send(view) :]
        except BlockingIOError:
            wait_write(sock.fileno())


def _receive(sock: Any) -> bytes:
    while True:
        try:
            received: bytes = sock.recv(_HANDSHAKE_BYTES)
            return received
        except BlockingIOError:
            wait_read(sock.fileno())
