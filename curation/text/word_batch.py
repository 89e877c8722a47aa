"""A batch of texts whose words were cut elsewhere: what lets one set of measures serve every language.

The facts of words and runs of words are those of the words given; lines, paragraphs, sentences and shingles are those of any
batch. A measure that is a function of one `Text` sees English words in it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from curation.text.batch import TextBatch
from curation.text.columns import batch_of
from curation.text.kernels import ngrams, words
from curation.text.kernels import vocabulary as columns
from curation.text.kernels.chunks import STOP_WORDS
from curation.text.kernels.compiling import Int32s, Int64s
from curation.text.kernels.vocabulary import Vocabulary, new_vocabulary
from curation.text.languages import Spans, word_spans
from curation.text.punctuation import SYMBOLS

Marks = npt.NDArray[np.int64]


def words_of_language(
    strings: Sequence[str], language: str, stop_words: Collection[str] | None = STOP_WORDS
) -> WordBatch:
    """A batch of texts in one language, cut by its tokenizer. Raises what `languages.require` does."""
    return WordBatch(strings, word_spans(strings, language), stop_words)


class WordBatch(TextBatch):
    """Texts with their words, and the stop words that are looked for among them; None: none is known, and counts are 0."""

    def __init__(self, strings: Sequence[str], spans: Spans, stop_words: Collection[str] | None = STOP_WORDS) -> None:
        plain = batch_of(strings)
        super().__init__(plain.buffer, plain.bounds)
        self._offsets = np.concatenate([[0], np.cumsum(spans.counts)]).astype(np.int64)
        self._documents = np.repeat(np.arange(len(strings)), spans.counts)
        cut = [strings[row][a:b] for row, a, b in zip(self._documents.tolist(), spans.starts, spans.stops, strict=True)]
        distinct: dict[str, int] = {}
        self._numbers: Int32s = np.array([distinct.setdefault(word, len(distinct)) for word in cut], np.int32)
        self._records = _records(distinct)
        self._starts = self._byte_positions(spans.starts)
        self._marks = np.array([(string.count("#"), string.count("...") + string.count("…")) for string in strings])
        known = frozenset(stop_words or ())
        self._stop_words = np.array([number for word, number in distinct.items() if word in known], np.int64)

    @cached_property
    def word_counts(self) -> Int64s:
        """int64[documents, 7]: columns COUNT_… of `kernels/words.py`."""
        counts = np.zeros((len(self), words.WORD_COUNTS), np.int64)
        records = self._records[self._numbers]
        for count, column in _SUMMED.items():
            counts[:, count] = self._sums(records[:, column])
        is_stop_word = np.isin(self._numbers, self._stop_words)
        kinds = len(self._records)
        once = np.unique(self._documents[is_stop_word] * kinds + self._numbers[is_stop_word])
        counts[:, words.COUNT_STOP_WORDS] = np.bincount(once // max(kinds, 1), minlength=len(self))
        if len(self):
            counts[:, [words.COUNT_HASHES, words.COUNT_ELLIPSES]] = self._marks
        return counts

    @cached_property
    def ngrams(self) -> Int64s:
        """int64[documents, 10]: columns GRAM_… of `kernels/ngrams.py`."""
        counts = np.zeros((len(self), ngrams.NGRAM_COUNTS), np.int64)
        vocabulary: Vocabulary = new_vocabulary(1)._replace(records=self._records)
        sizes = self._records[self._numbers, columns.TEXT_BYTES]
        # Words may overlap, so they may have more bytes than their text.
        room = max(int(self._sums(sizes).max(initial=0)), int(np.diff(self._offsets).max(initial=0)))
        scratch = ngrams.new_ngram_scratch(room, len(self._records))
        ngrams.count_ngrams(
            vocabulary, self.buffer, self._numbers, self._starts.astype(np.int32), self._offsets, scratch, counts
        )
        return counts

    def _sums(self, values: Int32s) -> Int64s:
        """The sum over each text's words."""
        running = np.zeros(len(values) + 1, np.int64)
        np.cumsum(values, out=running[1:])
        return np.diff(running[self._offsets])

    def _byte_positions(self, characters: Marks) -> Marks:
        """Positions in characters of the words' texts, as positions in bytes of the buffer."""
        total = int(self.bounds[-1])
        places = np.append(np.flatnonzero((self.buffer[:total] & 0xC0) != 0x80), total)
        first = np.searchsorted(places, self.bounds[:-1])
        positions: Marks = places[first[self._documents] + characters]
        return positions


# Columns of `count_words`, and those of a word's record that they add up
_SUMMED = {
    words.COUNT_TOKENS: columns.TOKENS,
    words.COUNT_WORDS: columns.WORDS,
    words.COUNT_WORD_CHARACTERS: columns.WORD_CHARACTERS,
    words.COUNT_LETTER_TOKENS: columns.LETTER_TOKENS,
}


def _records(distinct: Collection[str]) -> Int32s:
    """A record for each distinct word, as `kernels/vocabulary.py` has them: each is a chunk with one token, itself."""
    records = np.zeros((len(distinct), 16), np.int32)
    for number, word in enumerate(distinct):
        record = records[number]
        is_word = not SYMBOLS.issuperset(word)
        record[columns.TOKENS], record[columns.FIRST_TOKEN] = 1, number
        record[columns.WORDS], record[columns.WORD_CHARACTERS] = is_word, len(word) if is_word else 0
        record[columns.LETTER_TOKENS] = any(map(str.isalpha, word))
        record[columns.CHARACTERS], record[columns.TEXT_BYTES] = len(word), len(word.encode("utf-8", "replace"))
    return records
