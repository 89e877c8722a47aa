"""A text as units: words of its normal form, single characters where a script sets no blanks between words.

The normal form is that of near duplicates: lower case, each number `0`, no punctuation, no diacritics
(`curation/text/normalize.py`). So case, punctuation, spacing and line ends hide nothing, and figures make no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import regex

from curation.decontaminate.kernels.units import hash_units
from curation.text.batch import TextBatch
from curation.text.kernels.compiling import Bytes, Int32s, Int64s, UInt64s
from curation.text.kernels.vocabulary import Vocabulary
from curation.text.normalize import normalized
from curation.text.segmentation import Text
from curation.text.segmenter import Segmentation

NARROW_WORDS = 0.5  # of a word that a character of an unspaced script counts for where words are counted
UNSPACED = regex.compile(
    "[\u0e00-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0003ffff]"
)


class Units(NamedTuple):
    """The units of documents [first, first + len(offsets) - 1) of a batch; as good as the vocabulary, until the next are made.

    hashes        uint64, document after document
    offsets       int64[documents + 1]: which units a document has
    narrow        uint8: 1 where a unit is a character of an unspaced script
    chunks        int32: which of the chunks a unit stands in
    found, base   the chunks, and where the documents begin in bytes of the batch
    vocabulary    what is known of the chunks
    buffer        the batch's bytes
    """

    first: int
    hashes: UInt64s
    offsets: Int64s
    narrow: Bytes
    chunks: Int32s
    found: Segmentation
    base: int
    vocabulary: Vocabulary
    buffer: Bytes


def units_of(texts: TextBatch, split: bool) -> Iterator[Units]:
    """The units of a batch, some documents at a time. `split`: characters of unspaced scripts are units of their own."""
    for portion, _, found in texts.segmented(texts.segmenter.normalise):
        vocabulary = texts.segmenter.vocabulary
        room = 4 * int(portion.bounds[-1] - portion.bounds[0]) + 64
        hashes, chunks, narrow = np.empty(room, np.uint64), np.empty(room, np.int32), np.empty(room, np.uint8)
        offsets = np.zeros(len(portion.bounds), np.int64)
        hash_units(vocabulary, found.numbers, found.offsets, split, hashes, chunks, narrow, offsets)
        count = int(offsets[-1])
        units = (hashes[:count], offsets, narrow[:count], chunks[:count])
        yield Units(portion.first, *units, found, portion.base, vocabulary, texts.buffer)


def unit_strings(string: str, split: bool) -> list[str]:
    """The same of one text, as strings: what the kernel hashes, for looking at it and for writing phrases."""
    words = Text(normalized(string)).words
    if not split:
        return words
    cut = (UNSPACED.sub(lambda found: f" {found[0]} ", word).split() for word in words)
    return [unit for units in cut for unit in units]
