"""What travels with a script, by the names in its archive."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from swell.errors import PlanError
from swell.script.archive import Travelling
from swell.script.archive import travelling as found
from swell.script.loader import load

Tree = Callable[..., Path]

USER = """
from swell import *
class Visitor(User):
    @task
    def visit(self): ...
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """Writes files, with a user class in `contest.py`; gives their folder, in which the working directory is then."""

    def write(script: str = "", script_name: str = "contest.py", **others: str) -> Path:
        texts = {
            script_name: USER + dedent(script),
            **{name.replace("__dot__", "."): text for name, text in others.items()},
        }
        for name, text in texts.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(dedent(text))
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return write


def names(of: Travelling) -> list[str]:
    assert of.script in of.files
    return sorted(of.files)


def travelling(script: str = "contest.py", opened: Iterable[Path] = ()) -> Travelling:
    """The script is loaded first, as the controller does."""
    loaded = load(script)
    return found(script, loaded.files_declared, opened, Path.cwd())


def write(folder: Path, *paths: str, text: str = "") -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def test_a_script_alone_travels_alone(tree: Tree) -> None:
    write(tree(), "other.py", "data.json", ".git/x")
    assert travelling() == Travelling({"contest.py": Path.cwd() / "contest.py"}, "contest.py")


def test_modules_beside_the_script_are_found_through_each_other(tree: Tree) -> None:
    folder = tree("import pages_a\ndef late():\n    import pages_b, json, unknown_c")
    (folder / "pages_a.py").write_text("from deep.er import pages_d\nimport deep.pages_e")
    write(folder, "pages_b.py", "deep/er/pages_d.py", "deep/pages_e.py", "deep/unused.py", "json.py")
    expected = ["contest.py", "deep/er/pages_d.py", "deep/pages_e.py", "pages_a.py", "pages_b.py"]
    assert names(travelling()) == expected


def test_a_package_travels_whole_with_its_data_but_not_with_what_is_hidden(tree: Tree) -> None:
    folder = tree("from shop_p.pages import cart")
    write(folder, "shop_p/__init__.py", "shop_p/pages/__init__.py", "shop_p/pages/cart.py", "shop_p/data/form.html")
    write(folder, "shop_p/.cache/x", "shop_p/__pycache__/y.pyc", "shop_p/pages/.cart.py.swp", "beside.txt")
    expected = ["data/form.html", "__init__.py", "pages/__init__.py", "pages/cart.py"]
    assert names(travelling()) == sorted(["contest.py", *(f"shop_p/{name}" for name in expected)])


def test_relative_imports_within_packages_are_followed(tree: Tree) -> None:
    folder = tree("import space_q.first")
    (folder / "space_q" / "far").mkdir(parents=True)
    (folder / "space_q/first.py").write_text("from . import second\nfrom .far import third")
    (folder / "space_q/far/third.py").write_text("from ..fourth import x")
    (folder / "space_q/second.py").write_text("")
    (folder / "space_q/fourth.py").write_text("x = 1")
    expected = [f"space_q/{name}" for name in ("far/third.py", "first.py", "fourth.py", "second.py")]
    assert names(travelling()) == ["contest.py", *expected]


def test_what_the_script_loads_by_a_path_of_its_own_or_a_name_of_its_making_is_found(tree: Tree) -> None:
    folder = tree("""
        import importlib, sys
        from pathlib import Path
        sys.path.insert(0, str(Path(__file__).parent / "lib"))
        import by_path_r
        importlib.import_module("plug" + "in_r")
    """)
    write(folder, "lib/by_path_r.py", "plugin_r.py")
    assert names(travelling()) == ["contest.py", "lib/by_path_r.py", "plugin_r.py"]


