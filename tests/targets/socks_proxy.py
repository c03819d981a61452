"""A SOCKS proxy: version 4, 4a (names instead of addresses) and 5 (RFC 1928, with RFC 1929's passwords)."""

from __future__ import annotations

import contextlib
import socket
import struct

from tests.targets.tunnel import Passage, Tunnels, target_name

_GRANTED_4, _REFUSED_4 = 90, 91
_SUCCEEDED, _REFUSED, _COMMAND, _ADDRESS_TYPE = 0, 5, 7, 8
_NO_PASSWORD, _PASSWORD, _NO_METHOD = 0, 2, 255
_IPV4, _NAME, _IPV6 = 1, 3, 4


class ClientRefused(Exception):
    """The client said something that this proxy does not do, and has been told so."""


class SocksProxy:
    """Asks version 5 for `credentials`, `user:password`, and version 4 for the user, unless they are ''."""

    def __init__(self, tunnels: Tunnels, credentials: str) -> None:
        self._tunnels = tunnels
        self._user, _, self._password = credentials.partition(":")

    def hold(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError, ClientRefused), client:
            version = _read(client, 1)[0]
            if version == 4:
                self._serve_4(client)
            elif version == 5:
                self._serve_5(client)

    def _serve_4(self, client: socket.socket) -> None:
        command, port, address = struct.unpack(">BH4s", _read(client, 7))
        user = _read_to_zero(client)
        is_4a = address[:3] == b"\0\0\0" and address[3] != 0
        host = _read_to_zero(client) if is_4a else socket.inet_ntoa(address)
        kind = "socks4a" if is_4a else "socks4"
        if command != 1 or user != self._user:
            self._tunnels.note(Passage(kind, target_name(host, port), False, user))
            _answer_4(client, _REFUSED_4)
            raise ClientRefused
        upstream = self._tunnels.open(kind, host, port, user)
        _answer_4(client, _GRANTED_4 if upstream else _REFUSED_4)
        if upstream is not None:
            self._tunnels.join(client, upstream, target_name(host, port))

    def _serve_5(self, client: socket.socket) -> None:
        self._authenticate(client)
        _, command, _, address_type = _read(client, 4)
        host = _read_host(client, address_type)
        (port,) = struct.unpack(">H", _read(client, 2))
        if command != 1:
            _answer_5(client, _COMMAND)
            raise ClientRefused
        upstream = self._tunnels.open("socks5", host, port, self._user)
        _answer_5(client, _SUCCEEDED if upstream else _REFUSED)
        if upstream is not None:
            self._tunnels.join(client, upstream, target_name(host, port))

    def _authenticate(self, client: socket.socket) -> None:
        offered = _read(client, _read(client, 1)[0])
        wanted = _PASSWORD if self._user else _NO_PASSWORD
        client.sendall(bytes([5, wanted if wanted in offered else _NO_METHOD]))
        if wanted not in offered:
            raise ClientRefused
        if wanted == _NO_PASSWORD:
            return
        _read(client, 1)
        user, password = _read_counted(client), _read_counted(client)
        is_right = (user, password) == (self._user, self._password)
        client.sendall(bytes([1, 0 if is_right else 1]))
        if not is_right:
            raise ClientRefused


def _answer_4(client: socket.socket, code: int) -> None:
    client.sendall(struct.pack(">BBH4s", 0, code, 0, bytes(4)))


def _answer_5(client: socket.socket, code: int) -> None:
    client.sendall(struct.pack(">BBBB4sH", 5, code, 0, _IPV4, bytes(4), 0))


def _read_host(client: socket.socket, address_type: int) -> str:
    if address_type == _IPV4:
        return socket.inet_ntoa(_read(client, 4))
    if address_type == _IPV6:
        return socket.inet_ntop(socket.AF_INET6, _read(client, 16))
    if address_type == _NAME:
        return _read_counted(client)
    _answer_5(client, _ADDRESS_TYPE)
    raise ClientRefused


def _read(client: socket.socket, length_bytes: int) -> bytes:
    received = b""
    while len(received) < length_bytes:
        piece = client.recv(length_bytes - len(received))
        if not piece:
            raise EOFError
        received += piece
    return received


def _read_counted(client: socket.socket) -> str:
    return _read(client, _read(client, 1)[0]).decode()


def _read_to_zero(client: socket.socket) -> str:
    return b"".join(iter(lambda: _read(client, 1), b"\0")).decode()
