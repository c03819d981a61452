"""Workers that carry different loads, played second by second: what they are dealt piles up where it is too much."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping

from swell.clock import NS_PER_S
from swell.cluster.balance_state import Balance
from swell.cluster.messages import Strain
from swell.cluster.placement import place
from swell.load.shares import Share

MOVING_S = 2
"""So long a new deal takes until all have what they are to have."""


@dataclasses.dataclass
class Player:
    """One worker."""

    pile: float = 0.0
    """Calls that should have been made."""
    done: float = 0.0

    def live(self, due: float, carries: float) -> Strain:
        """One second."""
        self.pile += due
        calls = min(self.pile, carries)
        self.pile -= calls
        self.done += calls
        return Strain(cpu=calls / carries, lag_p99_ms=1_000 * self.pile / due if due else 0.0, calls_per_s=calls)


class Cluster:
    """Workers, a load in calls per second, and a balance that deals."""

    def __init__(
        self,
        carries: Mapping[int, float],
        load_per_s: float,
        *,
        measured: Mapping[int, float] | None = None,
        scatter: float = 0.0,
        seed: int = 0,
        deals: bool = True,
    ) -> None:
        self.carries = dict(carries)
        self.load_per_s = load_per_s
        self.players = {worker: Player() for worker in carries}
        measured = measured or dict.fromkeys(carries, 0.0)
        self.balance = Balance(measured)
        self.shares: dict[int, Share] = place(measured)
        self.second = 0
        self.deals: list[int] = []
        """The seconds of all re-deals."""
        self._deals = deals
        self._next: tuple[int, dict[int, Share]] | None = None
        self._scatter = scatter
        self._random = random.Random(seed)

    def fraction(self, worker: int) -> float:
        share = self.shares[worker]
        return len(share.residues) / share.modulus

    def play(self, seconds: int, each: Callable[[], None] = lambda: None) -> Cluster:
        """Let it run."""
        for _ in range(seconds):
            self.second += 1
            now_ns = self.second * NS_PER_S
            if self._next and self.second >= self._next[0]:
                self.shares, self._next = self._next[1], None
            for worker, player in self.players.items():
                fraction = self.fraction(worker)
                carries = self.carries[worker] * (1 + self._random.uniform(-self._scatter, self._scatter))
                strain = player.live(fraction * self.load_per_s, carries)
                self.balance.felt(worker, now_ns - self._random.randrange(NS_PER_S // 10), strain, fraction)
            each()
            wanted = self.balance.wanted(now_ns)
            if wanted and self._deals:
                self.deals.append(self.second)
                self._next = self.second + MOVING_S, place(wanted, self.shares)
            self.balance.check()
        return self

    @property
    def done_per_s(self) -> float:
        """Calls made, over the whole time."""
        return sum(player.done for player in self.players.values()) / self.second
