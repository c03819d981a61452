from textwrap import dedent

from hypothesis import given
from hypothesis import strategies as st

from swell.script.source import Import, SecretAsked, Source, read_source


def source_of(text: str) -> Source:
    return read_source(dedent(text).encode())


def test_imports_are_found_wherever_they_stand() -> None:
    source = source_of("""
        import a.b, c as d
        from e import f as g, h
        def late():
            from .. import i
            from .j.k import *
            importlib.import_module("l.m")
            import_module(".n", __package__)
            __import__(o)
    """)
    assert set(source.imports) == {
        *(Import("a.b"), Import("c"), Import("e", ("f", "h")), Import("", ("i",), 2), Import("j.k", ("*",), 1)),
        *(Import("l.m"), Import("n", (), 1)),
    }


def test_texts_that_may_be_paths_are_found_also_joined_ones() -> None:
    source = source_of("""
        open("users.json")
        HERE / "data" / "a.csv"
        Path("x") / "y.txt"
        os.path.join(HERE, "b", "c.bin")
        HERE.joinpath("d", "e")
        "a" + "b"
        f"{x}.json"
        "two\\nlines"
    """)
    expected = {"users.json", "data/a.csv", "x/y.txt", "b/c.bin", "d/e"}
    assert expected <= set(source.paths)
    assert not [path for path in source.paths if "\n" in path or not path]


def test_what_only_the_controller_reads_is_not_found() -> None:
    source = source_of("""
        accounts = feed("accounts.csv", columns=["name"])
        rows = swell.feed(Path("data") / "rows.csv")
        load = arrivals(from_log("access.log"))
        also = open("others.csv")
    """)
    assert {path for path in source.paths if "." in path} == {"others.csv"}


def test_secrets_without_a_default_are_found_by_the_names_that_the_file_gives_them() -> None:
    source = source_of("""
        import swell as s
        from swell import secret, secret as hidden
        from elsewhere import secret as other
        TOKEN = secret("TOKEN")
        def task():
            hidden("KEY")
            s.secret("WORD")
            secret("OPTIONAL", default="")
            secret("OPTIONAL", None)
            other("OTHER"); box.secret("BOX"); secret(name); secret()
    """)
    assert source.secrets == (SecretAsked("TOKEN", 5), SecretAsked("KEY", 7), SecretAsked("WORD", 8))
    assert source_of('from swell import *\nsecret("TOKEN")').secrets == (SecretAsked("TOKEN", 2),)
    assert source_of('secret("TOKEN")').secrets == ()


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_what_is_not_python_says_nothing(content: bytes) -> None:
    read_source(content)


def test_a_template_that_is_not_python_says_nothing() -> None:
    assert source_of("from {{ name }} import x") == Source()
