"""Makes blocking code cooperate in a process that is about to load a script. Importing swell patches nothing."""

from __future__ import annotations


def patch() -> None:
    """Patch the standard library for gevent. To be called before anything that the script may import is imported.

    For each module that it patches, gevent looks through the entry points of all installed packages for plugins of its
    own, twice: 60 of 110 ms, in each process. Nobody is told here.
    """
    from gevent import events, monkey

    if monkey.is_module_patched("socket"):
        return
    tell_plugins = events.notify_and_call_entry_points
    events.notify_and_call_entry_points = events.notify
    try:
        monkey.patch_all()
    finally:
        events.notify_and_call_entry_points = tell_plugins
