"""Chromium without a window, driven over its debugging pipe: what a page shows, says, asks the network for.

with Browser() as browser:
    page = browser.open(path)
    page.run("document.title")          # what an expression comes to
    page.errors, page.requests          # what the console and the network saw
    page.screenshot(dark=True)          # PNG

The protocol (https://chromedevtools.github.io/devtools-protocol/) is JSON with a NUL after each message, on descriptors
3 and 4 of the browser.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

TIMEOUT_S = 30.0
FLAGS = (
    *("--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-extensions", "--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
    *("--no-proxy-server", "--force-device-scale-factor=1"),
)
PLACE = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'

Message = dict[str, Any]


class Browser:
    """One Chromium, with a profile of its own that goes when it goes."""

    def __init__(self) -> None:
        program = shutil.which("chromium")
        assert program is not None, "chromium is not installed: `make test` installs it"
        self._profile = tempfile.TemporaryDirectory(prefix="swell-chromium-", ignore_cleanup_errors=True)
        to_browser, self._out = os.pipe()
        self._in, from_browser = os.pipe()
        theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (to_browser, from_browser)]  # clear of 3 and 4
        flags = [*FLAGS, f"--user-data-dir={self._profile.name}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        self._process = subprocess.Popen(
            ["bash", "-c", PLACE, "bash", *map(str, theirs), program, *flags, "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=theirs,
            env={**os.environ, "HOME": self._profile.name},
        )
        for fd in (to_browser, from_browser, *theirs):
            os.close(fd)
        self._buffer = b""
        self._answers: dict[int, Message] = {}
        self._next = 0
        self._pages: dict[str, Page] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the browser and all that it started."""
        with contextlib.suppress(OSError, AssertionError):
            self.send("Browser.close", timeout_s=5.0)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for fd in (self._in, self._out):
            with contextlib.suppress(OSError):
                os.close(fd)
        self._profile.cleanup()

    def open(self, path: Path, *, width: int = 1280, height: int = 900, script: bool = True) -> Page:
        """A page of a file, loaded; it may hold no script at all."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session, target)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.send(f"{domain}.enable")
        page.send("Emulation.setScriptExecutionDisabled", value=not script)
        page.resize(width, height)
        page.load(path.as_uri())
        return page

    def send(self, method: str, session: str = "", timeout_s: float = TIMEOUT_S, **params: Any) -> Message:
        """Ask, and wait for the answer."""
        self._next += 1
        number = self._next
        message: Message = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = memoryview(json.dumps(message).encode() + b"\0")
        while data:
            data = data[os.write(self._out, data) :]
        self.wait_until(lambda: number in self._answers, method, timeout_s)
        answer = self._answers.pop(number)
        assert "error" not in answer, f"{method}: {answer['error']}"
        result: Message = answer["result"]
        return result

    def wait_until(self, condition: Callable[[], object], what: str, timeout_s: float = TIMEOUT_S) -> None:
        """Take messages in until `condition` holds."""
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            left_s = deadline_s - time.monotonic()
            assert left_s > 0, f"{what}: no answer from the browser within {timeout_s} s"
            if select.select([self._in], [], [], left_s)[0]:
                self._take(os.read(self._in, 1 << 20))

    def _take(self, data: bytes) -> None:
        assert data, f"the browser ended with {self._process.wait()}"
        *messages, self._buffer = (self._buffer + data).split(b"\0")
        for raw in messages:
            message = json.loads(raw)
            if "id" in message:
                self._answers[message["id"]] = message
            elif page := self._pages.get(message.get("sessionId", "")):
                page.note(message["method"], message["params"])


class Page:
    """An open page."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser = browser
        self._session = session
        self._target = target
        self._loaded = False
        self.errors: list[str] = []
        """Exceptions, and what the console was told by page or browser: violations of a policy, too."""
        self.requests: list[str] = []
        """URLs asked for, but the page itself and what is written out in it."""
        self.dialogs: list[str] = []

    def send(self, method: str, **params: Any) -> Message:
        """Ask this page."""
        return self._browser.send(method, self._session, **params)

    def note(self, method: str, params: Message) -> None:
        """Take in an event."""
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.errors.append(f"console.{params['type']} {params['args']}")
        elif method == "Log.entryAdded":
            self.errors.append(params["entry"]["text"])
        elif method == "Page.javascriptDialogOpening":
            self.dialogs.append(params["message"])
        elif method == "Network.requestWillBeSent" and not params["request"]["url"].startswith("data:"):
            self.requests.append(params["request"]["url"])

    def load(self, url: str) -> None:
        """Go there and wait until all is loaded."""
        self._loaded = False
        self.send("Page.navigate", url=url)
        self._browser.wait_until(lambda: self._loaded, f"loading {url}")
        self.requests.remove(url)

    def run(self, expression: str) -> Any:
        """What an expression comes to; a promise is awaited."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, f"{expression}: {answer['exceptionDetails']}"
        return answer["result"].get("value")

    def settle(self) -> None:
        """Wait until what was to be drawn is drawn."""
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def resize(self, width: int, height: int, *, mobile: bool = False) -> None:
        """The window's size in CSS pixels."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)

    def prefer(self, scheme: str) -> None:
        """`light` or `dark`, as the system says."""
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def key(self, name: str) -> None:
        """Press a key."""
        text = {"text": name} if len(name) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=name, **(text if kind == "keyDown" else {}))

    def drag(self, from_x: float, to_x: float, y: float) -> None:
        """Press the mouse at one place and release it at another."""
        for kind, x in (
            ("mouseMoved", from_x),
            ("mousePressed", from_x),
            ("mouseMoved", to_x),
            ("mouseReleased", to_x),
        ):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def screenshot(self, *, whole: bool = True) -> bytes:
        """The page as PNG."""
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        return base64.b64decode(shot["data"])

    def pdf(self) -> bytes:
        """The page on paper."""
        printed = self.send("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        return base64.b64decode(printed["data"])

    def close(self) -> None:
        """Close it."""
        self._browser.send("Target.closeTarget", targetId=self._target)
