"""Hooks that a script can listen to, with the names and arguments of Locust 2.

A hook costs one check of `listeners` where nobody listens. A listener that fails is counted, logged the first time its
fault is seen, and keeps neither the other listeners nor the run from going on; only what changes a user's course
(`StopUser` and its kin) passes through.

Where they fire: `init_command_line_parser` and `init` in every process, when the script has been loaded; `test_start`,
`test_stopping`, `test_stop`, `quitting` and `quit` in every process, `spawning_complete`, `worker_report` and
`worker_connect` in the controller; `request`, `user_error`, `report_to_master` and `usage_monitor` in the workers.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from swell.script.current import desk_here
from swell.script.flow import AUTHOR_FAULT, Flow
from swell.script.own_samples import record_fired
from swell.script.traces import author_trace

L = TypeVar("L", bound=Callable[..., Any])

FAULTS_MOST = 100
listener_faults: Counter[str] = Counter()
"""How often listeners of this process failed, by text; at most 100 texts."""


class EventHook:
    """Something that happens, and who wants to be told."""

    __slots__ = ("listeners", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.listeners: list[Callable[..., Any]] = []
        """Whom to tell; false when nobody listens, which is what a caller checks before it fires."""

    def __repr__(self) -> str:
        return f"<EventHook {self.name}, {len(self.listeners)} listeners>"

    def __bool__(self) -> bool:
        return bool(self.listeners)

    def add_listener(self, listener: L) -> L:
        """Call `listener` with the hook's arguments, by keyword, each time it fires. Can be used as a decorator."""
        self.listeners.append(listener)
        return listener

    def remove_listener(self, listener: Callable[..., Any]) -> None:
        """Call it no more. Raises ValueError if it does not listen."""
        self.listeners.remove(listener)

    def fire(self, **arguments: Any) -> None:
        """Tell every listener."""
        self.tell(**arguments)

    def tell(self, **arguments: Any) -> None:
        """Tell every listener, and do nothing else."""
        for listener in tuple(self.listeners):
            try:
                listener(**arguments)
            except Flow:
                raise
            except AUTHOR_FAULT as raised:
                note_listener_fault(self.name, raised)


class RequestHook(EventHook):
    """The hook of calls. A script that fires it records a sample by that; swell's own clients only tell."""

    __slots__ = ()

    def fire(self, **arguments: Any) -> None:
        """Record a call that the script has made and timed itself, and tell every listener.

        `request_type` (shown as the method), `name`, `response_time` (ms), `response_length` (bytes), `exception` (an
        exception or a text; None: it went well), `context`; listeners are given whatever else there is, too. In a
        process that runs no users nothing is recorded.
        """
        desk = desk_here()
        if desk is not None:
            record_fired(desk, **arguments)
        self.tell(**arguments)


class Events:
    """All hooks. `swell.events` is the one instance of a process; `environment.events` is the same."""

    def __init__(self) -> None:
        self.request = RequestHook("request")
        """request_type, name, response_time (ms), response_length, response, context, exception, start_time, url"""
        self.user_error = EventHook("user_error")
        """user_instance, exception, tb"""
        self.report_to_master = EventHook("report_to_master")
        """client_id, data (a dict to add to)"""
        self.worker_report = EventHook("worker_report")
        """client_id, data"""
        self.worker_connect = EventHook("worker_connect")
        """client_id"""
        self.spawning_complete = EventHook("spawning_complete")
        """user_count"""
        self.quitting = EventHook("quitting")
        """environment"""
        self.quit = EventHook("quit")
        """exit_code"""
        self.init = EventHook("init")
        """environment, runner, web_ui"""
        self.init_command_line_parser = EventHook("init_command_line_parser")
        """parser"""
        self.test_start = EventHook("test_start")
        """environment"""
        self.test_stopping = EventHook("test_stopping")
        """environment"""
        self.test_stop = EventHook("test_stop")
        """environment"""
        self.reset_stats = EventHook("reset_stats")
        """no arguments"""
        self.cpu_warning = EventHook("cpu_warning")
        """environment, cpu_usage (percent), message, timestamp"""
        self.heartbeat_sent = EventHook("heartbeat_sent")
        """client_id, timestamp (seconds since the epoch)"""
        self.heartbeat_received = EventHook("heartbeat_received")
        """client_id, timestamp (seconds since the epoch)"""
        self.usage_monitor = EventHook("usage_monitor")
        """environment, cpu_usage (percent), memory_usage (bytes)"""

    def __repr__(self) -> str:
        heard = [hook.name for hook in vars(self).values() if hook.listeners]
        return f"<Events, listened to: {', '.join(heard) or 'none'}>"


def note_listener_fault(hook: str, raised: BaseException) -> None:
    """Count a listener's fault: in the result where this process records, and by text; log each text once."""
    message, trace = author_trace(raised)
    text = f"events.{hook}: {message}"
    if text not in listener_faults and len(listener_faults) >= FAULTS_MOST:
        text = "(others)"
    if text not in listener_faults:
        logging.getLogger("swell.script").error("a listener failed: %s\n%s", text, trace)
    listener_faults[text] += 1
    desk = desk_here()
    if desk is not None:
        desk.recorder.exception(text, trace)


events = Events()
