"""Which scenario user n belongs to: the fixed counts first, then by weight, true at every moment of the ramp."""

from __future__ import annotations

from collections.abc import Sequence

from swell.load.interleave import Interleave
from swell.plan import Scenario


class Mix:
    """The scenario of every user, a pure function of its number: workers need not agree on anything else."""

    def __init__(self, scenarios: Sequence[Scenario]) -> None:
        fixed = [scenario.fixed_count for scenario in scenarios]
        weights = [0.0 if scenario.fixed_count else scenario.weight for scenario in scenarios]
        self._names = tuple(scenario.name for scenario in scenarios)
        self._fixed_users = sum(fixed)
        self._fixed = Interleave(fixed) if any(fixed) else None
        self._weighted = Interleave(weights) if any(weights) else None

    def __repr__(self) -> str:
        return f"<Mix of {', '.join(self._names)}, {self._fixed_users} users of fixed count first>"

    @property
    def most_users(self) -> int | None:
        """How many users there can be, where every scenario has a fixed count; None: any number."""
        return self._fixed_users if self._weighted is None else None

    def counts(self, users: int) -> dict[str, int]:
        """How many of the first `users` each scenario has, as far as there are so many."""
        fixed = self._fixed.counts(min(users, self._fixed_users)) if self._fixed else [0] * len(self._names)
        rest = max(users - self._fixed_users, 0)
        weighted = self._weighted.counts(rest) if self._weighted else [0] * len(self._names)
        return {name: one + other for name, one, other in zip(self._names, fixed, weighted, strict=True)}

    def scenario_of(self, user: int) -> str:
        """The scenario of user `user`, counted from 0. Raises IndexError beyond `most_users`."""
        if self._fixed is not None and user < self._fixed_users:
            return self._names[self._fixed[user]]
        if self._weighted is None:
            raise IndexError(f"there is no user {user}: all {self._fixed_users} have a fixed count")
        return self._names[self._weighted[user - self._fixed_users]]
