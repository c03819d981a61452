"""Names the code that holds the loop: a real thread looks at the loop's thread when a heartbeat is overdue.

Tracing every switch would cost more than what it looks for. Here each beat sets a kernel timer 50 ms beyond the next
one; the thread sleeps on that timer, so a loop that beats never wakes it. Where there is no timerfd, nothing is named.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections import Counter
from types import FrameType
from typing import Any

import gevent.threadpool

from swell.clock import NS_PER_S
from swell.runtime.timerfd import TimerFd

OVERDUE_NS = NS_PER_S // 20
LOOK_AGAIN_NS = NS_PER_S // 40
NOT_RUNNING = "nothing: the process did not run"
_OWN_PLACES = tuple(
    os.path.join(place, "")
    for place in {
        os.path.dirname(os.path.dirname(__file__)),
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    }
)
_IDLE_FILE = os.path.join("gevent", "hub.py")
_LIBRARY_FOLDERS = ("/site-packages/", "/dist-packages/")


class StallWatch:
    """Watches the thread that makes it."""

    def __init__(self) -> None:
        self._thread_id = gevent.get_hub().thread_ident
        self._beats = 0
        self._looks: list[tuple[int, str]] = []
        self._stopping = False
        self._watched: Any = None
        try:
            self._overdue, self._pause = TimerFd(blocking=True), TimerFd(blocking=True)
        except (AttributeError, OSError):
            return
        self._pool = gevent.threadpool.ThreadPool(1)
        self._watched = self._pool.spawn(self._watch)

    def __repr__(self) -> str:
        return f"<StallWatch, {self._beats} beats, {'watching' if self._watched else 'blind'}>"

    def beat(self, next_in_ns: int) -> str:
        """The loop is alive and will beat again. Returns what was seen to hold it since the last beat, or ''."""
        beats = self._beats
        self._beats += 1
        if self._watched is not None:
            self._overdue.arm(next_in_ns + OVERDUE_NS)
        if not self._looks:
            return ""
        looks, self._looks = self._looks, []
        names = Counter(name for beat, name in looks if beat == beats)
        return names.most_common(1)[0][0] if names else ""

    def close(self) -> None:
        """End the thread."""
        if self._watched is None:
            return
        self._stopping = True
        self._overdue.arm(0)
        self._watched.get()
        self._watched = None
        self._pool.kill()
        self._overdue.close()
        self._pause.close()

    def _watch(self) -> None:
        """What the thread does."""
        while True:
            self._overdue.wait()
            beats = self._beats
            while self._beats == beats and not self._stopping:
                frame = sys._current_frames().get(self._thread_id)
                if frame is not None:
                    self._looks.append((beats, described(frame)))
                del frame
                self._pause.arm(LOOK_AGAIN_NS)
                self._pause.wait()
            if self._stopping:
                return


def described(frame: FrameType) -> str:
    """What a thread is at: the outermost function of the author's and the innermost line of theirs, else ours."""
    if frame.f_code.co_filename.endswith(_IDLE_FILE):
        return NOT_RUNNING
    stack: list[FrameType] = []
    at: FrameType | None = frame
    while at is not None:
        stack.append(at)
        at = at.f_back
    authored = [frame for frame in stack if is_authored(frame.f_code.co_filename)]
    outermost, innermost = (authored[-1], authored[0]) if authored else (frame, frame)
    place = f"{os.path.basename(innermost.f_code.co_filename)}:{innermost.f_lineno}"
    return f"{outermost.f_code.co_qualname} ({place})"


def is_authored(path: str) -> bool:
    """Whether a file belongs to the script, not to swell, to Python or to an installed package."""
    if path.startswith("<") or any(folder in path for folder in _LIBRARY_FOLDERS):
        return False
    return not path.startswith(_OWN_PLACES)
