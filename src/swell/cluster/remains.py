"""What a dead worker has left behind, as the segments that it would have sent."""

from __future__ import annotations

from pathlib import Path

from swell.cluster.spool import read_spool
from swell.segment import FIRST_SEQUENCE, Segment


def recover_segments(
    directory: Path,
    *,
    run: str,
    worker: int,
    incarnation: int,
    begin_ns: int,
    died_ns: int,
    applied: Segment | None = None,
    keep_records: bool = False,
) -> tuple[Segment, ...]:
    """Its spooled segments after `applied`, and one more for what the ring holds beyond all of them."""
    reported = applied.sequence if applied is not None else FIRST_SEQUENCE - 1
    spooled = [segment for segment in read_spool(directory) if segment.sequence > reported]
    last = spooled[-1] if spooled else applied
    if last is not None and last.final:
        return tuple(spooled)
    from swell.runtime.recover import recover

    rest = recover(
        directory,
        run=run,
        worker=worker,
        incarnation=incarnation,
        begin_ns=begin_ns,
        died_ns=died_ns,
        after=last,
        keep_records=keep_records,
    )
    return (*spooled, rest) if rest is not None else tuple(spooled)
