"""Who gets what: splits the run's numbering among workers. Pure; the shares of all workers together are everything."""

from __future__ import annotations

from collections.abc import Mapping

from swell.load.shares import Share, deal


def place(capacities: Mapping[int, float]) -> dict[int, Share]:
    """The share of each worker, evenly: capacities are measured, and count, when workers are on several machines."""
    workers = sorted(capacities)
    return dict(zip(workers, deal(len(workers)), strict=True)) if workers else {}
