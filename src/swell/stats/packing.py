"""Tables of whole numbers in a few bytes, and back again; `packed.py` knows what they hold.

Keys are ascending, so their differences are small; most counts are below 256. So the differences of the keys and the
rows of values are cut to the bytes that the greatest of each needs, laid out byte by byte (all lowest bytes, then all
second ones, ...), as HDF5's shuffle filter does, and compressed with zstd. A second of 10,000 calls in 50 series takes
14 kB of 290.

The counts of the whole run are left plain: they are new each second, read by everybody and kept by nobody.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt
import zstandard

from swell.errors import RunFailed

LEVEL = 1
"""Higher levels take several times as long for a few percent."""
HEAD = struct.Struct("<II")
"""The layout, and a CRC-32 of all that follows; of plain tables, which stay where they are, it is 0."""
LENGTHS = struct.Struct("<5I4x")
"""The number of keys in each table."""
BODY_AT = HEAD.size + LENGTHS.size
"""What is squeezed begins with a byte for each column: how many bytes of its words are kept."""
PLAIN, SQUEEZED = 0, 1
ALIGNED_BYTES = 8
MOST_BYTES = 1 << 30

Words = npt.NDArray[np.unsignedinteger]
WordType = np.dtype[np.unsignedinteger]
Columns = Sequence[Words]
"""A table: its keys, and rows as long as these."""
Shape = tuple[WordType, ...]
"""What type each column of a table has."""
NO_WORDS: dict[WordType, Words] = {dtype: np.empty(0, dtype) for dtype in map(np.dtype, ("<u4", "<u8"))}
MANY_WORDS = 2_000


def squeezed(tables: Sequence[Columns]) -> bytes:
    """Five tables, compressed; of empty ones nothing."""
    if not any(len(keys) for keys, *_ in tables):
        return b""
    columns = [column for keys, *rows in tables for column in (_differences(keys), *rows)]
    widths = bytes(map(_width, columns))
    planes = b"".join(map(_planes, columns, widths))
    held = _lengths(tables) + widths + zstandard.ZstdCompressor(level=LEVEL).compress(planes)
    return HEAD.pack(SQUEEZED, zlib.crc32(held)) + held


def plain(tables: Sequence[Columns]) -> bytes:
    """Five tables, to be looked at where they lie; of empty ones nothing."""
    if not any(len(keys) for keys, *_ in tables):
        return b""
    columns = [column.tobytes() for table in tables for column in table]
    aligned = (part for column in columns for part in (column, bytes(-len(column) % ALIGNED_BYTES)))
    return b"".join([HEAD.pack(PLAIN, 0), _lengths(tables), *aligned])


def read(counts: bytes, shapes: Sequence[Shape]) -> list[list[Words]]:
    """The columns of each table. Raises RunFailed where zstd finds its frame damaged; `check` finds whatever is."""
    if not counts:
        return [_nothing(shape) for shape in shapes]
    lengths = LENGTHS.unpack_from(counts, HEAD.size)
    if HEAD.unpack_from(counts)[0] == PLAIN:
        return list(_looked_at(counts, lengths, shapes))
    frame_at = BODY_AT + sum(map(len, shapes))
    try:
        planes = zstandard.ZstdDecompressor().decompress(memoryview(counts)[frame_at:])
    except zstandard.ZstdError as exc:
        raise RunFailed(f"counts are damaged: {exc}") from exc
    return list(_restored(planes, lengths, counts[BODY_AT:frame_at], shapes))


def check(counts: bytes, shapes: Sequence[Shape]) -> None:
    """Raise RunFailed where counts that come from elsewhere are not what `squeezed` made."""
    if not counts:
        return
    try:
        layout, checksum = HEAD.unpack_from(counts)
        lengths = LENGTHS.unpack_from(counts, HEAD.size)
        frame_at = BODY_AT + sum(map(len, shapes))
        held = zstandard.frame_content_size(counts[frame_at:])
    except (struct.error, zstandard.ZstdError) as exc:
        raise RunFailed(str(exc)) from exc
    if layout != SQUEEZED or zlib.crc32(memoryview(counts)[HEAD.size :]) != checksum:
        raise RunFailed("they are not what was written")
    columns = [(column, length) for shape, length in zip(shapes, lengths, strict=True) for column in shape]
    widths = counts[BODY_AT:frame_at]
    fits = all(width <= column.itemsize for width, (column, _) in zip(widths, columns, strict=True))
    if not fits or held != sum(width * length for width, (_, length) in zip(widths, columns, strict=True)):
        raise RunFailed("their parts do not fit together")
    if (size := sum(column.itemsize * length for column, length in columns)) > MOST_BYTES:
        raise RunFailed(f"there are {size} bytes of them")


def _lengths(tables: Sequence[Columns]) -> bytes:
    return LENGTHS.pack(*(len(keys) for keys, *_ in tables))


def _looked_at(counts: bytes, lengths: Sequence[int], shapes: Sequence[Shape]) -> Iterator[list[Words]]:
    at = BODY_AT
    for shape, length in zip(shapes, lengths, strict=True):
        sizes = [-(-column.itemsize * length // ALIGNED_BYTES) * ALIGNED_BYTES for column in shape]
        places = accumulate(sizes, initial=at)
        yield [np.frombuffer(counts, column, length, place) for column, place in zip(shape, places, strict=False)]
        at += sum(sizes)


def _restored(planes: bytes, lengths: Sequence[int], widths: bytes, shapes: Sequence[Shape]) -> Iterator[list[Words]]:
    at = 0
    for shape, length in zip(shapes, lengths, strict=True):
        its_widths, widths = widths[: len(shape)], widths[len(shape) :]
        if not length:
            yield _nothing(shape)
            continue
        columns = []
        for column, width in zip(shape, its_widths, strict=True):
            columns.append(_words(planes, at, length, width, column))
            at += width * length
        yield [columns[0].cumsum(dtype=shape[0]), *columns[1:]]


def _nothing(shape: Shape) -> list[Words]:
    return [NO_WORDS[column] for column in shape]


def _differences(keys: Words) -> Words:
    return np.diff(keys, prepend=np.zeros(1, keys.dtype))


def _width(words: Words) -> int:
    return (int(words.max()).bit_length() + 7) // 8 if len(words) else 0


def _planes(words: Words, width: int) -> bytes:
    if not width:
        return b""
    bytes_ = np.ascontiguousarray(words).view(np.uint8).reshape(len(words), words.dtype.itemsize)
    return bytes_[:, :width].T.tobytes()


def _words(planes: bytes, at: int, length: int, width: int, dtype: WordType) -> Words:
    """Few words are put together at once, many a plane at a time: whichever is quicker."""
    if not width:
        return np.zeros(length, dtype)
    laid_out = np.frombuffer(planes, np.uint8, width * length, at).reshape(width, length)
    if length < MANY_WORDS:
        bytes_ = np.zeros((length, dtype.itemsize), np.uint8)
        bytes_[:, :width] = laid_out.T
        return bytes_.view(dtype).reshape(-1)
    words: Words = laid_out[0].astype(dtype)
    for place in range(1, width):
        words |= laid_out[place].astype(dtype) << dtype.type(8 * place)
    return words
