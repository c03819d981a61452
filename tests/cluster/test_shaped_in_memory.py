"""A shape's answers carried out by a controller and workers in this process, with scripted users."""

from __future__ import annotations

from pathlib import Path

import gevent

from swell.cluster.controller_steps import Reshaped, StopWanted
from swell.load.shape import Wanted
from swell.load_plan import user_number
from swell.plan import Scenario
from swell.result import End
from tests.cluster.test_in_memory import MemoryCluster, clusters, requests
from tests.cluster.test_shaped_course import shaped_plan

__all__ = ["clusters"]

HEAVY, JUDGE = Scenario("Heavy", weight=3.0), Scenario("Judge", fixed_count=2)


class ShapedCluster(MemoryCluster):
    """Has the next answer each time that one has been reached, a little later."""

    answers = (Wanted(10, 1_000.0), Wanted(5, 1_000.0, ("Light",)), Wanted(0, 1_000.0))

    def begun(self, begin_ns: int) -> None:
        super().begun(begin_ns)
        self._left = list(self.answers)
        self._answer()

    def spawned(self, users: int) -> None:
        super().spawned(users)
        gevent.spawn_later(0.3, self._answer)

    def _answer(self) -> None:
        self.controller.tell(Reshaped(self._left.pop(0)) if self._left else StopWanted(End.COMPLETED))


def test_users_of_each_class_come_and_go_as_the_shape_wants(clusters: list[MemoryCluster], tmp_path: Path) -> None:
    cluster = ShapedCluster(shaped_plan(HEAVY, Scenario("Light"), JUDGE), tmp_path)
    clusters.append(cluster)
    _, result = cluster.run()
    assert result.end is End.COMPLETED
    assert [text for text in cluster.heard if "spawned" in text] == ["10 spawned", "5 spawned", "0 spawned"]
    changes = [(one.load, one.from_users, one.users) for one in result.revisions]
    assert changes == [(0, 0, 6), (1, 0, 2), (2, 0, 2), (0, 6, 0), (1, 2, 5), (2, 2, 0), (1, 5, 0)]
    assert {one.name: one.started for one in result.scenarios} == {"Heavy": 6, "Light": 5, "Judge": 2}
    there = [*((0, number) for number in range(6)), *((1, number) for number in range(5)), (2, 0), (2, 1)]
    assert sorted(cluster.made) == sorted(user_number(load, number, 3) for load, number in there)
    assert requests(result) == sum(cluster.made.values())
