"""How one call differs from a plain one. Made once for all plain calls of a session; cold otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from swell.http.tls import Cert, Verify

if TYPE_CHECKING:
    from swell.http.proxy import Proxy


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectOptions:
    """What a connection is opened with; part of a pool's key, so that only like serves like."""

    verify: Verify = True
    cert: Cert = None
    proxy: Proxy | None = None
    connect_s: float = 10.0


@dataclasses.dataclass(frozen=True, slots=True)
class CallOptions:
    """`block` None: the session's headers. `upload`: a body sent in pieces after `body`, chunk framing included."""

    connect: ConnectOptions = ConnectOptions()
    idle_ns: int = 60_000_000_000
    call_ns: int = 120_000_000_000
    block: bytes | None = None
    body: bytes = b""
    upload: Callable[[], Iterator[bytes]] | None = None
    expects_continue: bool = False
    replayable: bool = True
    follow: bool = True
    stream: bool = False
    auth: Any = None
    is_simple: bool = True
    """Neither an upload nor an Expect header nor a stream."""


PLAIN = CallOptions()
