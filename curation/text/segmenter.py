"""The process's vocabulary and the kernels that fill it: bytes of documents in, lists of chunks out.

One segmenter serves a whole process, so that what was cut for one document serves all later ones. Its memory is capped; when
the vocabulary is full it is cleared, which costs time and changes no result.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from curation.text.english.layout import Tables
from curation.text.english.tables import load
from curation.text.kernels.chunks import FULL, cut_new_chunks
from curation.text.kernels.compiling import Bytes, Int32s, Int64s
from curation.text.kernels.ngrams import NgramScratch, new_ngram_scratch
from curation.text.kernels.normal_forms import keep_by_python, normalise_new
from curation.text.kernels.segmenting import BLOCK, join_linked, noted_chunks, segment
from curation.text.kernels.vocabulary import (
    CHUNKS_USED,
    PADDING,
    TEXT_BYTES,
    TEXT_START,
    Scratch,
    Vocabulary,
    clear,
    new_scratch,
    new_vocabulary,
)
from curation.text.normalize import normalized

CHUNKS = 1 << 19  # distinct chunks held: at most 256 MB, reached after some 60 MB of new English text
LARGE = 1 << 21  # bytes of a document; the room that a larger one needs is given back behind it


class Segmentation(NamedTuple):
    """The chunks of a run of documents, see `kernels/segmenting.py`.

    numbers, starts, offsets, gaps                 as white space cuts them: for lines, and words by white space
    joined, joined_starts, joined_offsets          those with phrases across them joined: for tokens; mostly the same arrays
    generation                                     of the vocabulary that the numbers are of
    """

    numbers: Int32s
    starts: Int32s
    offsets: Int64s
    gaps: Int32s
    joined: Int32s
    joined_starts: Int32s
    joined_offsets: Int64s
    generation: int


class Segmenter:
    """Cuts documents into chunks that it knows or learns to know.

    `chunks`: distinct ones that are held, a power of two; a single document may need, and for its time gets, more.
    `generation` counts how often the vocabulary was cleared: chunk numbers of an earlier one mean nothing any more.
    """

    def __init__(self, chunks: int = CHUNKS) -> None:
        self.tables: Tables = load()
        self.vocabulary: Vocabulary = new_vocabulary(chunks)
        self.generation = 0
        self._chunks = chunks
        self._normalised = 0
        self._served = 0  # portions since the vocabulary was cleared
        self._longest = 0
        self._block = np.zeros((BLOCK, 4), np.uint64)
        self._scratch: Scratch
        self._ngrams: NgramScratch | None = None
        self.require_room(1 << 16)

    def require_room(self, longest: int) -> None:
        """Makes the scratch large enough for documents of so many bytes, and small again behind a large one."""
        if self._longest > LARGE >= longest:
            self._longest = 0
        self._grow(longest)

    def _grow(self, longest: int) -> None:
        """Makes the scratch large enough for chunks of so many bytes."""
        if longest > self._longest:
            self._longest = max(longest, 1 << 16)
            self._scratch = new_scratch(self._longest)
            self._ngrams = None

    @property
    def ngram_scratch(self) -> NgramScratch:
        """Scratch of the n-gram kernels."""
        if self._ngrams is None or len(self._ngrams.token_counts) < len(self.vocabulary.token_records):
            self._ngrams = new_ngram_scratch(self._longest, len(self.vocabulary.token_records))
        return self._ngrams

    def segment(self, buffer: Bytes, bounds: Int64s) -> Segmentation:
        """The chunks of documents buffer[bounds[d]:bounds[d + 1]]; `buffer` has PADDING readable bytes behind them."""
        self.require_room(int(np.diff(bounds).max(initial=0)))
        while (found := self._try(buffer, bounds)) is None:
            self.make_room()
        self._served += 1
        return found

    def make_room(self) -> None:
        """After the vocabulary was found full: clears it, or, if it holds one portion only, doubles it."""
        if self._served:
            if len(self.vocabulary.records) > self._chunks:
                self.vocabulary = new_vocabulary(self._chunks)
            else:
                clear(self.vocabulary)
        else:
            self.vocabulary = new_vocabulary(2 * len(self.vocabulary.records))
        self.generation += 1
        self._served = self._normalised = 0

    def normalise(self) -> bool:
        """Makes the normal forms of all chunks that have none. False if there is no room: `make_room`, and segment again."""
        known = int(self.vocabulary.used[CHUNKS_USED])
        # A chunk of an earlier, larger document may be among them, which nobody asked the normal form of.
        self._grow(int(self.vocabulary.records[self._normalised : known, TEXT_BYTES].max(initial=0)))
        left = np.empty(known - self._normalised, np.int32)
        stop, count = normalise_new(self.tables, self.vocabulary, self._scratch, self._normalised, left)
        if stop < 0 or not all(map(self._normalise_in_python, left[:count].tolist())):
            return False
        self._normalised = stop
        return True

    def _normalise_in_python(self, chunk: int) -> bool:
        """For the few chunks with a code point whose normal form depends on its neighbours."""
        record = self.vocabulary.records[chunk]
        start, size = int(record[TEXT_START]), int(record[TEXT_BYTES])
        form = normalized(self.vocabulary.text[start : start + size].tobytes().decode()).encode()
        self._grow(2 * len(form))
        padded = np.frombuffer(form + bytes(PADDING), np.uint8).copy()
        return keep_by_python(self.tables, self.vocabulary, self._scratch, padded, chunk, len(form))

    def _try(self, buffer: Bytes, bounds: Int64s) -> Segmentation | None:
        vocabulary = self.vocabulary
        known = int(vocabulary.used[CHUNKS_USED])
        room = int(bounds[-1] - bounds[0]) // 2 + len(bounds) + PADDING
        numbers, starts = np.empty(room, np.int32), np.empty(room, np.int32)
        offsets = np.zeros(len(bounds), np.int64)
        room_of_gaps = np.empty(room, np.int32)
        gap_count = segment(vocabulary, buffer, bounds, numbers, starts, offsets, room_of_gaps, self._block)
        if gap_count == FULL:
            return None
        gaps = room_of_gaps[:gap_count]
        described = cut_new_chunks(self.tables, vocabulary, self._scratch, known)
        if described == FULL:
            return None
        noted = np.empty(room, np.int32)
        found, linked = noted_chunks(vocabulary.records, buffer, numbers, starts, int(offsets[-1]), known, noted)
        if not linked:
            return Segmentation(numbers, starts, offsets, gaps, numbers, starts, offsets, self.generation)
        joined, joined_starts, joined_offsets = np.empty_like(numbers), np.empty_like(starts), np.empty_like(offsets)
        lists = (numbers, starts, offsets, noted, found, joined, joined_starts, joined_offsets)
        if not join_linked(vocabulary, buffer, *lists):
            return None
        if cut_new_chunks(self.tables, vocabulary, self._scratch, described) == FULL:
            return None
        return Segmentation(numbers, starts, offsets, gaps, joined, joined_starts, joined_offsets, self.generation)


@functools.cache
def process_segmenter() -> Segmenter:
    """The one segmenter of this process."""
    return Segmenter()
