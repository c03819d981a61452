"""Reads a page of a run as a browser's parser would, for tests: its elements, texts and data."""

from __future__ import annotations

import dataclasses
import json
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "link", "input", "br", "path"}
CLOSES_ITSELF = {"td", "th", "tr", "thead", "tbody", "li", "p", "caption"}
"""Elements whose end may be left out."""


@dataclasses.dataclass
class PageReader(HTMLParser):
    """What is on a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attributes}))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attributes}))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open[-1] != tag:
            left = self._open.pop()
            assert left in CLOSES_ITSELF, f"<{left}> is still open at </{tag}>"
        assert self._open, f"</{tag}> closes nothing"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            self.scripts[-1] += data
        elif self._open and self._open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        """Everything that can be read, with single spaces."""
        return " ".join(" ".join(self.texts).split())

    @property
    def run(self) -> dict[str, Any]:
        """The data of the charts."""
        found: dict[str, Any] = json.loads(self.scripts[0])
        return found

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every such element."""
        return [attributes for name, attributes in self.tags if name == tag]
