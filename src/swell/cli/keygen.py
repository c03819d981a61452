"""`swell keygen`: makes the key that the machines of a cluster know each other by."""

from __future__ import annotations

from pathlib import Path

from swell.cluster.key import new_key, write_key


def make_key(file: str) -> int:
    """Write a new key, and say what to do with it."""
    write_key(Path(file), new_key())
    print(f"{file}: a new key. Copy it to each machine of the cluster, and name it there with `--key`.")
    return 0
