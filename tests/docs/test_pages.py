"""The pages for users are true: their scripts load, their options exist, their links lead somewhere."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from swell.cli.commands import swell as command
from swell.cli.options import ALL
from swell.cli.store_options import BY_COMMAND

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "design" not in path.parts)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"swell (run|worker|debug|demo|doctor|runs|show|report|compare)\b([^`\n]*)")
FLAG = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")
LOAD = """
import sys
from swell.cli.patching import patch
patch()
from swell.errors import PlanError
from swell.script.loader import load
for path in sys.argv[1:]:
    try:
        load(path)
    except PlanError as error:
        print(path, error)
"""


class Block(NamedTuple):
    place: str
    language: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(f"{page.relative_to(DOCS)}:{line}", found[1], found[2])


def known_flags(name: str) -> set[str]:
    inner = getattr(command.commands[name], "commands", {}).values()
    parameters = (parameter for each in (command.commands[name], *inner) for parameter in each.params)
    return {"--help", *(flag for parameter in parameters for flag in parameter.opts)}


def test_every_python_block_compiles() -> None:
    for page in PAGES:
        for block in blocks(page):
            if block.language == "python":
                compile(block.text, block.place, "exec")


@pytest.mark.timeout(60)
def test_every_script_of_the_pages_loads(tmp_path: Path) -> None:
    scripts = [
        block
        for page in PAGES
        for block in blocks(page)
        if block.language == "python" and re.search(r"^class \w+\((\w*User)\)", block.text, re.MULTILINE)
    ]
    paths = []
    for number, script in enumerate(scripts):
        path = tmp_path / f"script_{number}_of_{re.sub(r'[^a-z0-9]', '_', script.place)}.py"
        path.write_text(script.text)
        paths.append(str(path))
    run = subprocess.run([sys.executable, "-c", LOAD, *paths], capture_output=True, text=True, check=False)
    assert (run.stdout, run.stderr) == ("", "")
    assert len(scripts) >= 8


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_option_of_a_command_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    declared = set(re.findall(r'add_argument\("(--[\w-]+)"', text))
    assert [
        f"{name} {flag}"
        for name, words in COMMAND.findall(text)
        for flag in FLAG.findall(words)
        if flag not in known_flags(name) | declared
    ] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_flag_that_stands_alone_is_one_of_ours(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    of_runs = [option for known in BY_COMMAND.values() for option in known]
    ours = {flag for option in [*ALL, *of_runs] for flag in option.flags} | {"--help", "--version", "--ulimit"}
    assert [flag for flag in re.findall(r"`(--?[a-zA-Z][\w-]*)[^`]*`", text) if flag not in ours] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        path = (page.parent / target).resolve() if target else page
        headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE) if path.is_file() else []
        if not path.is_file() or (anchor and anchor not in {slug(heading) for heading in headings}):
            dead.append(f"{target}#{anchor}")
    assert dead == []


def slug(heading: str) -> str:
    """As the common renderers of Markdown make anchors."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
