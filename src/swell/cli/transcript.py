"""Prints what one user does as it happens: each task, request, response, measured block and exception."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TextIO

from swell.http.decode import DecodeError
from swell.http.response import Response
from swell.script.secrets import hidden, secrets
from swell.segment import ErrorSample, Outcome, Sort

BODY_BYTES = 1_024
WIDTH = 100
NS_PER_MS = 1_000_000
BOLD, DIM, RED, GREEN, PLAIN = "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[0m"


class Transcript:
    """The page that everything is written on, in colour where it is a terminal. `failures` counts what went wrong."""

    def __init__(self, page: TextIO | None = None) -> None:
        self._page = page or sys.stdout
        self._coloured = self._page.isatty()
        self._heading = self._latest = ""
        self.failures = 0

    def heading(self, text: str, *, if_used: bool = False) -> None:
        """A task, or another method of the script, begins; `if_used`: not worth a line if nothing happens in it."""
        self._heading = f"── {text} {'─' * max(0, WIDTH - len(text) - 4)}"
        if not if_used:
            self._print_heading()

    def request(self, head: bytes, url: str) -> None:
        """A request is about to be sent: its head, and the body behind it as far as it is there."""
        fields, _, body = head.partition(b"\r\n\r\n")
        line, *headers = fields.decode("latin-1").split("\r\n")
        self._latest = f"{line.partition(' ')[0]} {url}"
        self._line(f"→ {self._latest}", BOLD)
        self._headers(headers)
        self._body(body, "")

    def response(self, response: Response) -> None:
        """A response has come, or what there is instead."""
        if not response.sent_ns:
            self._line(f"→ {response.method} {response.url}", BOLD)
        times = f"{_ms(response.done_ns - response.sent_ns)} ms" if response.sent_ns else "not sent"
        if response.first_byte_ns:
            times += f", first byte after {_ms(response.first_byte_ns - response.sent_ns)} ms"
        if response.connect_ns:
            times += f", connect {_ms(response.connect_ns)} ms"
        if not response.status_code:
            self._line(f"← {response.error}   {times}", RED)
            return
        of = f"{response.method} {response.url}"
        status = f"{response.status_code} {response.reason}" + (f" for {of}" if of != self._latest else "")
        self._line(f"← {status}   {times}, {response.bytes_in:,} bytes", GREEN if response.ok else RED)
        self._headers(f"{name}: {value}" for name, value in response.headers.items())
        if response.stream is None:
            self._body(response.raw_body, response.headers.get("content-type", ""), response)

    def own_sample(self, method: str, name: str, took_ns: int, error: str) -> None:
        """The script has measured something itself."""
        self._line(f"● {method} {name}   {_ms(took_ns)} ms{f'   {error}' if error else ''}", RED if error else GREEN)

    def own_value(self, sort: Sort, name: str, value: float, failed: bool) -> None:
        """A check has been made, a transaction has ended, or the script has measured a value."""
        if sort is Sort.CHECK:
            self._line(f"{'✗' if failed else '✓'} check {name}", RED if failed else GREEN)
            return
        shown = f"{value:g}"
        if sort is Sort.TRANSACTION:
            shown = f"{_ms(int(value))} ms" + ("   failed" if failed else "")
        elif sort is Sort.RATE:
            shown = "false" if failed else "true"
        self._line(f"● {sort.name.lower()} {name}   {shown}", RED if failed and sort is Sort.TRANSACTION else DIM)

    def failed(self, method: str, name: str, error: str) -> None:
        """A call counts as failed."""
        self.failures += 1
        self._line(f"✗ {method} {name} failed: {error}", RED)

    def exception(self, traceback: str) -> None:
        """Code of the script has raised."""
        self.failures += 1
        self._line(traceback.rstrip("\n"), RED)

    def note(self, text: str) -> None:
        """Something that swell has to say."""
        self._line(text, DIM)

    def _headers(self, headers: Iterable[str]) -> None:
        for header in headers:
            self._line(f"    {header}", DIM)

    def _body(self, body: bytes, content_type: str, response: Response | None = None) -> None:
        if not body:
            return
        text = _text(response) if response is not None else body.decode("utf-8", "replace")
        if "\0" in text[:BODY_BYTES] or content_type.startswith(("image/", "video/", "audio/", "font/")):
            self._line(f"\n    ({len(body):,} bytes of {content_type or 'something'})\n")
            return
        shown = _pretty(text, content_type).rstrip()
        mask = secrets.mask
        seen = shown[: mask.reach(BODY_BYTES)]
        cut = mask.start_of(seen, BODY_BYTES, is_cut=len(seen) < len(shown))
        rest = f"\n    … {len(shown) - len(cut):,} characters more" if len(shown) > len(cut) else ""
        self._line("\n    " + cut.replace("\n", "\n    ") + rest + "\n")

    def _print_heading(self) -> None:
        heading, self._heading = self._heading, ""
        if heading:
            self._line(heading, BOLD)

    def _line(self, text: str, colour: str = "") -> None:
        self._print_heading()
        text = hidden(text)
        self._page.write(f"{colour}{text}{PLAIN}\n" if colour and self._coloured else f"{text}\n")
        self._page.flush()


class TranscriptRecorder:
    """A recorder that keeps nothing: what is measured is printed."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._series = [("", "")]
        self._errors = [""]

    def __repr__(self) -> str:
        return f"<TranscriptRecorder of {len(self._series) - 1} series>"

    def series(self, scenario: str, method: str, name: str, tags: str = "") -> int:
        """A new number each time: one user makes few calls."""
        self._series.append((method, f"{name} [{tags}]" if tags else name))
        return len(self._series) - 1

    def traced(
        self, done_ns: int, trace_id: str, response_ns: int, series: int, error: int, status: int, outcome: int
    ) -> None:
        """The request has been printed, its headers too."""

    def measure(self, sort: Sort, scenario: str, name: str) -> int:
        self._series.append(("", name))
        return len(self._series) - 1

    def measured(self, at_ns: int, number: int, sort: Sort, value: float, outcome: int) -> bool:
        self._transcript.own_value(sort, self._series[number][1], value, bool(outcome & Outcome.FAILED))
        return True

    def error(self, text: str) -> int:
        self._errors.append(text)
        return len(self._errors) - 1

    def record(
        self,
        done_ns: int,
        service_ns: int,
        response_ns: int,
        first_byte_ns: int,
        connect_ns: int,
        lag_ns: int,
        bytes_out: int,
        bytes_in: int,
        series: int,
        error: int,
        status: int,
        outcome: int,
    ) -> None:
        method, name = self._series[series]
        if outcome & Outcome.OWN:
            self._transcript.own_sample(method, name, service_ns, self._errors[error])
        if outcome & Outcome.FAILED:
            self._transcript.failed(method, name, self._errors[error])

    def wants_sample(self, series: int, error: int) -> bool:
        return False

    def sample(self, series: int, error: int, sample: ErrorSample) -> None:
        """The response has been printed."""

    def exception(self, message: str, traceback: str) -> None:
        self._transcript.exception(traceback)


class UncountedTraffic:
    """Counts no exchanges."""

    def sent(self) -> None: ...
    def unsent(self) -> None: ...
    def answered(self) -> None: ...
    def unanswered(self) -> None: ...
    def not_sent(self) -> None: ...
    def retried(self) -> None: ...
    def redirected(self) -> None: ...
    def unstamped(self) -> None: ...
    def window_limited(self) -> None: ...


def _ms(duration_ns: int) -> str:
    return f"{duration_ns / NS_PER_MS:.3g}"


def _text(response: Response) -> str:
    try:
        return response.text
    except DecodeError as error:
        return f"({error})"


def _pretty(text: str, content_type: str) -> str:
    """JSON with its lines broken, as long as it is short enough to be shown whole."""
    if "json" not in content_type or len(text) > BODY_BYTES:
        return text
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
