"""Runs a script file as a module. What goes wrong is said in its author's terms: which file and line, what to do."""

from __future__ import annotations

import difflib
import importlib.util
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import swell
from swell.errors import Problem, ScriptError
from swell.script.declarations import declarations
from swell.script.flow import LOADING_FAULT
from swell.script.secrets import SecretMissing
from swell.script.traces import author_trace, one_line, place_of


def import_script(path: str, *, travelled: bool = False) -> ModuleType:
    """The module that the file makes. Its folder goes to the front of `sys.path`, as with `python FILE`.

    `travelled`: the script came here from another machine. Raises ScriptError: no such file, no Python in it, or
    something in it failed.
    """
    file = Path(path)
    _check_is_file(file, path)
    folder = str(file.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = _module_name(file)
    spec = importlib.util.spec_from_file_location(name, file.resolve())
    if spec is None or spec.loader is None:
        raise ScriptError(Problem("is not a Python file", path, "its name must end in .py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    declarations.begin()
    try:
        spec.loader.exec_module(module)
    except LOADING_FAULT as raised:
        sys.modules.pop(name, None)
        raise _script_error(raised, file, travelled) from raised
    return module


def closest(word: str, choices: Iterable[str]) -> str:
    """`did you mean X?` for the choice that looks most like `word`, upper or lower case apart; '' if none does."""
    lowered = {choice.lower(): choice for choice in choices}
    found = difflib.get_close_matches(word.lower(), lowered, n=1)
    return f"did you mean {lowered[found[0]]}?" if found else ""


def _check_is_file(file: Path, path: str) -> None:
    if file.is_dir():
        scripts = sorted(child.name for child in file.glob("*.py"))
        hint = f"it holds {', '.join(scripts[:5])}" if scripts else ""
        raise ScriptError(Problem("is a directory; a script is a file", path, hint))
    if not file.exists():
        siblings = [child.name for child in file.parent.glob("*.py")] if file.parent.is_dir() else []
        raise ScriptError(Problem("no such script", path, closest(file.name, siblings)))
    if file.suffix != ".py":
        raise ScriptError(Problem("is not a Python file", path, "its name must end in .py"))


def _module_name(file: Path) -> str:
    """The file's name, unless a module that is not this script's is called so already."""
    known = sys.modules.get(file.stem)
    taken = known is not None and getattr(known, "__file__", None) != str(file.resolve())
    return f"swell_script_{file.stem}" if taken else file.stem


def _script_error(raised: BaseException, file: Path, travelled: bool) -> ScriptError:
    if isinstance(raised, SyntaxError):
        return ScriptError(_syntax_problem(raised, file))
    _, trace = author_trace(raised)
    where = place_of(raised) or file.name
    if isinstance(raised, ImportError):
        return ScriptError(_import_problem(raised, where, travelled), trace)
    if isinstance(raised, SecretMissing):
        return ScriptError(Problem(str(raised), where))
    if isinstance(raised, SystemExit):
        return ScriptError(Problem("the script ends the process while it is loaded (SystemExit)", where), trace)
    return ScriptError(Problem(one_line(raised), where), trace)


def _syntax_problem(error: SyntaxError, file: Path) -> Problem:
    where = f"{Path(error.filename or file).name}:{error.lineno}" if error.lineno else file.name
    return Problem(f"syntax error: {error.msg}", where, (error.text or "").strip()[:80])


def _import_problem(error: ImportError, where: str, travelled: bool) -> Problem:
    top = (error.name or "").partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or top in sys.modules:
        text = re.sub(r" \([^()]*\)$", "", str(error))  # the path of the module is of no use
        wanted = re.search("cannot import name '(.*?)'", text)
        hint = closest(wanted[1], swell.__all__) if error.name == "swell" and wanted else ""
        return Problem(f"an import fails: {text}", where, hint)
    if travelled:
        remedy = f"pip install {top} there; if it is a file of yours, files('{top}.py') sends it along"
        what = f"the script needs the package {top!r}, which is not installed there"
        return Problem(what, hint=f"{where} imports it; {remedy}")
    hint = f"install it beside swell (pip install {top}), or put {top}.py next to the script"
    if top == "locust":
        hint = "swell has the same names: from swell import ..."
    return Problem(f"imports {error.name}, which is not here", where, hint)
