"""Messages that have the right types and the worst values, made from the types themselves."""

from __future__ import annotations

import enum
import random
import types
import typing
from typing import Any

import msgspec

from tests.cluster.simulated import RUN

INTS = [0, 1, 2, 5, 100, 1_000, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 63) - 1, -1, -(1 << 63), (1 << 64) - 1]
FLOATS = [0.0, 1.0, -1.0, 5e9, 1e15, -1e15, 1e-300, 1e308, float("inf"), float("-inf"), float("nan")]
TEXTS = ["", RUN, "Contestant", "0.1", "GET", "x" * 5_000, "\x00", "\u202e"]
BYTE_COUNTS = [0, 0, 4, 8, 16, 24, 32, 68, 7]
SANE = 0.95
"""So many numbers are small ones."""


class Maker:
    """Makes values of types."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def make(self, wanted: Any) -> Any:
        """A value that an instance of the type may hold in memory; decoding may refuse it."""
        origin, arguments = typing.get_origin(wanted), typing.get_args(wanted)
        if origin is typing.Annotated:
            return self.make(arguments[0])
        if origin in (types.UnionType, typing.Union):
            return self.make(self._chance.choice(arguments))
        if origin is tuple:
            return tuple(map(self.make, self._members(arguments)))
        if origin is dict:
            return {}
        if issubclass(wanted, enum.Enum):
            return self._chance.choice(list(wanted))
        if issubclass(wanted, msgspec.Struct):
            return self._struct(wanted)
        return self._simple(wanted)

    def _members(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        if arguments[1:] == (Ellipsis,):
            return (arguments[0],) * self._chance.choice([0, 0, 1, 1, 2, 3])
        return arguments

    def _struct(self, wanted: type[msgspec.Struct]) -> msgspec.Struct:
        hints = typing.get_type_hints(wanted, include_extras=True)
        required = [field.name for field in msgspec.structs.fields(wanted) if field.required]
        given = [name for name in wanted.__struct_fields__ if name in required or self._chance.random() < 0.4]
        return wanted(**{name: self.make(hints[name]) for name in given})

    def _simple(self, wanted: Any) -> Any:
        if wanted is int:
            return self._chance.randrange(50) if self._chance.random() < SANE else self._chance.choice(INTS)
        if wanted is float:
            return self._chance.random() if self._chance.random() < SANE else self._chance.choice(FLOATS)
        if wanted is bytes:
            return self._chance.randbytes(self._chance.choice(BYTE_COUNTS))
        return {str: self._chance.choice(TEXTS), bool: self._chance.random() < 0.5, types.NoneType: None}[wanted]
