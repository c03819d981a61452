"""Who gets what: splits the run's numbering among workers. Pure; the shares of all workers together are everything."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

from swell.load.shares import Share, deal


def place(capacities: Mapping[int, float]) -> dict[int, Share]:
    """The share of each worker, evenly: capacities are measured, and count, when workers are on several machines."""
    workers = sorted(capacities)
    return dict(zip(workers, deal(len(workers)), strict=True)) if workers else {}


def inherit(left: Share, heirs: Mapping[int, Share]) -> dict[int, Share]:
    """The new shares of `heirs`, who take over evenly what a worker has left that will not be replaced."""
    parts = {worker: list(share.residues) for worker, share in heirs.items()}
    for residue, worker in zip(left.residues, cycle(sorted(heirs)), strict=False):
        parts[worker].append(residue)
    return {worker: Share(left.modulus, tuple(sorted(residues))) for worker, residues in parts.items()}
