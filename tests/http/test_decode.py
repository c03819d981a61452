"""Content codings: decoded whole, in any pieces, within bounds, and never trusted."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Sequence
from itertools import pairwise

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from swell.http.decode import DecodeError, Decoder, decode_all, shown_bytes

MIB = 1 << 20


def raw_deflate(content: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(content) + deflater.flush()


def zstd(content: bytes) -> bytes:
    compressed: bytes = zstandard.ZstdCompressor().compress(content)
    return compressed


def br(content: bytes) -> bytes:
    compressed: bytes = brotli.compress(content, quality=4)
    return compressed


ENCODERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "bare deflate": ("deflate", raw_deflate),
    "br": ("br", br),
    "zstd": ("zstd", zstd),
    "two gzip members": ("gzip", lambda content: gzip.compress(content[:7]) + gzip.compress(content[7:])),
    "two zstd frames": ("zstd", lambda content: zstd(content[:7]) + zstd(content[7:])),
    "a skippable zstd frame": (
        "zstd",
        lambda content: zstd(content[:7]) + b"\x50\x2a\x4d\x18\x02\0\0\0xx" + zstd(content[7:]),
    ),
    "gzip in br": ("gzip, br", lambda content: br(gzip.compress(content))),
    "three": ("deflate , gzip,identity,zstd", lambda content: zstd(gzip.compress(zlib.compress(content)))),
    "identity": ("identity", bytes),
    "none": ("", bytes),
    "unknown": ("compress", bytes),
    "partly unknown": ("gzip, compress", bytes),
}
CODED = [
    name for name, (encoding, _) in ENCODERS.items() if "compress" not in encoding and encoding not in ("", "identity")
]


@pytest.mark.parametrize("name", ENCODERS)
@given(content=st.binary(max_size=300), cuts=st.lists(st.integers(0, 400), max_size=5))
def test_a_body_decodes_to_the_same_in_any_pieces(name: str, content: bytes, cuts: list[int]) -> None:
    encoding, encode = ENCODERS[name]
    encoded = encode(content)
    assert decode_all(encoded, encoding, MIB) == content
    assert in_pieces(encoded, encoding, range(len(encoded))) == content
    assert in_pieces(encoded, encoding, sorted(cuts)) == content


def in_pieces(encoded: bytes, encoding: str, cuts: Sequence[int]) -> bytes:
    decoder = Decoder(encoding, MIB)
    edges = [0, *cuts, len(encoded)]
    return b"".join([decoder.feed(encoded[start:end]) for start, end in pairwise(edges)]) + decoder.finish()


@pytest.mark.parametrize("name", CODED)
def test_a_large_body_decodes(name: str) -> None:
    encoding, encode = ENCODERS[name]
    content = bytes(range(256)) * 4096 + bytes(3 * MIB)
    assert decode_all(encode(content), encoding, 4 * MIB) == content


@pytest.mark.parametrize("name", CODED)
def test_a_body_of_exactly_the_limit_passes_and_one_byte_more_does_not(name: str) -> None:
    encoding, encode = ENCODERS[name]
    encoded = encode(bytes(100_000))
    assert len(decode_all(encoded, encoding, 100_000)) == 100_000
    with pytest.raises(DecodeError, match=r"over 99999 bytes decoded$"):
        decode_all(encoded, encoding, 99_999)
    decoder = Decoder(encoding, 99_999)
    with pytest.raises(DecodeError, match=r"over 99999 bytes decoded$"):
        [decoder.feed(bytes([byte])) for byte in encoded]


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", br),
        ("zstd", zstd),
        ("gzip, gzip", lambda content: gzip.compress(gzip.compress(content))),
        ("zstd, br", lambda content: br(zstd(content))),
    ],
)
def test_a_bomb_goes_off_within_a_small_multiple_of_the_limit(encoding: str, encode: Callable[[bytes], bytes]) -> None:
    limit_bytes = 4 * MIB
    bomb = encode(bytes(200 * MIB))
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError, match="over 4 MiB decoded"):
            decode_all(bomb, encoding, limit_bytes)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 5 * limit_bytes


def test_thousands_of_tiny_members_do_not_cost_their_square() -> None:
    content = gzip.compress(b"") * 20_000 + gzip.compress(b"end")
    assert decode_all(content, "gzip", MIB) == b"end"


@pytest.mark.parametrize("name", CODED)
def test_a_body_that_ends_early_is_truncated(name: str) -> None:
    encoding, encode = ENCODERS[name]
    with pytest.raises(DecodeError, match=r"^[a-z]+: truncated$"):
        decode_all(encode(b"some content, and then some more")[:-1], encoding, MIB)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_body_of_something_else_is_corrupt(encoding: str) -> None:
    with pytest.raises(DecodeError, match=f"^{encoding}: corrupt$"):
        decode_all(b"\xff<!doctype html><p>Not compressed at all</p>" * 9, encoding, MIB)


@pytest.mark.parametrize("name", CODED)
def test_no_body_at_all_is_an_empty_one(name: str) -> None:
    assert decode_all(b"", ENCODERS[name][0], MIB) == b""


@pytest.mark.parametrize("name", ["gzip", "deflate", "bare deflate", "zstd"])
def test_what_follows_the_end_is_passed_over(name: str) -> None:
    encoding, encode = ENCODERS[name]
    encoded = encode(b"content") + b"\0\0 and padding"
    assert decode_all(encoded, encoding, MIB) == b"content"
    assert in_pieces(encoded, encoding, range(len(encoded))) == b"content"


def test_brotli_has_an_end_and_nothing_after_it() -> None:
    encoded = br(b"content") + b"x"
    for pieces in (range(0), range(len(encoded))):
        with pytest.raises(DecodeError, match="br: corrupt"):
            in_pieces(encoded, "br", pieces)


def test_a_zstd_window_beyond_what_http_allows_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=25, write_content_size=False)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    with pytest.raises(DecodeError, match="zstd: corrupt"):
        decode_all(compressor.compress(b"content") + compressor.flush(), "zstd", MIB)


def test_a_chain_of_codings_is_bounded() -> None:
    with pytest.raises(DecodeError, match="content-encoding: over 5 codings"):
        Decoder(", ".join(["gzip"] * 6), MIB)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, br"])
@given(data=st.binary(), start=st.sampled_from([b"", b"\x1f\x8b\x08\0", b"\x78\x9c", b"\x28\xb5\x2f\xfd"]))
def test_garbage_decodes_or_is_a_decode_error(encoding: str, data: bytes, start: bytes) -> None:
    outcomes = [
        outcome(lambda: decode_all(start + data, encoding, MIB)),
        outcome(lambda: in_pieces(start + data, encoding, range(9))),
    ]
    assert outcomes[0] == outcomes[1]


def outcome(decode: Callable[[], bytes]) -> bytes | None:
    try:
        return decode()
    except DecodeError:
        return None


def test_sizes_are_shown_as_people_write_them() -> None:
    assert [shown_bytes(size) for size in (64 * MIB, 1 << 30, 10 * 1024, 1000)] == [
        "64 MiB",
        "1 GiB",
        "10 KiB",
        "1000 bytes",
    ]
