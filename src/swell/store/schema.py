"""What is where in the file of a store.

A run is a row of `run`; every other table holds parts of runs, and goes with them. What people and SQL may ask for has
columns of its own; the rest is MessagePack (`values.py`), and counts are packed (`stats/packing.py`).
"""

from __future__ import annotations

APPLICATION_ID = 0x7377656C
"""`swel`: SQLite keeps it in the header, so that the file can be told from any other application's."""
VERSION = 1
"""Raised when an older swell would misunderstand the file; more columns and keys do not."""

TABLES = """
CREATE TABLE run (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    state TEXT NOT NULL,          -- running, or how it ended
    started_at TEXT NOT NULL,     -- ISO 8601
    swell TEXT NOT NULL,          -- the version that wrote it
    script TEXT NOT NULL,
    script_sha256 TEXT NOT NULL,
    script_text BLOB NOT NULL,
    target TEXT NOT NULL,
    plan BLOB NOT NULL,
    pages INTEGER NOT NULL,       -- how often it has been written
    at_s REAL NOT NULL,           -- the instant on its clock up to which it is here
    duration_s REAL NOT NULL,
    requests INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    p95_ms REAL,
    verdict TEXT NOT NULL,
    thresholds BLOB NOT NULL,
    merge BLOB NOT NULL,
    cluster BLOB NOT NULL,        -- for a controller that takes the run up, nil before it began and once it is over
    boot TEXT NOT NULL,           -- which start of the controller's machine its clock counts from
    workplace TEXT NOT NULL       -- where the workers of that machine have their files
);
CREATE INDEX run_by_start ON run (started_at);
CREATE TABLE tag (
    run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (run, tag)
) WITHOUT ROWID;
CREATE TABLE named (               -- series, measures, errors, exceptions, revisions by their numbers
    run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    sort TEXT NOT NULL,
    place INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (run, sort, place)
);
CREATE TABLE block (               -- all counts of [from_s, to_s)
    run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    from_s INTEGER NOT NULL,
    to_s INTEGER NOT NULL,
    counts BLOB NOT NULL,
    PRIMARY KEY (run, from_s)
);
CREATE TABLE error_seen (
    run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    place INTEGER NOT NULL,
    series INTEGER NOT NULL,
    error INTEGER NOT NULL,
    count INTEGER NOT NULL,
    first_s REAL NOT NULL,
    last_s REAL NOT NULL,
    PRIMARY KEY (run, place)
) WITHOUT ROWID;
CREATE TABLE sample (              -- what failed calls looked like
    run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    series INTEGER NOT NULL,
    error INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (run, series, error)
);
CREATE TABLE users (               -- a minute of how the users of a scenario change
    run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    scenario INTEGER NOT NULL,
    minute INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (run, scenario, minute)
) WITHOUT ROWID;
CREATE TABLE worker (
    run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    worker INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    state BLOB NOT NULL,
    held BLOB NOT NULL,
    thinned INTEGER NOT NULL,
    PRIMARY KEY (run, worker, incarnation)
);
CREATE TABLE worker_numbers (      -- from a worker's numbers to the run's
    run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    worker INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (run, worker, incarnation)
);
CREATE TABLE worker_health (
    run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    worker INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    place INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (run, worker, incarnation, place)
) WITHOUT ROWID;
CREATE TABLE worker_calls (        -- a minute of the calls of a worker
    run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,
    worker INTEGER NOT NULL,
    incarnation INTEGER NOT NULL,
    minute INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (run, worker, incarnation, minute)
) WITHOUT ROWID;
"""
