"""What a script may call its measures, and the tags of its calls."""

from __future__ import annotations

from collections.abc import Mapping


def name_of_measure(kind: str, name: object) -> str:
    """The name, if it is one. Raises TypeError or ValueError."""
    if not isinstance(name, str):
        raise TypeError(f"{kind}({name!r}): its name is a text")
    if not name.strip():
        raise ValueError(f"{kind}({name!r}): it needs a name")
    return name


def tag_text(tags: Mapping[str, object]) -> str:
    """Tags of a call as results show them: `key=value` in order of their keys, with commas between them. Raises
    TypeError where they are no dict, ValueError where such a text could be read in two ways."""
    if not isinstance(tags, Mapping):
        raise TypeError(f"tags={tags!r}: give a dict, such as {{'page': 'front'}}")
    pairs = sorted((str(key), str(value)) for key, value in tags.items())
    for key, value in pairs:
        if not key or "=" in key or "," in key + value:
            raise ValueError(f"tags: {key!r}: {value!r} has a comma, or its key is empty or has an equals sign")
    return ",".join(f"{key}={value}" for key, value in pairs)
