"""Log records go to standard error, whatever that is at the moment: a live view or a worker's link may stand in."""

from __future__ import annotations

import logging
import sys


class StderrLog(logging.Handler):
    """Writes to what `sys.stderr` is when a record comes."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            print(self.format(record), file=sys.stderr)
        except RecursionError:
            raise
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            self.handleError(record)


def start_logging(level: str) -> None:
    """Have everything shown that is logged from `level` on."""
    handler = StderrLog()
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
