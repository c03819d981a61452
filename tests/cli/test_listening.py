"""Where a run listens for workers of other machines: what is understood, and what is refused."""

from pathlib import Path

import pytest

from swell.cli import options
from swell.cli.listening import wanted
from swell.cli.settings import Given, resolve
from swell.cluster.key import new_key, write_key


def said(*, file: bool = False, **texts: str) -> list[str]:
    """What is wrong with some options, given on the command line or in a file."""
    layer = {name.replace("_", "-"): Given(text, "swell.toml:1" if file else "") for name, text in texts.items()}
    settings, problems = resolve(options.options_of("run"), [{}, layer] if file else [layer])
    assert not problems
    return [str(problem) for problem in wanted(settings)[1]]


def test_nobody_is_listened_for_unless_it_is_asked_for() -> None:
    settings, _ = resolve(options.options_of("run"), [])
    assert wanted(settings) == (None, [])


@pytest.mark.parametrize("address", ["127.0.0.1:5557", "[::1]:0", "localhost:5557"])
def test_on_loopback_no_key_is_needed(address: str) -> None:
    assert said(listen=address) == []


@pytest.mark.parametrize("address", ["0.0.0.0:5557", "*:5557", "[::]:5557", "10.1.2.3:5557"])
def test_where_others_can_reach_it_a_key_is_wanted(address: str) -> None:
    reachable = f"--listen: others can reach {address}, and without a key any of them could join the run"
    assert said(listen=address) == [
        f"{reachable} (`swell keygen FILE` makes one; give it with --key here and on each machine)"
    ]


def test_with_a_key_it_listens_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "cluster.key"
    key = new_key()
    write_key(path, key)
    layer = {"listen": Given("*:5557", ""), "key": Given(str(path), "")}
    listening, problems = wanted(resolve(options.options_of("run"), [layer])[0])
    assert problems == []
    assert listening is not None
    assert (str(listening.address), listening.key, listening.key_path) == ("*:5557", key, str(path))


def test_a_key_that_cannot_be_read_is_said_once(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.key")
    assert said(listen="*:5557", key=missing) == [f"{missing}: cannot read the key: No such file or directory"]


@pytest.mark.parametrize("text", ["nowhere", ":5557", "host:99999", "::1:5557"])
def test_what_is_no_address_is_refused(text: str) -> None:
    (problem,) = said(listen=text)
    assert problem.startswith("--listen: ")


@pytest.mark.parametrize("option", ["expect_workers", "expect_timeout", "key"])
def test_whoever_says_something_of_other_machines_has_to_listen_for_them(option: str) -> None:
    flag = "--" + option.replace("_", "-")
    assert said(**{option: "3"}) == [f"{flag}: no other machine can join this run (give --listen HOST:PORT too)"]


def test_a_config_file_may_say_it_for_the_runs_that_listen() -> None:
    assert said(file=True, key="cluster.key", expect_workers="3") == []
