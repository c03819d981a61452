"""A terminal to run commands in, as a person sees it: tmux, with a server of its own.

with Tmux(folder, width=80, height=24) as screen:
    screen.type("swell run script.py")
    screen.wait_for("requests/s")
    screen.text()       # what is to be seen now
    screen.history()    # and what has scrolled away
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

PROMPT = "ready>"
WAIT_S = 15.0


class Tmux:
    """One pane with a plain shell in `folder`; the tests' own Python comes first on its path."""

    def __init__(self, folder: Path, *, width: int, height: int) -> None:
        self._socket = str(folder / "tmux.sock")
        binaries = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": binaries, "ENV": "", "LC_ALL": "C.UTF-8"}
        size = ("-x", str(width), "-y", str(height))
        command = ["tmux", "-f", "/dev/null", "-S", self._socket, "-u", "new-session", "-d", *size, "sh"]
        subprocess.run(command, cwd=folder, env=environment, check=True)

    def __enter__(self) -> Tmux:
        self.type(f"PS1='{PROMPT} '; clear")
        self.wait_for(rf"^{PROMPT}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self._tmux("kill-server")

    def type(self, line: str) -> None:
        """Type a line and Return."""
        self._tmux("send-keys", "-l", line)
        self.press("Enter")

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: `w`, `Enter`, `C-c`."""
        self._tmux("send-keys", *keys)

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def text(self) -> str:
        """What is to be seen."""
        return self._tmux("capture-pane", "-p")

    def history(self) -> str:
        """What is to be seen and what has scrolled away."""
        return self._tmux("capture-pane", "-p", "-S", "-5000")

    def shows_cursor(self) -> bool:
        return self._tmux("display-message", "-p", "#{cursor_flag}").strip() == "1"

    def wait_for(self, pattern: str, timeout_s: float = WAIT_S) -> str:
        """Look until the pattern is to be seen; returns the screen."""
        deadline_s = time.monotonic() + timeout_s
        while not re.search(pattern, text := self.text(), re.MULTILINE):
            assert time.monotonic() < deadline_s, f"{pattern!r} was not shown:\n{text}"
            time.sleep(0.03)
        return text

    def wait_for_prompt(self, timeout_s: float = WAIT_S) -> str:
        """Look until the shell waits for a command again; returns all that was shown."""
        self.wait_for(rf"^{PROMPT}\s*\Z", timeout_s)
        return self.history()

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-S", self._socket, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
