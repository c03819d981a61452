"""What a Python file says without being run: what it imports, which files it may name, which secrets it asks for."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator
from typing import TypeGuard

PATH_LENGTH = 255
READ_BY_US = {"feed", "from_log"}
"""Functions whose first argument is a file that only the controller reads."""
IMPORTERS = {"import_module", "__import__"}
PATHS = {"Path", "PurePath", "PurePosixPath", "PosixPath"}


@dataclasses.dataclass(frozen=True, slots=True)
class Import:
    """`from module import names`, `level` dots before the module; or `import module`, without names."""

    module: str
    names: tuple[str, ...] = ()
    level: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class SecretAsked:
    """A call of `secret("NAME")` without a default."""

    name: str
    line: int


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """What a file says."""

    imports: tuple[Import, ...] = ()
    paths: tuple[str, ...] = ()
    """Texts that may be paths of files, also those joined from several."""
    secrets: tuple[SecretAsked, ...] = ()


def read_source(content: bytes) -> Source:
    """What the file with this content says; nothing if it is not Python."""
    try:
        nodes = list(ast.walk(ast.parse(content)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Source()
    imports = [found for node in nodes for found in _imports(node)]
    arguments = (node.args[0] for node in nodes if _called(node, READ_BY_US) and node.args)
    skipped = {id(node) for argument in arguments for node in ast.walk(argument)}
    paths = dict.fromkeys(path for node in nodes if id(node) not in skipped for path in _paths(node))
    likely = (path for path in paths if 0 < len(path) <= PATH_LENGTH and not {"\n", "\0"} & set(path))
    return Source(tuple(imports), tuple(likely), tuple(_secrets(nodes, imports)))


def _imports(node: ast.AST) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield Import(node.module or "", tuple(alias.name for alias in node.names), node.level)
    elif _called(node, IMPORTERS) and (name := _text(node.args[0] if node.args else None)):
        yield Import(name.lstrip("."), level=len(name) - len(name.lstrip(".")))


def _paths(node: ast.AST) -> Iterator[str]:
    """`"a"`, `here / "a" / "b"` and `join(here, "a", "b")`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        yield "/".join(_divided(node))
    elif isinstance(node, ast.Call) and not _called(node, READ_BY_US):
        texts = [_text(argument) for argument in node.args]
        if any(text is None for text in texts):
            last = max(number for number, text in enumerate(texts) if text is None)
            texts = texts[last + 1 :]
        yield "/".join(text for text in texts if text is not None)


def _divided(node: ast.expr) -> list[str]:
    """The texts at the end of a chain of `/`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        last = _text(node.right)
        return [] if last is None else [*_divided(node.left), last]
    whole = _text(node)
    return [] if whole is None else [whole]


def _secrets(nodes: list[ast.AST], imports: list[Import]) -> Iterator[SecretAsked]:
    if not any(found.module == "swell" for found in imports):
        return
    froms = (node for node in nodes if isinstance(node, ast.ImportFrom) and node.module == "swell")
    aliases = [alias for node in froms for alias in node.names]
    names = {alias.asname or "secret" for alias in aliases if alias.name in ("secret", "*")}
    plain = (alias for node in nodes if isinstance(node, ast.Import) for alias in node.names)
    modules = {alias.asname or alias.name for alias in plain if alias.name == "swell"}
    for node in nodes:
        if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords:
            continue
        function, name = node.func, _text(node.args[0])
        is_ours = isinstance(function, ast.Name) and function.id in names
        if isinstance(function, ast.Attribute) and function.attr == "secret":
            is_ours = isinstance(function.value, ast.Name) and function.value.id in modules
        if is_ours and name is not None:
            yield SecretAsked(name, node.lineno)


def _called(node: ast.AST, names: set[str]) -> TypeGuard[ast.Call]:
    if not isinstance(node, ast.Call):
        return False
    function = node.func
    return getattr(function, "id", getattr(function, "attr", "")) in names


def _text(node: ast.expr | None) -> str | None:
    """The text that an expression is: `"a"` or `Path("a")`."""
    if isinstance(node, ast.Call) and _called(node, PATHS) and len(node.args) == 1:
        node = node.args[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
