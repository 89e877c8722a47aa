"""A batch of texts, cut once: what all measures count, as arrays with a row for each text.

Each group of facts is computed when it is first asked for, by one kernel over the whole batch, and kept. Nothing here knows a
threshold. `columns.py` makes batches of columns of strings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from curation.text.kernels import lines as line_kernels
from curation.text.kernels import ngrams, repetition, words
from curation.text.kernels.compiling import Bytes, Int64s, UInt64s
from curation.text.kernels.normal_forms import hash_shingles
from curation.text.segmenter import Segmentation, Segmenter, process_segmenter

PORTION = 1 << 19  # bytes that go through a kernel together: what a core's second cache holds
SHORT_LINE = 30  # characters. Source: Penedo et al. 2024 (FineWeb), 3.6


class Lines(NamedTuple):
    """Lines by every line end, document after document. See `kernels/lines.py` for the columns and bits.

    facts    int64[lines, 7]; positions are in bytes of `buffer`
    offsets  int64[documents + 1]: which lines a document has
    """

    facts: Int64s
    offsets: Int64s
    buffer: Bytes

    @property
    def bits(self) -> Int64s:
        """The mark bits of each line."""
        return self.facts[:, line_kernels.LINE_MARKS]


class Shingles(NamedTuple):
    """Hashes of all documents' shingles: document d has hashes[offsets[d]:offsets[d + 1]]."""

    hashes: UInt64s
    offsets: Int64s


class Portion(NamedTuple):
    """Documents [first, stop) of a batch, whose bytes begin at `base`; `bounds` are relative to it."""

    first: int
    stop: int
    base: int
    bounds: Int64s


