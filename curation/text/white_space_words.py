"""What is known of a batch's words by white space, and of what it says more than once, for filters that cut words so.

Computed for a whole batch from the chunks that it is cut into anyway: a chunk is a run without white space.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.text.batch import TextBatch
from curation.text.kernels.chunks import STOP_WORDS
from curation.text.kernels.compiling import Bytes, Int32s, Int64s
from curation.text.kernels.recurrence import (
    LINE_COUNTS,
    RUN_COUNTS,
    count_recurring_lines,
    count_recurring_runs,
    new_run_scratch,
)
from curation.text.kernels.vocabulary import (
    CHARACTERS,
    HAS_COUNTS,
    HASHES,
    LETTER_TOKENS,
    MARKS,
    TEXT_BYTES,
    TEXT_START,
    Vocabulary,
)

ELLIPSIS = "…".encode()
_LONGEST_STOP_WORD = 4  # bytes
_STOP_WORDS = np.sort([int.from_bytes(word.encode(), "little") for word in STOP_WORDS])
_LOWER_CASE = 0x20202020


class WhiteSpaceWords(NamedTuple):
    """One number a text, int64[texts], unless it says otherwise.

    words, characters     words, and characters in words
    median_lengths        float64: of the words in characters, the mean of the two in the middle if there are two; NaN if none
    letter_words          words with at least one letter
    symbol_words          words with `#` or `…`
    stop_words            words that are one of Gopher's eight, as it is written
    stop_words_any_case   the same in any case
    runs                  int64[texts, 15]: columns RUN_… of `kernels/recurrence.py`
    """

    words: Int64s
    characters: Int64s
    median_lengths: npt.NDArray[np.float64]
    letter_words: Int64s
    symbol_words: Int64s
    stop_words: Int64s
    stop_words_any_case: Int64s
    runs: Int64s


@functools.lru_cache(maxsize=1)
def white_space_words(texts: TextBatch) -> WhiteSpaceWords:
    """What is known of a batch's words by white space; kept for the next measure of the same batch."""
    parts = [_of_portion(texts.segmenter.vocabulary, found.numbers, found.offsets) for _, _, found in texts.segmented()]
    if not parts:
        return _of_portion(texts.segmenter.vocabulary, np.zeros(0, np.int32), np.zeros(1, np.int64))
    return WhiteSpaceWords(*map(np.concatenate, zip(*parts, strict=True)))


def _of_portion(vocabulary: Vocabulary, numbers: Int32s, offsets: Int64s) -> WhiteSpaceWords:
    chunks = numbers[: offsets[-1]]
    records, words = vocabulary.records[chunks], np.diff(offsets)
    stop_words, any_case = _stop_words(vocabulary, records)
    runs = np.zeros((len(words), RUN_COUNTS), np.int64)
    count_recurring_runs(vocabulary.records, numbers, offsets, new_run_scratch(int(words.max(initial=0))), runs)
    return WhiteSpaceWords(
        words=words,
        characters=_sums(records[:, CHARACTERS], offsets),
        median_lengths=_medians(records[:, CHARACTERS], offsets),
        letter_words=_sums(records[:, LETTER_TOKENS] > 0, offsets),
        symbol_words=_sums(_with_symbol(vocabulary, chunks, records), offsets),
        stop_words=_sums(stop_words, offsets),
        stop_words_any_case=_sums(any_case, offsets),
        runs=runs,
    )


def _sums(values: npt.NDArray[np.int32] | npt.NDArray[np.bool_], offsets: Int64s) -> Int64s:
    """The sum over each text's words."""
    running = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=running[1:])
    return np.diff(running[offsets])


def _medians(lengths: Int32s, offsets: Int64s) -> npt.NDArray[np.float64]:
    """The median over each text's words."""
    counts = np.diff(offsets)
    ordered = lengths[np.lexsort((lengths, np.repeat(np.arange(len(counts)), counts)))]
    filled = np.flatnonzero(counts)
    low, high = offsets[filled] + (counts[filled] - 1) // 2, offsets[filled] + counts[filled] // 2
    medians = np.full(len(counts), np.nan)
    medians[filled] = (ordered[low].astype(np.float64) + ordered[high]) / 2
    return medians


def _with_symbol(vocabulary: Vocabulary, chunks: Int32s, records: Int32s) -> npt.NDArray[np.bool_]:
    """Which words have a `#` or `…`; three dots, which are counted as an ellipsis elsewhere, are none."""
    counted = np.flatnonzero(records[:, MARKS] & HAS_COUNTS)
    found = np.zeros(len(chunks), np.bool_)
    distinct, of_word = np.unique(chunks[counted], return_inverse=True)
    has_symbol = [
        bool(vocabulary.extras[chunk, HASHES]) or ELLIPSIS in _content(vocabulary, chunk) for chunk in distinct.tolist()
    ]
    found[counted] = np.array(has_symbol, np.bool_)[of_word]
    return found


def _content(vocabulary: Vocabulary, chunk: int) -> bytes:
    start, size = vocabulary.records[chunk, TEXT_START], vocabulary.records[chunk, TEXT_BYTES]
    return vocabulary.text[start : start + size].tobytes()


def _stop_words(vocabulary: Vocabulary, records: Int32s) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which words are stop words, as they are written and in any case."""
    short = np.flatnonzero(records[:, TEXT_BYTES] <= _LONGEST_STOP_WORD)
    starts, sizes = records[short, TEXT_START].astype(np.int64), records[short, TEXT_BYTES]
    keys = np.zeros(len(short), np.int64)
    for place in range(_LONGEST_STOP_WORD):
        keys |= np.where(place < sizes, vocabulary.text[starts + place].astype(np.int64) << (8 * place), 0)
    masks = (np.int64(1) << (8 * sizes.astype(np.int64))) - 1
    both = [np.zeros(len(records), np.bool_) for _ in range(2)]
    for found, spelt in zip(both, (keys, keys | (_LOWER_CASE & masks)), strict=True):
        found[short] = _STOP_WORDS[np.searchsorted(_STOP_WORDS[:-1], spelt)] == spelt
    return both[0], both[1]


@functools.lru_cache(maxsize=1)
def recurring_lines(texts: TextBatch) -> Int64s:
    r"""int64[texts, 5]: columns of lines of `kernels/recurrence.py`; lines are what stands between runs of `\n`."""
    counts = np.zeros((len(texts), LINE_COUNTS), np.int64)
    most = int(_newlines(texts.buffer, texts.bounds).max(initial=0)) + 8
    table, newlines, starts, stops = (np.zeros(size, np.int32) for size in (4 * most + 16, most, most, most))
    hashes, copied = np.zeros(most, np.uint64), np.zeros(most, np.uint8)
    count_recurring_lines(texts.buffer, texts.bounds, counts, table, newlines, starts, stops, hashes, copied)
    return counts


def _newlines(buffer: Bytes, bounds: Int64s) -> Int64s:
    """How many each text has."""
    places = np.flatnonzero(buffer[: bounds[-1]] == ord("\n"))
    return np.diff(np.searchsorted(places, bounds))
