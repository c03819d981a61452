"""Numbers that come from another process: decoding refuses what no count, instant or measurement can be.

What lies beyond 64 bits, or is no number, would be found far from where it came in: by numpy, by SQLite, by a division.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

INT64_MAX = (1 << 63) - 1

Natural = Annotated[int, msgspec.Meta(ge=0, le=INT64_MAX)]
"""A count, or a number that something is called by."""
Whole = Annotated[int, msgspec.Meta(ge=-INT64_MAX, le=INT64_MAX)]
"""An instant in ns, on whichever clock; or what else may be below 0."""
Finite = Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
"""Neither infinite nor NaN."""
