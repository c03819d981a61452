"""What has to be written so that a stored run becomes as its latest journal: rows to put, and rows to take away.

Parts of a journal never change, so that identity tells what is as it was (`stats/journal.py`). No state is kept but the
journal that was stored last: a time that could not be written is made up for by the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import compress, count
from operator import is_not
from typing import TypeVar

from swell.stats.journal import MergeJournal, Worker, WorkerJournal, WorkerNumbers, WorkerState
from swell.store.values import encode

K = TypeVar("K")
V = TypeVar("V")
Row = tuple[object, ...]
Change = tuple[str, list[Row]]
"""A statement, and the rows that it is to be carried out for. The first value of each is the run's number."""


def changes(run: int, old: MergeJournal, new: MergeJournal) -> Iterator[Change]:
    """All that has changed between two journals of a run."""
    yield from _named(run, old, new)
    yield from _revisions(run, old, new)
    yield from _blocks(run, old, new)
    yield from _failures(run, old, new)
    yield from _users(run, old, new)
    yield from _workers(run, old.workers, new.workers)


NAME = "INSERT OR REPLACE INTO named (run, sort, place, value) VALUES (?, ?, ?, ?)"
UNKNOWN = WorkerJournal(state=WorkerState(), numbers=WorkerNumbers())


def _named(run: int, old: MergeJournal, new: MergeJournal) -> Iterator[Change]:
    for sort, before, now in (
        ("series", old.series, new.series),
        ("measure", old.measures, new.measures),
        ("error", old.errors, new.errors),
        ("exception", old.exceptions, new.exceptions),
    ):
        rows: list[Row] = [(run, sort, place, encode(value)) for place, value in _appended(before, now)]
        yield NAME, rows


def _revisions(run: int, old: MergeJournal, new: MergeJournal) -> Iterator[Change]:
    if old.revisions is new.revisions:
        return
    put, gone = _differing(*({one.number: one for one in journal.revisions} for journal in (old, new)))
    yield "DELETE FROM named WHERE run = ? AND sort = 'revision' AND place = ?", [(run, number) for number in gone]
    yield NAME, [(run, "revision", number, encode(revision)) for number, revision in put.items()]


def _blocks(run: int, old: MergeJournal, new: MergeJournal) -> Iterator[Change]:
    alike = next(compress(count(), map(is_not, old.blocks, new.blocks)), min(len(old.blocks), len(new.blocks)))
    before, now = ({block.from_s: block for block in journal.blocks[alike:]} for journal in (old, new))
    if not before and not now:
        return
    put, gone = _differing(before, now)
    yield "DELETE FROM block WHERE run = ? AND from_s = ?", [(run, from_s) for from_s in gone]
    rows: list[Row] = [(run, block.from_s, block.to_s, block.counts) for block in put.values()]
    yield "INSERT OR REPLACE INTO block (run, from_s, to_s, counts) VALUES (?, ?, ?, ?)", rows


def _failures(run: int, old: MergeJournal, new: MergeJournal) -> Iterator[Change]:
    seen = (
        "INSERT OR REPLACE INTO error_seen (run, place, series, error, count, first_s, last_s)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
    )
    yield (
        seen,
        [
            (run, place, error.series, error.error, error.count, error.first_s, error.last_s)
            for place, error in _exchanged(old.errors_seen, new.errors_seen)
        ],
    )
    samples, _ = _differing(old.samples, new.samples)
    rows: list[Row] = [(run, series, error, encode(kept)) for (series, error), kept in samples.items()]
    yield "INSERT OR REPLACE INTO sample (run, series, error, value) VALUES (?, ?, ?, ?)", rows


def _users(run: int, old: MergeJournal, new: MergeJournal) -> Iterator[Change]:
    rows: list[Row] = []
    for scenario, chunks in enumerate(new.users):
        put, _ = _differing(old.users[scenario] if scenario < len(old.users) else {}, chunks)
        rows += [(run, scenario, minute, encode(chunk)) for minute, chunk in put.items()]
    yield "INSERT OR REPLACE INTO users (run, scenario, minute, value) VALUES (?, ?, ?, ?)", rows


def _workers(run: int, old: Mapping[Worker, WorkerJournal], new: Mapping[Worker, WorkerJournal]) -> Iterator[Change]:
    """Of all workers together: a statement costs more than a row."""
    rows: dict[str, list[Row]] = {statement: [] for statement in OF_WORKERS}
    for worker, now in new.items():
        before = old.get(worker, UNKNOWN)
        if now is not before:
            _worker(rows, (run, *worker), before, now)
    yield from rows.items()


PUT_WORKER = "INSERT OR REPLACE INTO worker (run, worker, incarnation, state, held, thinned) VALUES (?, ?, ?, ?, ?, ?)"
PUT_NUMBERS = "INSERT OR REPLACE INTO worker_numbers (run, worker, incarnation, value) VALUES (?, ?, ?, ?)"
DROP_HEALTH = "DELETE FROM worker_health WHERE run = ? AND worker = ? AND incarnation = ?"
PUT_HEALTH = "INSERT INTO worker_health (run, worker, incarnation, place, value) VALUES (?, ?, ?, ?, ?)"
DROP_CALLS = "DELETE FROM worker_calls WHERE run = ? AND worker = ? AND incarnation = ? AND minute = ?"
PUT_CALLS = "INSERT OR REPLACE INTO worker_calls (run, worker, incarnation, minute, value) VALUES (?, ?, ?, ?, ?)"
OF_WORKERS = (PUT_WORKER, PUT_NUMBERS, DROP_HEALTH, PUT_HEALTH, DROP_CALLS, PUT_CALLS)
"""In the order in which they are carried out."""


def _worker(rows: dict[str, list[Row]], key: tuple[int, int, int], old: WorkerJournal, new: WorkerJournal) -> None:
    if new.state != old.state or new.held != old.held or new.thinned != old.thinned or old is UNKNOWN:
        rows[PUT_WORKER].append((*key, encode(new.state), encode(new.held), new.thinned))
    if new.numbers is not old.numbers:
        rows[PUT_NUMBERS].append((*key, encode(new.numbers)))
    kept = old.health
    if new.thinned != old.thinned:
        kept = ()
        rows[DROP_HEALTH].append(key)
    rows[PUT_HEALTH] += [(*key, place, encode(span)) for place, span in _appended(kept, new.health)]
    put, gone = _differing(old.calls, new.calls)
    rows[DROP_CALLS] += [(*key, minute) for minute in gone]
    rows[PUT_CALLS] += [(*key, minute, encode(chunk)) for minute, chunk in put.items()]


def _appended(old: Sequence[V], new: Sequence[V]) -> Iterator[tuple[int, V]]:
    """Place and value of what has come to a sequence that only grows."""
    return enumerate(new[len(old) :], len(old))


def _exchanged(old: Sequence[V], new: Sequence[V]) -> Iterator[tuple[int, V]]:
    """Place and value of what is another one, or new, in a sequence that does not shrink."""
    places = compress(count(), map(is_not, new, old))
    yield from ((place, new[place]) for place in places)
    yield from _appended(old, new)


def _differing(old: Mapping[K, V], new: Mapping[K, V]) -> tuple[dict[K, V], list[K]]:
    """What is another one, or new; and the keys of what is gone."""
    return (
        {key: value for key, value in new.items() if old.get(key) is not value},
        [key for key in old if key not in new],
    )
