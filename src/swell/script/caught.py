"""`catch_response=True`: the script says whether a call went well, and it is recorded at the end of the block."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Literal

from swell.http.response import Response
from swell.script.flow import AUTHOR_FAULT, Flow
from swell.script.samples import Sample, fail, succeed


class CaughtResponse(Response):
    """A response whose outcome is open until its `with` block ends; if the script says nothing, its status decides."""

    __slots__ = ()
    owner: Verdict

    def success(self) -> None:
        """Count the call as successful, whatever its status."""
        self.owner.said = True

    def failure(self, reason: str | BaseException) -> None:
        """Count the call as failed, with this reason in the results."""
        self.owner.said = reason

    def __enter__(self) -> CaughtResponse:
        self.owner.entered(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
        if isinstance(error, AUTHOR_FAULT) and not isinstance(error, Flow):
            self.owner.said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        self.owner.settle(self)


class Verdict:
    """What the script has said about a caught response so far: True, a reason for its failure, or nothing (None)."""

    __slots__ = ("_sample", "_settled", "entered", "said")

    def __init__(self, sample: Sample, entered: Callable[[CaughtResponse], None]) -> None:
        self._sample = sample
        self._settled = False
        self.entered = entered
        """To be called when the block begins."""
        self.said: Literal[True] | str | BaseException | None = None

    @property
    def is_open(self) -> bool:
        """Whether the call is still to be recorded."""
        return not self._settled

    def settle(self, response: Response) -> None:
        """Record the call, once, as the script said or else as its status says."""
        if self._settled:
            return
        self._settled = True
        if self.said is None:
            settle(self._sample, response)
        elif self.said is True:
            succeed(self._sample, response)
        else:
            fail(self._sample, response, self.said)


def settle(sample: Sample, response: Response) -> None:
    """Record a call as its error and status say."""
    if response.error:
        fail(sample, response, response.error)
    elif response.status_code >= 400:
        fail(sample, response, f"HTTP {response.status_code}")
    else:
        succeed(sample, response)
