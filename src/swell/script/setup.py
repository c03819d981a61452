"""`@setup`: a function of the script that runs once, in the controller, and whose value every user shares."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from swell.errors import Problem, ScriptError
from swell.script.environment import Environment
from swell.script.flow import LOADING_FAULT
from swell.script.traces import author_trace, place_of

_SETUP = "_swell_setup"
F = TypeVar("F", bound=Callable[..., Any])


def setup(function: F) -> F:
    """Run this function once, before the first user starts; what it returns is `self.shared` in every user.

    It may take one argument, the environment. Its value travels to the workers, so it must be made of None, booleans,
    numbers, texts, bytes, dates, lists and dicts.
    """
    setattr(function, _SETUP, True)
    return function


def is_setup(value: object) -> bool:
    """Whether it is a function with @setup."""
    return inspect.isfunction(value) and hasattr(value, _SETUP)


def run_setup(function: Callable[..., Any], environment: Environment) -> object:
    """Call it and give what a user will see: the value as it comes out of MessagePack. Raises ScriptError."""
    try:
        takes_environment = bool(inspect.signature(function).parameters)
        value = function(environment) if takes_environment else function()
    except LOADING_FAULT as raised:
        message, trace = author_trace(raised)
        raise ScriptError(Problem(f"@setup failed: {message}", place_of(raised)), trace) from raised
    return _as_sent(value, function.__name__)


def _as_sent(value: object, name: str) -> object:
    try:
        return msgspec.msgpack.decode(msgspec.msgpack.encode(value), strict=False)
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise ScriptError(
            Problem(
                f"the value of @setup cannot be sent to the workers: {error}",
                f"{name}()",
                "return None, booleans, numbers, texts, bytes, dates, lists or dicts of these",
            )
        ) from error
