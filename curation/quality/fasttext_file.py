"""What a fastText model file says of itself: its labels, and whether it is a classifier and whole.

fastText does not notice a file that is cut off: it takes what is missing for noise and scores with that. So the parts are
measured here before the model is opened. The format is that of fastText 0.9.2, version 12: `FastText::saveModel`,
`Args::save`, `Dictionary::save`, `DenseMatrix::save`, `QuantMatrix::save`, `ProductQuantizer::save`.
"""

from __future__ import annotations

import functools
import mmap
import struct

from connectors import storage
from connectors.errors import UserError

MAGIC, VERSIONS = 793712314, (11, 12)
SUPERVISED = 3
LABEL = 1
CENTROIDS = 256
PREFIX = "__label__"
_HEADER = struct.Struct("<2i12id")  # magic, version, the twelve whole-numbered arguments, t
_MODEL = 2 + 7
_DICTIONARY = struct.Struct("<3i2q")  # entries, words, labels, tokens, pruned entries


@functools.cache
def labels_of(path: str) -> tuple[str, ...]:
    """The labels of a supervised fastText model, as they stand in the file. Raises `UserError` for any other file."""
    try:
        with storage.open_input(path) as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            header = _HEADER.unpack_from(content)
            sound = header[0] == MAGIC and header[1] in VERSIONS
            labels, end = _dictionary(content, _HEADER.size) if sound else ((), 0)
            sound = sound and _end_of_matrices(content, end) == len(content)
    except FileNotFoundError:
        raise UserError(f"No fastText model at '{path}': the recipe names it") from None
    except (OSError, ValueError, struct.error, IndexError):
        sound = False
    if not sound:
        raise UserError(f"'{path}' is no fastText model, or not the whole of one: fetch it again")
    if header[_MODEL] != SUPERVISED or not labels:
        raise UserError(f"'{path}' holds word vectors, no classifier: name a model trained with 'fasttext supervised'")
    return labels


def _dictionary(content: mmap.mmap, at: int) -> tuple[tuple[str, ...], int]:
    """The labels among the entries (a string, its end, count and kind), and where the dictionary ends."""
    entries, _, _, _, pruned = _DICTIONARY.unpack_from(content, at)
    at += _DICTIONARY.size
    labels = []
    for _ in range(entries):
        stop = content.find(b"\0", at)
        if stop < 0:
            raise ValueError("an entry has no end")
        if content[stop + 9] == LABEL:
            labels.append(content[at:stop].decode("utf-8", "replace"))
        at = stop + 10
    return tuple(labels), at + 8 * max(0, pruned)


def _end_of_matrices(content: mmap.mmap, at: int) -> int:
    """Where the input and the output matrix end, each behind a byte that says whether it is quantised."""
    quantised = content[at]
    at = _end_of_quantised(content, at + 1) if quantised else _end_of_dense(content, at + 1)
    return _end_of_quantised(content, at + 1) if quantised and content[at] else _end_of_dense(content, at + 1)


def _end_of_dense(content: mmap.mmap, at: int) -> int:
    rows, columns = struct.unpack_from("<2q", content, at)
    return int(at + 16 + 4 * rows * columns)


def _end_of_quantised(content: mmap.mmap, at: int) -> int:
    normed, rows, _, codes = struct.unpack_from("<?2qi", content, at)
    at = _end_of_quantiser(content, at + 21 + codes)
    return _end_of_quantiser(content, at + rows) if normed else at


def _end_of_quantiser(content: mmap.mmap, at: int) -> int:
    dimension, _, _, _ = struct.unpack_from("<4i", content, at)
    return int(at + 16 + 4 * dimension * CENTROIDS)