def test_files_whose_paths_stand_in_the_code_are_found(tree: Tree) -> None:
    folder = tree("""
        from pathlib import Path
        import helper_s
        class Reader(User):
            @task
            def read(self):
                open("users.json")
                Path(__file__).parent / "data" / "answers.txt"
                {"folder": 1, "/etc/passwd": 2, "no such": 3, "../outside.txt": 4}
    """)
    (folder / "helper_s.py").write_text('X = "more/of helper.txt"')
    write(folder, "users.json", "data/answers.txt", "folder/x", "more/of helper.txt")
    expected = ["contest.py", "data/answers.txt", "helper_s.py", "more/of helper.txt", "users.json"]
    assert names(travelling()) == expected


def test_a_folder_that_is_named_is_left_here_with_a_notice_unless_something_in_it_travels(tree: Tree) -> None:
    folder = tree('TEMPLATES = "pages_y"\nPARTS = "parts/inner", "mine", "x/..", "empty"\nfiles("mine/a.txt")')
    write(folder, "pages_y/a.html", "parts/inner/b.html", "mine/a.txt", "mine/b.txt", "x/c")
    found = travelling()
    assert names(found) == ["contest.py", "mine/a.txt"]
    what = "contest.py has the name of the folder {0} in it, which does not travel unless files('{0}') says so"
    assert found.notices == (what.format("pages_y"), what.format("parts/inner"))


def test_rows_that_only_the_controller_reads_stay_unless_something_else_reads_them(tree: Tree) -> None:
    write(
        tree('rows = feed("rows.csv")\nboth = feed("both.csv")\nother = lambda: open("both.csv")'),
        "rows.csv",
        "both.csv",
    )
    assert names(travelling()) == ["both.csv", "contest.py"]


def test_files_that_were_opened_while_it_was_loaded_travel(tree: Tree) -> None:
    folder = tree()
    write(folder, "opened.txt", "module.pyc", "lib/site-packages/x.txt")
    opened = [folder / name for name in ("opened.txt", "module.pyc", "gone", "lib/site-packages/x.txt")]
    assert names(travelling(opened=[*opened, Path("/etc/passwd")])) == ["contest.py", "opened.txt"]


def test_declared_files_travel_patterns_and_folders(tree: Tree) -> None:
    folder = tree('files("templates/*.html", "deep/**/*.txt", "whole", ".hidden")')
    write(folder, "templates/a.html", "templates/a.txt", "deep/a/b/c.txt", "deep/d.txt", "deep/e.html")
    write(folder, "whole/x/y", "whole/.z", ".hidden")
    expected = [".hidden", "contest.py", "deep/a/b/c.txt", "deep/d.txt", "templates/a.html", "whole/x/y"]
    assert names(travelling()) == expected


