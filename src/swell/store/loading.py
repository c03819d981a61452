"""The journal of a stored run, put together again from its rows."""

from __future__ import annotations

import datetime
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from swell.result import Block, ErrorSeen, HealthSpan
from swell.stats import packed
from swell.stats.journal import KeptSamples, MergeJournal, SeriesError, Worker, WorkerJournal, WorkerNumbers
from swell.stats.per_second import Chunk
from swell.store import values
from swell.store.values import Instant, Place, decode

T = TypeVar("T")
Query = sqlite3.Connection


def load_journal(connection: Query, row: sqlite3.Row) -> MergeJournal:
    """The journal of the run in a row of `run`, within a transaction."""
    number: int = row["number"]
    state = decode(values.MERGE_STATE, row["merge"])
    return MergeJournal(
        run=row["id"],
        plan=decode(values.PLAN, row["plan"]),
        started_at=datetime.datetime.fromisoformat(row["started_at"]),
        state=state,
        revisions=_named(connection, number, "revision", values.REVISION),
        series=_named(connection, number, "series", values.SERIES),
        measures=_named(connection, number, "measure", values.SERIES),
        errors=_named(connection, number, "error", values.TEXT),
        exceptions=_named(connection, number, "exception", values.EXCEPTION),
        samples=_samples(connection, number),
        errors_seen=_errors_seen(connection, number),
        blocks=_blocks(connection, number),
        users=_users(connection, number, len(state.scenarios)),
        workers=_workers(connection, number),
    )


def _named(connection: Query, run: int, sort: str, decoder: msgspec.msgpack.Decoder[T]) -> tuple[T, ...]:
    rows = connection.execute("SELECT value FROM named WHERE run = ? AND sort = ? ORDER BY place", (run, sort))
    return tuple(decode(decoder, value) for (value,) in rows)


def _samples(connection: Query, run: int) -> dict[SeriesError, KeptSamples]:
    rows = connection.execute("SELECT series, error, value FROM sample WHERE run = ?", (run,))
    return {_typed((series, error), SeriesError): decode(values.SAMPLES, value) for series, error, value in rows}


def _errors_seen(connection: Query, run: int) -> tuple[ErrorSeen, ...]:
    columns = "series, error, count, first_s, last_s"
    rows = connection.execute(f"SELECT {columns} FROM error_seen WHERE run = ? ORDER BY place", (run,))
    return tuple(ErrorSeen(*_typed(row, tuple[Place, Place, int, Instant, Instant])) for row in rows)


def _blocks(connection: Query, run: int) -> tuple[Block, ...]:
    rows = connection.execute("SELECT from_s, to_s, counts FROM block WHERE run = ? ORDER BY from_s", (run,))
    blocks = tuple(Block(*_typed(row, tuple[Place, Place, bytes])) for row in rows)
    for block in blocks:
        packed.check(block)
    return blocks


def _users(connection: Query, run: int, scenarios: int) -> tuple[dict[int, Chunk], ...]:
    found: list[dict[int, Chunk]] = [{} for _ in range(scenarios)]
    rows = connection.execute("SELECT scenario, minute, value FROM users WHERE run = ? ORDER BY minute", (run,))
    for scenario, minute, value in rows:
        found[_typed(scenario, Place)][_typed(minute, Place)] = decode(values.CHUNK, value)
    return tuple(found)


def _workers(connection: Query, run: int) -> dict[Worker, WorkerJournal]:
    numbers = {
        worker: decode(values.WORKER_NUMBERS, value)
        for worker, value in _of_workers(connection, run, "worker_numbers", "value")
    }
    health: dict[Worker, list[HealthSpan]] = defaultdict(list)
    for worker, value in _of_workers(connection, run, "worker_health", "value", "place"):
        health[worker].append(decode(values.HEALTH_SPAN, value))
    calls: dict[Worker, dict[int, Chunk]] = defaultdict(dict)
    for worker, minute, value in _of_workers(connection, run, "worker_calls", "minute, value", "minute"):
        calls[worker][_typed(minute, Place)] = decode(values.CHUNK, value)
    return {
        worker: WorkerJournal(
            state=decode(values.WORKER_STATE, state),
            numbers=numbers.get(worker, WorkerNumbers()),
            held=decode(values.SEGMENTS, held),
            health=tuple(health[worker]),
            thinned=_typed(thinned, int),
            calls=calls[worker],
        )
        for worker, state, held, thinned in _of_workers(connection, run, "worker", "state, held, thinned")
    }


def _of_workers(
    connection: Query, run: int, table: str, columns: str, order: str = "worker"
) -> Iterator[tuple[Any, ...]]:
    rows = connection.execute(
        f"SELECT worker, incarnation, {columns} FROM {table} WHERE run = ? ORDER BY worker, incarnation, {order}",
        (run,),
    )
    yield from ((_typed(row[:2], Worker), *row[2:]) for row in rows)


def _typed(value: Any, kind: Any) -> Any:
    """What lies in columns, as the type that it was written as. Raises ValidationError where it is of another."""
    return msgspec.convert(value, kind)
