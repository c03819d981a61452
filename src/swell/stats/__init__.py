"""Counts put together: merging what workers report, windows of time, the summary. Pure: it is given the time."""
