"""Single keys from a terminal, without Return and without an echo; the terminal is put back as it was."""

from __future__ import annotations

import contextlib
import os
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from typing import TextIO

import gevent
from gevent.socket import wait_read


@contextlib.contextmanager
def pressed_keys(stream: TextIO | None, on_key: Callable[[str], None]) -> Iterator[bool]:
    """Call `on_key` with each key pressed; yields False, and does nothing, where `stream` is no terminal of ours."""
    if stream is None or stream.closed or not stream.isatty() or os.tcgetpgrp(stream.fileno()) != os.getpgrp():
        yield False
        return
    fd = stream.fileno()
    before = termios.tcgetattr(fd)
    reader = gevent.spawn(_read, fd, on_key)
    continued = gevent.signal_handler(signal.SIGCONT, _set_cbreak, fd)
    _set_cbreak(fd)
    try:
        yield True
    finally:
        reader.kill()
        continued.cancel()
        with contextlib.suppress(termios.error):  # the terminal may have been closed
            termios.tcsetattr(fd, termios.TCSADRAIN, before)


def _set_cbreak(fd: int) -> None:
    with contextlib.suppress(termios.error):
        tty.setcbreak(fd)


def _read(fd: int, on_key: Callable[[str], None]) -> None:
    while True:
        wait_read(fd)
        try:
            typed = os.read(fd, 64)
        except OSError:
            return
        if not typed:
            return
        for key in typed.decode(errors="ignore"):
            on_key(key)
