"""The account of a run: what its result says it sent, against the log of the target and what users themselves noted.

For each incarnation of a worker: finished <= answered <= the target's log <= sent. Where the result says that some is
unaccounted for, about so much may be missing from `answered` and `sent`: what a machine did before it was lost nobody
can know exactly. Never is anything counted that was not there.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.faults.lab.sightings import Sighting

Result = Mapping[str, Any]
ESTIMATE = 1.3
"""How much more than the result says may be unaccounted for."""


def incarnations(result: Result) -> dict[str, dict[str, Any]]:
    """Every incarnation in a result, by its name in the request ids."""
    return {f"{worker['id']}.{worker['incarnation']}": worker for worker in result["workers"]}


def lost_incarnations(result: Result) -> set[str]:
    """Those that the result says were lost."""
    return {name for name, worker in incarnations(result).items() if worker["lost_at_s"] is not None}


def faults_of_account(result: Result, seen: Sequence[Sighting], finished: Mapping[str, int]) -> list[str]:
    """Where the account does not hold. `finished`: the calls that users of each incarnation know they have finished."""
    return [*_of_ids(result, seen), *_of_incarnations(result, seen, finished), *_of_totals(result)]


def _of_ids(result: Result, seen: Sequence[Sighting]) -> Iterator[str]:
    again = [name for name, count in collections.Counter(one.request_id for one in seen).items() if count > 1]
    if len(again) > result["accounting"]["retried"]:
        yield f"the target has seen {', '.join(again)} more than once"
    if strangers := {one.incarnation for one in seen} - set(incarnations(result)):
        yield f"the target has seen {', '.join(sorted(strangers))}, of whom the result knows nothing"


def _of_incarnations(result: Result, seen: Sequence[Sighting], finished: Mapping[str, int]) -> Iterator[str]:
    logged = collections.Counter(one.incarnation for one in seen)
    for name, worker in incarnations(result).items():
        answered, sent, unknown = worker["answered"], worker["sent"], worker["unaccounted"]
        missing = ESTIMATE * unknown
        if finished.get(name, 0) > answered + missing:
            yield f"{name}: {finished[name]} finished, {answered} answered, {unknown} unaccounted for"
        if answered > logged[name]:
            yield f"{name}: {answered} answered, {logged[name]} in the target's log"
        if logged[name] > sent + missing:
            yield f"{name}: {logged[name]} in the target's log, {sent} sent, {unknown} unaccounted for"


def _of_totals(result: Result) -> Iterator[str]:
    for key in ("sent", "answered", "unanswered", "unaccounted"):
        total, summed = result["accounting"][key], sum(worker[key] for worker in result["workers"])
        if total != summed:
            yield f"{total} {key}, of the workers {summed}"
    accounting = result["accounting"]
    if (requests := result["totals"]["requests"]) > (sent := accounting["sent"]) + (unsent := accounting["not_sent"]):
        yield f"{requests} requests, {sent} sent, {unsent} not sent"
    if result["accounting"]["unaccounted"] and "unaccounted" not in codes(result):
        yield "something is unaccounted for, and the verdict does not say so"


def codes(result: Result) -> set[str]:
    """The verdict's reasons."""
    return {reason["code"] for reason in result["verdict"]["reasons"]}
