"""How one call differs from a plain one. Made once for all plain calls of a session; cold otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from swell.http.tls import Cert, Verify

if TYPE_CHECKING:
    from swell.http.proxy import Proxy
    from swell.http.trace import Trace

NS_PER_S = 1_000_000_000
CONNECT_S = 10.0
BETWEEN_BYTES_S = 60.0
CALL_S = 120.0


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ConnectOptions:
    """What a connection is opened with. Compared by identity: `HttpEnvironment.connect_options` makes each once."""

    verify: Verify = True
    cert: Cert = None
    proxy: Proxy | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class CallOptions:
    """`block` None: the session's headers. `upload` gives the body's parts, chunks framed, once per attempt."""

    connect: ConnectOptions
    connect_s: float = CONNECT_S
    idle_ns: int = int(BETWEEN_BYTES_S * NS_PER_S)
    call_ns: int = int(CALL_S * NS_PER_S)
    block: bytes | None = None
    fields: Mapping[str, str] | None = None
    """What `block` was made from, for the next hop."""
    own_host: bool = False
    """`block` has a Host field of its own."""
    cookies: Mapping[str, str] | None = None
    body: bytes = b""
    upload: Callable[[], Iterator[bytes]] | None = None
    replayable: bool = True
    """Whether the body can be sent a second time."""
    expects_continue: bool = False
    follow: bool = True
    stream: bool = False
    proxies: Mapping[str, str | None] | None = None
    """By scheme or scheme://host, as requests has them; each hop looks for its own."""
    auth: Any = None
    """A DigestAuth that answers challenges."""
    is_simple: bool = True
    """Neither an upload nor an Expect header nor a stream."""
    trace: Trace | None = None
    """Marks the exchanges of the call, where there is a client that does so."""


PLAIN_CONNECT = ConnectOptions()
PLAIN = CallOptions(PLAIN_CONNECT)
