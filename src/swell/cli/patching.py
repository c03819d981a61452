"""Makes blocking code cooperate in a process that is about to load a script. Importing swell patches nothing.

gevent asks every installed distribution, for each module that it patches, whether it has a plugin for that. Reading
all their entry points a dozen times took 60 to 300 ms, the rest of the patching 25 ms: nobody is asked.
"""

from __future__ import annotations


def patch() -> None:
    """Patch the standard library for gevent. To be called before anything that the script may import is imported."""
    from gevent import events, monkey

    if monkey.is_module_patched("socket"):
        return
    ask_plugins = events.notify_and_call_entry_points
    events.notify_and_call_entry_points = events.notify
    try:
        monkey.patch_all()
    finally:
        events.notify_and_call_entry_points = ask_plugins
