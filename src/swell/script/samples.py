"""From a response to a recorded call: its durations (DESIGN's instants), its outcome, a sample of what failed."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from swell.http.decode import DecodeError
from swell.script.events import events
from swell.script.secrets import secrets
from swell.segment import SAMPLE_BODY_BYTES, ErrorSample, Outcome

if TYPE_CHECKING:
    from swell.http.response import Response
    from swell.user import Seat


NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


class CallFailed(Exception):
    """What `events.request` listeners get as `exception` when a call failed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """A call under way: who made it, under what name, when; for the first one of a planned iteration also for how long
    the target had held its start up, and how late the generator was (-1: not planned)."""

    seat: Seat
    method: str
    name: str
    series: int
    begun_ns: int
    held_ns: int
    lag_ns: int
    user_context: Callable[[], dict[str, Any]]
    context: Mapping[str, object] | None = None


def succeed(sample: Sample, response: Response) -> None:
    """Record a call that went well."""
    _record(sample, response, 0, Outcome(0))
    if events.request.listeners:
        _tell(sample, response, None)


def fail(sample: Sample, response: Response, reason: str | BaseException) -> None:
    """Record a call that failed, for `reason`, and keep a sample of it while few are kept."""
    recorder = sample.seat.recorder
    text = str(reason) or (type(reason).__name__ if isinstance(reason, BaseException) else "failed")
    error = recorder.error(text)
    _record(sample, response, error, Outcome.FAILED)
    if recorder.wants_sample(sample.series, error):
        recorder.sample(sample.series, error, _seen(response))
    if events.request.listeners:
        _tell(sample, response, reason if isinstance(reason, BaseException) else CallFailed(text))


def _record(sample: Sample, response: Response, error: int, outcome: Outcome) -> None:
    done_ns, sent_ns = response.done_ns, response.sent_ns
    if response.unstamped or not sent_ns:
        outcome |= Outcome.USER_CLOCK
    sample.seat.record(
        done_ns,
        done_ns - sent_ns if sent_ns else -1,
        done_ns - sample.begun_ns + sample.held_ns,
        response.first_byte_ns - sent_ns if response.first_byte_ns else 0,
        response.connect_ns,
        sample.lag_ns,
        response.bytes_out,
        response.bytes_in,
        sample.series,
        error,
        response.status_code,
        int(outcome),
    )
    if response.trace_id:
        response_ns = done_ns - sample.begun_ns + sample.held_ns
        recorder = sample.seat.recorder
        recorder.traced(
            done_ns, response.trace_id, response_ns, sample.series, error, response.status_code, int(outcome)
        )


def _seen(response: Response) -> ErrorSample:
    mask = secrets.mask
    content = response.raw_body
    if response.headers.get("content-encoding") and response.raw_body:
        try:
            content = response.content
        except DecodeError as error:
            content = f"({error})".encode()
    seen = content[: mask.reach(SAMPLE_BODY_BYTES)]
    is_cut = len(seen) < len(content)
    return ErrorSample(
        status=response.status_code,
        url=response.url,
        headers="\n".join(f"{name}: {value}" for name, value in response.headers.items()),
        body=mask.start_of(seen.decode("utf-8", "replace"), SAMPLE_BODY_BYTES, is_cut=is_cut),
    )


def _tell(sample: Sample, response: Response, exception: BaseException | None) -> None:
    events.request.tell(
        request_type=sample.method,
        name=sample.name,
        response_time=(response.done_ns - sample.begun_ns + sample.held_ns) / NS_PER_MS,
        response_length=len(response.raw_body),
        response=response,
        context={**sample.user_context(), **(sample.context or {})},
        exception=exception,
        start_time=time.time() - (monotonic_ns() - sample.begun_ns) / NS_PER_S,
        url=response.url,
    )
