"""Samples that a script records by itself: on the user's clock, outside the accounting against the target's log."""

from __future__ import annotations

import math
from typing import Any

from swell.script.current import Desk
from swell.script.traces import one_line
from swell.segment import Outcome

NS_PER_MS = 1_000_000
_OWN = int(Outcome.OWN | Outcome.USER_CLOCK)
_OWN_FAILED = int(Outcome.OWN | Outcome.USER_CLOCK | Outcome.FAILED)


def record_own(
    desk: Desk,
    method: str,
    name: str,
    *,
    done_ns: int,
    service_ns: int,
    response_ns: int,
    lag_ns: int = -1,
    length_bytes: int = 0,
    error: str = "",
) -> None:
    """Record one sample; `error` '' means that it went well."""
    recorder = desk.recorder
    desk.record(
        done_ns,
        service_ns,
        response_ns,
        0,
        0,
        lag_ns,
        0,
        length_bytes,
        recorder.series(desk.scenario, method, name),
        recorder.error(error) if error else 0,
        0,
        _OWN_FAILED if error else _OWN,
    )


def record_fired(
    desk: Desk,
    *,
    request_type: str,
    name: str,
    response_time: float | None = None,
    response_length: int | None = None,
    exception: BaseException | str | None = None,
    **_: Any,
) -> None:
    """Record what a script has fired `events.request` with; `response_time` in ms."""
    given_ms = response_time or 0
    if not math.isfinite(given_ms) or given_ms < 0:
        raise ValueError(f"response_time={response_time!r} is not a time of 0 ms or more")
    took_ns = round(given_ms * NS_PER_MS)
    record_own(
        desk,
        str(request_type),
        str(name),
        done_ns=desk.clock.now_ns(),
        service_ns=took_ns,
        response_ns=took_ns,
        length_bytes=int(response_length or 0),
        error=(one_line(exception) or "failed") if exception is not None else "",
    )
