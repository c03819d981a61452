"""What a script finds around it: the target, the hooks, its options, and whoever runs it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from swell.script.events import Events, events

if TYPE_CHECKING:
    from swell.script.user import User


class Runner(Protocol):
    """Whoever runs the users of this process, as far as a script may see it."""

    @property
    def environment(self) -> Environment:
        """What the script finds around it in this process."""

    @property
    def user_count(self) -> int:
        """How many users are running now: all of them in the controller, its own in a worker."""

    def quit(self) -> None:
        """End the run as Ctrl-C would."""


class Environment:
    """One per process. In a worker `runner` is its own; in the controller it is the whole run's."""

    def __init__(
        self,
        *,
        host: str = "",
        parsed_options: argparse.Namespace | None = None,
        user_classes: Sequence[type[User]] = (),
        tags: Sequence[str] = (),
        exclude_tags: Sequence[str] = (),
        runner: Runner | None = None,
        http: Any = None,
    ) -> None:
        self.host = host or None
        """The target given on the command line, or None if each class has its own."""
        self.events: Events = events
        self.parsed_options = parsed_options if parsed_options is not None else argparse.Namespace()
        """The options of the command line, those that the script declares among them."""
        self.user_classes = list(user_classes)
        self.tags = list(tags)
        self.exclude_tags = list(exclude_tags)
        self.runner = runner
        self.web_ui: Any = None
        self.process_exit_code: int | None = None
        """A listener of `quitting` may set it: the run then ends with this exit code, unless it has broken."""
        self.http = http
        """What the HTTP sessions of this process share; the worker sets it."""

    def __repr__(self) -> str:
        return f"<Environment for {self.host or 'no host'}, {len(self.user_classes)} user classes>"
