"""One line on how a run goes, for where there is no terminal."""

from __future__ import annotations

from swell.report.figures import clock_text, count_text, ms_text, rate_text, share_text
from swell.result import RunResult
from swell.stats.arrivals import arrivals
from swell.stats.users import users_now
from swell.stats.windows import latest

EVERY_S = 5.0
"""How often it is to be printed."""


def progress_line(result: RunResult) -> str:
    """Time, users, and what the last seconds brought."""
    window = latest(result)
    ends_s = result.plan.ends_s
    planned = f"/{clock_text(ends_s)}" if ends_s else ""
    quantiles_ms = window.quantiles_ms((0.5, 0.95, 0.99))
    times = (
        f"p50 {ms_text(quantiles_ms[0])}  p95 {ms_text(quantiles_ms[1])}  p99 {ms_text(quantiles_ms[2])} ms"
        if (quantiles_ms)
        else "no response"
    )
    failed = f"{rate_text(window.failures_per_s)} failed/s ({share_text(window.failures, max(window.requests, 1))})"
    there = users_now(result)
    users = f"{count_text(there)} {'user' if there == 1 else 'users'}"
    dropped = sum(found.dropped for found in arrivals(result))
    users += f"  {count_text(dropped)} dropped" if dropped else ""
    return f"{clock_text(result.at_s)}{planned}  {users}  {rate_text(window.rps)} req/s  {failed}  {times}"
