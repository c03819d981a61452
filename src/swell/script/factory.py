"""Makes users of the classes of a loaded script."""

from __future__ import annotations

from collections.abc import Sequence

from swell.script.environment import Environment
from swell.script.life import Life
from swell.script.user import User
from swell.user import Seat, SimulatedUser


class ClassFactory:
    """Makes a user of the class that a seat names."""

    def __init__(self, classes: Sequence[type[User]], environment: Environment) -> None:
        self._classes = {cls.__name__: cls for cls in classes}
        self._environment = environment

    def __repr__(self) -> str:
        return f"<ClassFactory of {', '.join(self._classes)}>"

    def make(self, seat: Seat) -> SimulatedUser:
        """A user of the class `seat.scenario`, not yet living. Raises KeyError for a class that is not there."""
        return Life(self._classes[seat.scenario], seat, self._environment)
