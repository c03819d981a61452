"""The key file of a cluster: what is read, what is refused, and what follows from it."""

import os
from pathlib import Path

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from swell.cluster.key import ClusterKey, new_key, parse_key, read_key, receive_key, write_key
from swell.errors import LinkError, PlanError

SECRET = bytes(range(32))
LINE = f"swell-cluster-key 1 {SECRET.hex()}"


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    key = new_key()
    write_key(tmp_path / "key", key)
    assert read_key(tmp_path / "key") == key


def test_comments_empty_lines_and_line_ends_of_other_systems_do_not_matter() -> None:
    assert parse_key(f"# ours\r\n\r\n  {LINE}  \r\n# end", "key") == ClusterKey(SECRET)


def test_whoever_has_the_key_has_both_pairs_and_they_differ() -> None:
    key = ClusterKey(SECRET)
    assert key.controller == ClusterKey(SECRET).controller
    known = {*key.controller, *key.workers, key.secret}
    assert len(known) == 5
    assert not known & {*new_key().controller, *new_key().workers}
    assert all(len(half) == 32 for half in known)


def test_the_pairs_follow_from_the_secret_for_ever() -> None:
    """Machines with other versions of swell must come to the same."""
    key = ClusterKey(SECRET)
    assert [key.controller.public.hex()[:16], key.workers.public.hex()[:16]] == ["6844b5cd12d4f7c0", "9b98919f94f420d3"]


def test_a_zeromq_without_encryption_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: bytes) -> bytes:
        raise zmq.ZMQError(zmq.ENOTSUP)

    monkeypatch.setattr(zmq, "curve_public", refuse)
    with pytest.raises(LinkError, match="no encryption"):
        _ = new_key().controller


def test_it_shows_itself_nowhere() -> None:
    assert SECRET.hex() not in repr(ClusterKey(SECRET))
    assert str(SECRET) not in repr(ClusterKey(SECRET))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "key: no key in it (`swell keygen FILE` makes one)"),
        ("# a comment\n", "key: no key in it (`swell keygen FILE` makes one)"),
        (f"{LINE}\n\n{LINE}\n", "key:3: one line with a key is enough (`swell keygen FILE` makes one)"),
        ("hello", "key:1: no line that begins with `swell-cluster-key 1` (`swell keygen FILE` makes one)"),
        (
            LINE.replace(" 1 ", " 2 "),
            "key:1: no line that begins with `swell-cluster-key 1` (`swell keygen FILE` makes one)",
        ),
        (
            LINE[:-2],
            "key:1: not 64 hexadecimal digits behind `swell-cluster-key 1` (`swell keygen FILE` makes one)",
        ),
        (
            f"#\n{LINE}00",
            "key:2: not 64 hexadecimal digits behind `swell-cluster-key 1` (`swell keygen FILE` makes one)",
        ),
        (
            LINE[:-1] + "g",
            "key:1: not 64 hexadecimal digits behind `swell-cluster-key 1` (`swell keygen FILE` makes one)",
        ),
    ],
)
def test_what_is_no_key_is_refused_with_its_place_and_without_the_secret(text: str, said: str) -> None:
    with pytest.raises(PlanError) as raised:
        parse_key(text, "key")
    assert str(raised.value) == said


@given(st.text(max_size=200))
def test_garbage_is_a_plan_error_and_nothing_else(text: str) -> None:
    with pytest.raises(PlanError):
        parse_key(text, "key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    write_key(path, new_key())
    path.chmod(mode)
    with pytest.raises(PlanError, match=r"others can read this key, or write it \(`chmod 600 "):
        read_key(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_of_another_user_who_lets_this_one_read_it_is_taken(tmp_path: Path) -> None:
    """As ssh does: where a container is given its secrets, their modes are not its user's to choose."""
    path = tmp_path / "key"
    write_key(path, new_key())
    path.chmod(0o440)
    os.chown(path, 12_345, 12_345)
    assert read_key(path)


def test_what_cannot_be_read_or_is_no_text_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot read the key: No such file or directory"):
        read_key(tmp_path / "nothing")
    with pytest.raises(PlanError, match="cannot read the key: Is a directory"):
        read_key(tmp_path)
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_bytes(b"\xff\xfe" * 100)
    with pytest.raises(PlanError, match="no line that begins with"):
        read_key(path)
    path.write_bytes(b"#" * 10_000)
    with pytest.raises(PlanError, match="too long for a key"):
        read_key(path)


def test_it_goes_through_a_pipe_to_a_process(tmp_path: Path) -> None:
    key = new_key()
    reading, writing = os.pipe()
    os.write(writing, key.text.encode())
    os.close(writing)
    assert receive_key(reading) == key
