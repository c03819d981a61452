"""What an option is: one declaration, from which everything about it comes."""

from __future__ import annotations

import dataclasses
import enum
from typing import Generic, TypeVar

from swell.cli.values import Kind

T_co = TypeVar("T_co", covariant=True)


class Section(enum.Enum):
    """The heading that an option stands under."""

    TARGET = "The target"
    LOAD = "The load"
    SCRIPT = "The script"
    MACHINE = "This machine"
    CLUSTER = "Other machines"
    RESULT = "The result"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Option(Generic[T_co]):
    """One option. `name` is the flag without its dashes and the key in a config file."""

    name: str
    kind: Kind[T_co]
    default: T_co
    help: str
    section: Section
    short: str = ""
    metavar: str = ""
    default_text: str = ""
    """What to say of a default that depends on something."""
    commands: tuple[str, ...] = ("run",)
    in_config: bool = True
    adds_up: bool = False
    """Of a list: every place that has it counts, not the first alone."""

    @property
    def flag(self) -> str:
        return f"--{self.name}"

    @property
    def flags(self) -> tuple[str, ...]:
        return (self.short, self.flag) if self.short else (self.flag,)

    @property
    def variable(self) -> str:
        return "SWELL_" + self.name.replace("-", "_").upper()

    @property
    def shown_metavar(self) -> str:
        return self.metavar or self.kind.metavar

    @property
    def shown_default(self) -> str:
        if self.default_text:
            return self.default_text
        if self.kind.is_flag:
            return "off"
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default or "")
