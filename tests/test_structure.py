"""The outer limits of shape and the rules that ruff, mypy and import-linter cannot express.

Each test lists its offenders, so that a failure reads as a list of places to mend.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SWELL = ROOT / "src" / "swell"
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60

DECIDE = ["load", "stats", "analysis", "cluster/*_state.py", "cluster/placement.py", "cluster/messages.py"]
VOCABULARY = [
    "errors.py",
    "clock.py",
    "*plan.py",
    "histogram.py",
    "user.py",
    "result.py",
    "document.py",
    "segment.py",
    "quantities.py",
]
ACTING_MODULES = {
    *("socket", "_socket", "ssl", "select", "selectors", "gevent", "greenlet", "zmq", "httptools", "asyncio"),
    *("threading", "_thread", "concurrent", "multiprocessing", "queue", "subprocess", "time", "sqlite3"),
}
CLI_ONLY_MODULES = {"signal", "gevent.monkey", "atexit"}
CLI_ONLY_NAMES = {"os.environ", "os.environb", "os.getenv", "os.putenv", "sys.argv", "sys.exit", "os._exit"}
HEAVY_MODULES = {
    *("gevent", "greenlet", "numpy", "zmq", "flask", "werkzeug", "rich", "click", "httptools", "psutil", "requests"),
    *("sqlite3", "ssl", "asyncio", "brotli", "zstandard", "certifi", "multiprocessing"),
}
POOR_NAME = re.compile(r"(Manager|Helper|Util|Utils|Handler)$|(^|_)(manager|helper|helpers|util|utils)(_|$)")
TODO_WITHOUT_ISSUE = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\s*\(?#\d+)")
BARE_TYPE_IGNORE = re.compile(r"#\s*type:\s*ignore(?!\[)")
WAIVER = re.compile(r"#\s*(noqa|ruff:|pylint:|isort:|pragma: no cover|mypy:)", re.IGNORECASE)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def place(path: Path, line: int = 0) -> str:
    return f"{path.relative_to(ROOT)}:{line}" if line else str(path.relative_to(ROOT))


def lines_that_match(pattern: re.Pattern[str], *folders: str) -> list[str]:
    return [
        place(path, number)
        for path in sources(*folders)
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def imported_modules(path: Path) -> Iterator[tuple[str, int]]:
    """Every absolute module name that a file imports, `from a import b` giving both `a` and `a.b`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def imports_of(paths: list[Path], banned: set[str]) -> list[str]:
    found = {
        (place(path, line), banned_name)
        for path in paths
        for name, line in imported_modules(path)
        for banned_name in banned
        if name == banned_name or name.startswith(banned_name + ".")
    }
    return [f"{where} imports {name}" for where, name in sorted(found)]


def files_under(patterns: list[str]) -> list[Path]:
    found = {path for pattern in patterns for path in SWELL.glob(pattern)}
    return sorted({file for path in found for file in (path.rglob("*.py") if path.is_dir() else [path])})


def test_no_file_is_longer_than_one_sitting() -> None:
    lengths = {place(path): len(path.read_text().splitlines()) for path in sources("src", "tests", "bench", "examples")}
    assert {where: lines for where, lines in lengths.items() if lines > MAX_FILE_LINES} == {}


def test_no_function_is_longer_than_one_thought() -> None:
    functions = [
        (place(path, node.lineno), node.name, (node.end_lineno or 0) - node.lineno + 1)
        for path in sources("src", "tests", "bench", "examples")
        for node in ast.walk(tree(path))
        if isinstance(node, Function)
    ]
    assert [found for found in functions if found[2] > MAX_FUNCTION_LINES] == []


def test_a_type_ignore_names_what_it_ignores() -> None:
    assert lines_that_match(BARE_TYPE_IGNORE, "src", "tests", "bench", "examples") == []


def test_no_rule_is_waived_in_the_code() -> None:
    assert lines_that_match(WAIVER, "src", "tests", "bench", "examples") == []


def test_what_is_left_to_do_has_an_issue_number() -> None:
    assert lines_that_match(TODO_WITHOUT_ISSUE, "src", "tests", "bench", "examples") == []


def test_a_name_says_what_the_thing_is() -> None:
    named = [
        (place(path, getattr(node, "lineno", 0)), name)
        for path in sources("src")
        for node, name in [
            (tree(path), path.stem),
            *((node, node.name) for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)),
        ]
    ]
    assert [found for found in named if POOR_NAME.search(found[1])] == []


def test_every_module_has_a_docstring_or_is_empty() -> None:
    modules = [path for path in sources("src") if tree(path).body]
    assert [place(path) for path in modules if ast.get_docstring(tree(path)) is None] == []


def test_deciding_code_imports_nothing_that_acts_or_waits() -> None:
    assert imports_of(files_under(DECIDE), ACTING_MODULES) == []


def test_the_vocabulary_imports_nothing_that_acts_or_waits() -> None:
    assert imports_of(files_under(VOCABULARY), ACTING_MODULES) == []


def test_only_the_command_line_touches_the_process() -> None:
    outside_cli = [path for path in sources("src") if not path.is_relative_to(SWELL / "cli")]
    touched = [
        f"{place(path, node.lineno)} uses {ast.unparse(node)}"
        for path in outside_cli
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in CLI_ONLY_NAMES
    ]
    assert imports_of(outside_cli, CLI_ONLY_MODULES | CLI_ONLY_NAMES) + touched == []


def test_every_part_has_its_place_in_the_layers() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    placed = set(re.findall(r"swell\.(\w+)", " ".join(contracts[0]["layers"])))
    parts = {path.stem for path in SWELL.glob("*.py")} | {path.parent.name for path in SWELL.glob("*/__init__.py")}
    assert sorted(parts - placed - {"__init__", "__main__", "swell"}) == []


@pytest.mark.timeout(60)
def test_importing_swell_imports_nothing_heavy() -> None:
    code = "import swell, sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert sorted(HEAVY_MODULES & set(run.stdout.split())) == []