def test_paths_are_relative_to_the_working_directory_if_the_script_is_below_it(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = 'import helper_t\nx = "load/users.json", "answers.json"\nfiles("load/more.txt", "other.txt")'
    folder = tree(script, "load/contest.py", **{"load/users.json": "", "load/helper_t.py": "", "answers.json": ""})
    write(folder, "load/answers.json", "load/more.txt", "load/other.txt")
    below = travelling("load/contest.py")
    inside = ["answers.json", "contest.py", "helper_t.py", "more.txt", "other.txt", "users.json"]
    assert (names(below), below.script) == ([f"load/{name}" for name in inside], "load/contest.py")
    monkeypatch.chdir("/")
    assert found(str(folder / "load/contest.py"), (), (), Path("/")).script == f"{folder}/load/contest.py"[1:]
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    beside = found("../load/contest.py", (), (), Path.cwd())
    assert (names(beside), beside.script) == (["answers.json", "contest.py", "helper_t.py", "other.txt"], "contest.py")


def problems_of(script: str = "contest.py") -> list[str]:
    with pytest.raises(PlanError) as raised:
        travelling(script)
    return [str(problem) for problem in raised.value.problems]


def test_what_is_declared_and_lies_outside_or_nowhere_is_refused(tree: Tree) -> None:
    folder = tree('files("../users.json", "shared/x", "temlates/a", "*.none")', "load/contest.py")
    write(folder, "users.json", "shared/x", "load/templates/a")
    outside = f"lies outside the script's folder, {folder}/load, and only what is in it travels"
    remedy = "(put it into the script's folder)"
    assert problems_of("load/contest.py") == [
        f'contest.py: files("../users.json"): {folder}/users.json {outside} {remedy}',
        f'contest.py: files("shared/x"): {folder}/shared/x {outside} {remedy}',
        f'contest.py: files("temlates/a"): no such file in {folder}/load',
        f'contest.py: files("*.none"): no such file in {folder}/load',
    ]


def test_links_are_followed_inside_the_folder_only(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> None:
    away = tmp_path_factory.mktemp("away")
    write(away, "secret.txt", "pages_u/__init__.py")
    folder = tree('import inner_u\nlambda: open("away.txt")\nfiles("whole")')
    write(folder, "real/inner_u.py", "whole/a.txt")
    (folder / "inner_u.py").symlink_to("real/inner_u.py")
    (folder / "whole" / "again").symlink_to(folder / "whole")
    (folder / "whole" / "dangling").symlink_to("nowhere")
    (folder / "away.txt").symlink_to(away / "secret.txt")
    leads = "outside the script's folder, and only what is in it travels"
    sound = travelling()
    assert names(sound) == ["contest.py", "inner_u.py", "whole/a.txt"]
    assert sound.notices == (f"away.txt leads to {away}/secret.txt, {leads}",)
    (folder / "whole" / "away.txt").symlink_to(away / "secret.txt")
    (folder / "pages_u").symlink_to(away / "pages_u")
    (folder / "contest.py").write_text(USER + 'import pages_u\nfiles("whole")')
    assert problems_of() == [
        f"whole/away.txt: leads to {away}/secret.txt, {leads} (put it into the script's folder)",
        f"pages_u/__init__.py: leads to {away}/pages_u/__init__.py, {leads} (put it into the script's folder)",
    ]


def test_a_folder_that_cannot_be_read_is_said(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree('files("whole")')
    write(folder, "whole/a.txt", "whole/closed/b.txt")
    read = Path.iterdir

    def closed(path: Path) -> Iterator[Path]:
        if path.name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "iterdir", closed)
    assert problems_of() == [f"{folder}/whole/closed: cannot be read: Permission denied (it would travel)"]


def test_a_script_that_is_a_link_travels_as_what_it_leads_to(tree: Tree) -> None:
    folder = tree("import helper_v", "real/contest.py")
    write(folder, "real/helper_v.py")
    os.symlink("real/contest.py", folder / "contest.py")
    of = travelling()
    assert (names(of), of.script) == (["real/contest.py", "real/helper_v.py"], "real/contest.py")


def test_modules_that_only_a_path_leads_to_are_named(
    tree: Tree, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = tmp_path_factory.mktemp("away")
    write(away, "company_w.py")
    monkeypatch.syspath_prepend(away)
    tree("import company_w, msgspec, json")
    where = f"{away}/company_w.py, outside the script's folder"
    what = f"contest.py imports company_w from {where}: it does not travel, other machines need it installed"
    assert travelling().notices == (what,)


def test_an_environment_in_the_scripts_folder_does_not_travel(tree: Tree) -> None:
    folder = tree('import sys, os\nsys.path.insert(0, os.path.abspath("venv/lib/site-packages"))\nimport installed_x')
    write(folder, "venv/lib/site-packages/installed_x.py")
    assert names(travelling()) == ["contest.py"]


@pytest.mark.parametrize("wrong", ["", "a\0b", 5, b"x"])
def test_files_takes_paths(tree: Tree, wrong: object) -> None:
    tree(f"files({wrong!r})")
    with pytest.raises(PlanError, match=r"files\(\) takes paths|expected str"):
        load("contest.py")


def test_files_are_declared_while_the_script_is_loaded(tree: Tree) -> None:
    tree()
    loaded = load("contest.py")
    with pytest.raises(RuntimeError, match=r"files\(\) is called too late"):
        loaded.module.files("x")
