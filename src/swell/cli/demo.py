"""`swell demo`: a load test to look at, against a small contest site that runs for as long as the test does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent

import swell
from swell.analysis.exit_code import ExitCode
from swell.cli import options
from swell.cli.opening import Opened, choose_classes, import_script
from swell.cli.settings import Given, Layer, resolve
from swell.cli.start import start
from swell.cli.streams import reserve_stdout
from swell.errors import RunFailed

JUDGEMENTS = (ExitCode.REQUESTS_FAILED, ExitCode.THRESHOLD_FAILED, ExitCode.DEGRADED)
TARGET_START_S = 20.0
TARGET_STOP_S = 5.0


def demonstrate(given: Layer) -> int:
    """Run the contest script against the contest site. `given` is what the command line says of the demo's options.

    The exit code is 0 once the run was carried out: the result says what it was worth, and a demo judges nobody.
    """
    if any(given[option.name].text == "-" for option in (options.JSON, options.HTML) if option.name in given):
        reserve_stdout()
    with contest_site() as url:
        fixed = {options.HOST.name: Given(url, options.HOST.flag)}
        defaults = {
            option.name: Given(str(option.default), option.flag) for option in options.OF_DEMO if option.default
        }
        settings, problems = resolve(options.options_of("run"), [given, fixed, defaults])
        opened = Opened(path=str(contest_script()), settings=settings, problems=problems)
        choose_classes(opened, import_script(opened))
        code = start(opened)
    return 0 if code in JUDGEMENTS else code


def contest_script() -> Path:
    """`examples/contest.py`: part of the installed package, or of the checkout that this is."""
    package = Path(swell.__file__).parent
    installed = package / "demo" / "contest_example.py"
    script = installed if installed.is_file() else package.parent.parent / "examples" / "contest.py"
    return script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script


@contextmanager
def contest_site() -> Iterator[str]:
    """The URL of a contest site in a process of its own, which ends with the block, or with this process."""
    site = subprocess.Popen(
        [sys.executable, "-m", "swell.cli.demo_target", "--port", "0"],
        stdin=subprocess.PIPE,  # its end is the end of the site
        stdout=subprocess.PIPE,
        process_group=0,  # Ctrl-C ends the test first
        text=True,
    )
    try:
        yield _url_of(site)
    finally:
        _stop(site)


def _url_of(site: subprocess.Popen[str]) -> str:
    assert site.stdout is not None
    with gevent.Timeout(TARGET_START_S, False):
        if url := site.stdout.readline().strip():
            return url
    raise RunFailed("the contest site did not start", hint=f"`{sys.executable} -m swell.cli.demo_target` shows why")


def _stop(site: subprocess.Popen[str]) -> None:
    site.terminate()
    try:
        site.communicate(timeout=TARGET_STOP_S)
    except subprocess.TimeoutExpired:
        site.kill()
        site.communicate()
