"""What the target saw of users: who was active, and when, as which worker's, by its clock and in its log's order."""

from __future__ import annotations

import collections
import dataclasses
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import parse_qs, urlsplit

from tests.targets.nginx import LogLine


@dataclasses.dataclass(frozen=True, slots=True)
class Sighting:
    """One request in the target's log. `incarnation` is `worker.incarnation`; `place` is its place in the log."""

    place: int
    at_s: float
    request_id: str
    incarnation: str
    user: int
    arrival: str
    kind: str = ""
    """The user's class, where it says it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Stay:
    """A user with one incarnation, from a first request to a last, without a longer pause. It may come back."""

    user: int
    incarnation: str
    first: Sighting
    last: Sighting


PAUSE_S = 0.3
"""Users of the fault tests are never silent for so long, unless they or their worker stand still, or they are gone."""


def sightings(log: Iterable[LogLine]) -> list[Sighting]:
    """The log of a run with request ids whose users say who they are."""
    return [_sighting(place, line) for place, line in enumerate(log)]


def _sighting(place: int, line: LogLine) -> Sighting:
    said = parse_qs(urlsplit(line.target).query)
    return Sighting(
        place=place,
        at_s=line.time_s,
        request_id=line.request_id,
        incarnation=line.request_id.split("/")[1],
        user=int(said["user"][0]),
        arrival=said.get("arrival", [""])[0],
        kind=said.get("kind", [""])[0],
    )


def stays(seen: Iterable[Sighting]) -> list[Stay]:
    """All stays of all users, by their first requests."""
    found: list[Stay] = []
    latest: dict[tuple[int, str], int] = {}
    for one in seen:
        at = latest.get((one.user, one.incarnation))
        if at is not None and one.at_s - found[at].last.at_s <= PAUSE_S:
            found[at] = dataclasses.replace(found[at], last=one)
        else:
            latest[one.user, one.incarnation] = len(found)
            found.append(Stay(one.user, one.incarnation, one, one))
    return found


def most_at_once(seen: Iterable[Sighting]) -> int:
    """How many users were active at the same time, at most; whoever is active twice counts twice."""
    steps = [step for stay in stays(seen) for step in ((stay.first.place, 1), (stay.last.place + 0.5, -1))]
    users = most = 0
    for _, change in sorted(steps):
        users += change
        most = max(most, users)
    return most


def faults_of_load(seen: Sequence[Sighting], users: int) -> list[str]:
    """Where there was more load than planned: a user beyond the plan, one who is two at the same time, an arrival that
    was started twice."""
    return [*_beyond(seen, users), *_doubles(seen), *_repeated_arrivals(seen)]


def _beyond(seen: Sequence[Sighting], users: int) -> Iterator[str]:
    if not any(one.arrival for one in seen) and (most := most_at_once(seen)) > users:
        yield f"{most} users at once, of {users} planned"


def _doubles(seen: Sequence[Sighting]) -> Iterator[str]:
    latest: dict[int, Stay] = {}
    for stay in stays(seen):
        before = latest.get(stay.user)
        if before is not None and stay.first.place < before.last.place:
            over_ms = 1e3 * (before.last.at_s - stay.first.at_s)
            both = f"as {stay.incarnation}'s, and {over_ms:.0f} ms on as {before.incarnation}'s"
            yield f"user {stay.user} is active {both}"
        if before is None or stay.last.place > before.last.place:
            latest[stay.user] = stay


def _repeated_arrivals(seen: Sequence[Sighting]) -> Iterator[str]:
    by = collections.defaultdict(list)
    for one in seen:
        if one.arrival:
            by[one.arrival].append(one.incarnation)
    for arrival, starters in by.items():
        if len(starters) > 1:
            yield f"arrival {arrival} is started by {' and '.join(starters)}"


def away_s(seen: Sequence[Sighting], users: int) -> float:
    """For how long one of `users` was not seen, at most, between the moment when all had come and the end."""
    first_s = {}
    last_s = {}
    longest_s = 0.0
    for one in seen:
        first_s.setdefault(one.user, one.at_s)
        if len(first_s) == users:
            longest_s = max(longest_s, one.at_s - last_s.get(one.user, one.at_s))
        last_s[one.user] = one.at_s
    if len(first_s) < users:
        return math.inf
    return max(longest_s, *(seen[-1].at_s - at_s for at_s in last_s.values()))


def back_after_s(seen: Sequence[Sighting], users: int, fault_s: float, until_s: float, pause_s: float = 1.0) -> float:
    """How long after `fault_s` the last of `users` was back who had not been seen for over `pause_s`; 0.0: nobody was
    missed. Infinite where somebody never came back. Instants are the target's."""
    times_s = collections.defaultdict(list)
    for one in seen:
        times_s[one.user].append(one.at_s)
    back_s = fault_s
    for user in range(users):
        instants_s = [fault_s - pause_s, *times_s[user]]
        if until_s - instants_s[-1] > pause_s:
            return math.inf
        for before_s, after_s in itertools.pairwise(instants_s):
            if after_s - before_s > pause_s and after_s > fault_s:
                back_s = max(back_s, after_s)
    return back_s - fault_s