class TextBatch:
    """Texts in a buffer: document d is buffer[bounds[d]:bounds[d + 1]], valid UTF-8, with PADDING bytes behind the last."""

    def __init__(self, buffer: Bytes, bounds: Int64s, segmenter: Segmenter | None = None) -> None:
        self.buffer, self.bounds = buffer.view(), bounds
        self.buffer.flags.writeable = False  # kernels are compiled for such alone
        self.segmenter = segmenter or process_segmenter()
        self._segmentations: dict[int, Segmentation] = {}

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def string(self, row: int) -> str:
        """One text."""
        return self.buffer[self.bounds[row] : self.bounds[row + 1]].tobytes().decode()

    @cached_property
    def word_counts(self) -> Int64s:
        """int64[documents, 7]: columns COUNT_… of `kernels/words.py`."""
        counts = np.zeros((len(self), words.WORD_COUNTS), np.int64)
        for portion, _, found in self.segmented():
            rows = counts[portion.first : portion.stop]
            words.count_words(self.segmenter.vocabulary, found.joined, found.joined_offsets, rows)
        return counts

    @cached_property
    def white_space_words(self) -> Int64s:
        """int64[documents]: runs without white space, `len(text.split())`."""
        parts = [np.diff(found.offsets) for _, _, found in self.segmented()]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    @cached_property
    def repetition(self) -> Int64s:
        """int64[documents, 12]: columns REP_… of `kernels/repetition.py`; a short line has at most SHORT_LINE characters."""
        counts = np.zeros((len(self), repetition.REPETITION_COUNTS), np.int64)
        scratch = repetition.new_part_scratch(self._longest)
        for portion, view, found in self.segmented():
            repetition.count_repetition(
                self.segmenter.vocabulary.records, view, portion.bounds, found.numbers, found.starts, found.offsets,
                SHORT_LINE, counts[portion.first : portion.stop], scratch,
            )  # fmt: skip
        return counts

    @cached_property
    def ngrams(self) -> Int64s:
        """int64[documents, 10]: columns GRAM_… of `kernels/ngrams.py`."""
        counts = np.zeros((len(self), ngrams.NGRAM_COUNTS), np.int64)
        for portion, view, found in self.segmented():
            ngrams.count_ngrams(
                self.segmenter.vocabulary, view, found.joined, found.joined_starts, found.joined_offsets,
                self.segmenter.ngram_scratch, counts[portion.first : portion.stop],
            )  # fmt: skip
        return counts

    @cached_property
    def third_longest_lines(self) -> Int64s:
        r"""int64[documents]: characters of the third longest line by `\n`, 0 if there are fewer than three."""
        lengths = np.zeros(len(self), np.int64)
        repetition.third_longest_lines(self.buffer, self.bounds, lengths)
        return lengths

    @cached_property
    def sentences(self) -> Int64s:
        """int64[documents]: sentences of each text; an empty one has one."""
        return self.sentences_of(np.stack([self.bounds[:-1], self.bounds[1:]], axis=1))

    def sentences_of(self, spans: Int64s) -> Int64s:
        """Sentences of spans of bytes, int64[spans, 2], each as a text of its own; ascending, none across documents."""
        counts = np.ones(len(spans), np.int64)
        for portion, view, found in self.segmented():
            first, stop = np.searchsorted(spans[:, 0], self.bounds[[portion.first, portion.stop]])
            count = int(found.joined_offsets[-1])
            here = np.ascontiguousarray(spans[first:stop] - portion.base)
            records = self.segmenter.vocabulary.records
            line_kernels.count_sentences(
                records, view, found.joined, found.joined_starts, count, here, counts[first:stop]
            )
        return counts

    @cached_property
    def lines(self) -> Lines:
        """The lines of each text, stripped, with their sentences."""
        parts, offsets = [np.zeros((0, line_kernels.LINE_COLUMNS), np.int64)], [np.zeros(1, np.int64)]
        total = 0
        for portion, view, found in self.segmented():
            part, part_offsets = self._lines_of(portion, view, found)
            parts.append(part)
            offsets.append(part_offsets[1:] + total)
            total += len(part)
        facts = np.concatenate(parts)
        filled = np.flatnonzero(facts[:, line_kernels.LINE_WORDS])
        spans = np.ascontiguousarray(facts[filled, line_kernels.LINE_START : line_kernels.LINE_STOP + 1])
        facts[:, line_kernels.LINE_SENTENCES] = 1
        facts[filled, line_kernels.LINE_SENTENCES] = self.sentences_of(spans)
        return Lines(facts, np.concatenate(offsets), self.buffer)

    def _lines_of(self, portion: Portion, view: Bytes, found: Segmentation) -> tuple[Int64s, Int64s]:
        vocabulary = self.segmenter.vocabulary
        stops = np.empty(int(portion.bounds[-1] - portion.bounds[0]) + len(portion.bounds), np.int32)
        offsets = np.zeros(len(portion.bounds), np.int64)
        chunks = (found.numbers, found.starts, found.offsets)
        line_kernels.find_lines(vocabulary.records, view, portion.bounds, *chunks, found.gaps, stops, offsets)
        facts = np.zeros((int(offsets[-1]), line_kernels.LINE_COLUMNS), np.int64)
        line_kernels.place_lines(vocabulary.records, *chunks, stops, offsets, facts)
        line_kernels.describe_lines(vocabulary, view, *chunks, facts)
        facts[:, line_kernels.LINE_START] += portion.base
        facts[:, line_kernels.LINE_STOP] += portion.base
        facts[:, line_kernels.LINE_DOCUMENT] += portion.first
        return facts, offsets

    def shingles(self, size: int) -> Shingles:
        """xxh64 (seed 0) of every run of `size` normalised words joined by blanks, in order, repetitions included."""
        parts, offsets, total = [np.zeros(0, np.uint64)], [np.zeros(1, np.int64)], 0
        text, ends = np.empty(4 * self._longest + 256, np.uint8), np.empty(4 * self._longest + 256, np.int32)
        for portion, _, found in self.segmented(self.segmenter.normalise):
            length = int(portion.bounds[-1] - portion.bounds[0])
            hashes, here = np.empty(4 * length + 64, np.uint64), np.zeros(len(portion.bounds), np.int64)
            hash_shingles(self.segmenter.vocabulary, found.numbers, found.offsets, size, text, ends, hashes, here)
            parts.append(hashes[: here[-1]].copy())
            offsets.append(here[1:] + total)
            total += int(here[-1])
        return Shingles(np.concatenate(parts), np.concatenate(offsets))

    def word_spans(self) -> Iterator[tuple[Int64s, Int64s, Int64s]]:
        """Where the words of each portion begin and end, in bytes of the buffer, and each document's first word."""
        counts = self.word_counts
        for portion, _, found in self.segmented():
            vocabulary, room = self.segmenter.vocabulary, int(portion.bounds[-1] - portion.bounds[0]) + 1
            starts, stops = np.empty(room, np.int64), np.empty(room, np.int64)
            lists = (found.joined, found.joined_starts, found.joined_offsets)
            count = words.locate_tokens(vocabulary, *lists, starts, stops)
            tokens = counts[portion.first : portion.stop, words.COUNT_TOKENS]
            yield starts[:count] + portion.base, stops[:count] + portion.base, np.concatenate([[0], np.cumsum(tokens)])

    @cached_property
    def _longest(self) -> int:
        return int(np.diff(self.bounds).max(initial=0))

    @cached_property
    def _portions(self) -> list[Portion]:
        portions, first = [], 0
        while first < len(self):
            base = int(self.bounds[first])
            stop = max(first + 1, int(np.searchsorted(self.bounds, base + PORTION, "right")) - 1)
            portions.append(Portion(first, stop, base, self.bounds[first : stop + 1] - base))
            first = stop
        return portions

    def segmented(self, prepare: Callable[[], bool] | None = None) -> Iterator[tuple[Portion, Bytes, Segmentation]]:
        """Each portion with its bytes and chunks. Cuts again what was cut before the vocabulary was cleared.

        `prepare` is done for each; it gives False where the vocabulary had no room for it.
        """
        segmenter = self.segmenter
        for number, portion in enumerate(self._portions):
            view = self.buffer[portion.base :]
            while True:
                found = self._segmentations.get(number)
                if found is None or found.generation != segmenter.generation:
                    found = self._segmentations[number] = segmenter.segment(view, portion.bounds)
                else:
                    segmenter.require_room(int(np.diff(portion.bounds).max(initial=0)))
                if prepare is None or prepare():
                    break
                segmenter.make_room()
            yield portion, view, found
