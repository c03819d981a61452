"""Makes blocking code cooperate in a process that is about to load a script. Importing swell patches nothing."""

from __future__ import annotations


def patch() -> None:
    """Patch the standard library for gevent. To be called before anything that the script may import is imported."""
    from gevent import monkey

    if not monkey.is_module_patched("socket"):
        monkey.patch_all()
