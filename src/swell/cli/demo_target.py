"""`python -m swell.cli.demo_target`: the contest site in a process of its own.

The first line on stdout is its URL. It serves until SIGTERM or SIGINT, and ends with whoever started it: at the end of
its stdin where that is a pipe, otherwise when its parent process has gone.
"""

from __future__ import annotations

import logging
import os
import signal
import stat

import click
import gevent
from gevent.event import Event
from gevent.socket import wait_read

from swell.demo.server import ACCESS_LOGGER, serve
from swell.errors import RunFailed

PARENT_CHECK_INTERVAL_S = 0.5


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--access-log", is_flag=True, help="Log each request on stderr.")
def main(host: str, port: int, access_log: bool) -> None:
    """Serves a small programming-contest site to point a load test at."""
    if access_log:
        ACCESS_LOGGER.addHandler(logging.StreamHandler())
        ACCESS_LOGGER.setLevel(logging.INFO)
    try:
        server = serve(host, port, access_log=access_log)
    except OSError as exc:
        refusal = RunFailed(f"cannot listen on {host}:{port}: {exc.strerror}", hint="--port 0 takes a free port")
        click.echo(f"{refusal} ({refusal.hint})", err=True)
        raise SystemExit(refusal.exit_code) from exc
    click.echo(server.url)
    _wait_for_the_end()
    server.stop()


def _wait_for_the_end() -> None:
    over = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, over.set)
    gevent.spawn(_watch_stdin if _stdin_is_a_pipe() else _watch_parent, over)
    over.wait()


def _stdin_is_a_pipe() -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(0).st_mode)
    except OSError:
        return False


def _watch_stdin(over: Event) -> None:
    wait_read(0)
    while os.read(0, 4096):
        wait_read(0)
    over.set()


def _watch_parent(over: Event) -> None:
    parent = os.getppid()
    while os.getppid() == parent:
        gevent.sleep(PARENT_CHECK_INTERVAL_S)
    over.set()


if __name__ == "__main__":
    main()
