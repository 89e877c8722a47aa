"""A source's shards as one stream of tokens, cut into chunks: which chunk a draw is, and which documents are in it.

The documents of the shards, in the manifest's order, follow each other, T tokens in all. In epoch e the cuts are shifted
by a keyed offset `o` in [0, S), so that epochs pack differently. Chunk c holds the tokens [o + cS, o + cS + S + 1); its S
labels are the last S. There are M = (T - S) // S chunks whatever the offset, and an epoch leaves out fewer than 2S + 1
tokens. Draw i is chunk `permutation(i mod M)` of epoch `i // M`.

Chunks are shuffled, documents are not: neighbours in a chunk are neighbours in the shard.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from connectors import erased_spans
from connectors.erased_spans import ErasedSpans
from connectors.errors import UserError
from connectors.megatron import ShardReader
from trainer.data.permutation import Permutation, key

Indices = npt.NDArray[np.int64]
_OFFSET, _ORDER = 1, 2  # what a key is for


@dataclass(frozen=True)
class Chunks:
    """Chunks of one source, arrays of one length. `start`: what the source finds the row by, its first input's position in the
    stream; where documents are packed, the chunk.
    """

    epoch: Indices
    chunk: Indices
    start: Indices


@dataclass(frozen=True)
class Pieces:
    """What the S labels of a row are: stretches of documents in order, arrays of one length. All labels are in one.

    document  index in the source; -1 is padding, which is not trained on
    position  of the first label in the source's stream; 0 of padding
    first     of the first label in the row
    tokens    labels
    begins    whether the first label is its document's first token
    """

    document: Indices
    position: Indices
    first: Indices
    tokens: Indices
    begins: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.document)


def joined(rows: Sequence[Pieces]) -> Pieces:
    """The pieces of several rows, one row's after another's."""
    columns = zip(*((row.document, row.position, row.first, row.tokens, row.begins) for row in rows))
    return Pieces(*map(np.concatenate, columns))


@dataclass(frozen=True)
class Sighting:
    """Labels of a document in one draw of its source: `first` is the label's position in the row."""

    draw: int
    epoch: int
    first: int
    tokens: int
    has_start: bool  # its first token is one of the labels
    erased: int = 0  # of the labels, how many were erased and are not trained on
    start_erased: bool = False  # its first token is one of them


class Source:
    """One source at one sequence length. Opening it reads shards' headers; memory grows with shards, not documents.

    name             the source's name in the run; part of every key, so that other sources do not change this one's order
    shards           (name, reader) in the manifest's order
    sequence_length  S, labels of a chunk
    seed             of the whole plan
    erased           by shard, where something was erased: spans of its tokens. They keep their places, and are no labels

    Raises `UserError` where no chunk fits: the source has fewer than 2S tokens.
    """

    def __init__(
        self,
        name: str,
        shards: Sequence[tuple[str, ShardReader]],
        sequence_length: int,
        seed: int,
        erased: Mapping[str, ErasedSpans] | None = None,
    ) -> None:
        self.name, self.sequence_length, self.seed = name, sequence_length, seed
        self.shards = [shard for shard, _ in shards]
        self._readers = [reader for _, reader in shards]
        self._first_tokens = _sums([reader.tokens for reader in self._readers])
        self._first_documents = _sums([len(reader) for reader in self._readers])
        self.tokens, self.documents = self._first_tokens[-1], self._first_documents[-1]
        self.chunks = self._cut()
        parts = [(base, (erased or {}).get(shard)) for shard, base in zip(self.shards, self._first_tokens)]
        self.erased = erased_spans.joined(
            [(base, spans) for base, spans in parts if spans is not None]
        )  # of the stream
        self.offset = lru_cache(maxsize=8)(self._offset)
        self._order = lru_cache(maxsize=8)(self._permutation)

    def _cut(self) -> int:
        """How many chunks there are in an epoch."""
        chunks = (self.tokens - self.sequence_length) // self.sequence_length
        if chunks < 1:
            raise UserError(
                f"Source '{self.name}' has {self.tokens:,} tokens, too few for data.sequence_length "
                f"{self.sequence_length:,}: it takes twice that. Shorten the sequence, or leave the source out of data.stages."
            )
        return chunks

    def _offset(self, epoch: int) -> int:
        """Where the first chunk of an epoch starts."""
        return key(self.seed, self.name, epoch, _OFFSET) % self.sequence_length

    def _permutation(self, epoch: int) -> Permutation:
        return Permutation(self.chunks, key(self.seed, self.name, epoch, _ORDER))

    def locate(self, draws: npt.ArrayLike) -> Chunks:
        """The chunk of each draw."""
        numbers = np.atleast_1d(np.asarray(draws, dtype=np.int64))
        epoch, within = np.divmod(numbers, self.chunks)
        chunk, start = np.empty_like(within), np.empty_like(within)
        for one in np.unique(epoch).tolist():
            of_epoch = epoch == one
            chunk[of_epoch] = self._order(one)(within[of_epoch])
            start[of_epoch] = self._starts(one, chunk[of_epoch])
        return Chunks(epoch, chunk, start)

    def _starts(self, epoch: int, chunks: Indices) -> Indices:
        return self.offset(epoch) + chunks * self.sequence_length

    def read_row(self, pieces: Pieces, inputs: Indices, labels: Indices) -> None:
        """Fill the S inputs and S labels of a row of these pieces."""
        tokens = np.empty(self.sequence_length + 1, dtype=np.int64)
        self.read(int(pieces.position[0]) - 1, tokens)
        inputs[:], labels[:] = tokens[:-1], tokens[1:]

    def pieces(self, start: int) -> Pieces:
        """The documents of a row's labels."""
        documents, begins = self.labels(start)
        first = np.maximum(begins, 0)
        tokens = np.empty_like(first)
        tokens[:-1], tokens[-1] = first[1:], self.sequence_length
        return Pieces(documents, first + (start + 1), first, tokens - first, begins >= 0)

    def read(self, start: int, tokens: Indices) -> None:
        """Fill `tokens` with the stream from position `start` on."""
        done = 0
        while done < len(tokens):
            shard = bisect_right(self._first_tokens, start + done) - 1
            local = start + done - self._first_tokens[shard]
            count = min(len(tokens) - done, self._readers[shard].tokens - local)
            tokens[done : done + count] = self._readers[shard].range(local, local + count)
            done += count

    def labels(self, start: int) -> tuple[Indices, Indices]:
        """The documents of the S labels after position `start`, in order, those without tokens left out.

        Returns their indices in the source, and where each begins, counted from the first label: below 0 where it began
        earlier, which only the first one may have.
        """
        first, stop = start + 1, start + 1 + self.sequence_length
        found: list[tuple[Indices, Indices]] = []
        position = first
        while position < stop:
            shard = bisect_right(self._first_tokens, position) - 1
            reader, base = self._readers[shard], self._first_tokens[shard]
            end = min(stop, base + reader.tokens)
            low, high = _document_at(reader, position - base), _document_at(reader, end - 1 - base)
            begins = reader._starts(slice(low, high + 1))
            documents = np.arange(low, high + 1, dtype=np.int64)
            filled = np.append(begins[1:] > begins[:-1], True)
            if not filled.all():
                documents, begins = documents[filled], begins[filled]
            found.append((documents + self._first_documents[shard], begins + (base - first)))
            position = end
        if len(found) == 1:
            return found[0]
        return np.concatenate([one for one, _ in found]), np.concatenate([one for _, one in found])

    def shard_of(self, document: int) -> tuple[str, int]:
        """The shard that a document is in, and its index there."""
        shard = self._shard_of(document)
        return self.shards[shard], document - self._first_documents[shard]

    def document_at(self, shard: str, token: int) -> int:
        """The document, as an index of this source, that a token of a shard belongs to."""
        number = self.shards.index(shard)
        return self._first_documents[number] + _document_at(self._readers[number], token)

    def _document_of(self, position: int) -> int:
        """The document that a position of the stream belongs to."""
        shard = bisect_right(self._first_tokens, position) - 1
        return self._first_documents[shard] + _document_at(self._readers[shard], position - self._first_tokens[shard])

    def stream_position(self, shard: str, token: int) -> int:
        """Where a token of a shard is in the stream."""
        return self._first_tokens[self.shards.index(shard)] + token

    def draws_of(self, epoch: int, chunks: Indices) -> Indices:
        """The draws of an epoch that are these chunks."""
        return self._order(epoch).inverse(chunks) + epoch * self.chunks

    def token_range(self, document: int) -> tuple[int, int]:
        """First token of a document in the stream, and the first one after it."""
        shard = self._shard_of(document)
        reader, base = self._readers[shard], self._first_tokens[shard]
        local = document - self._first_documents[shard]
        begins = [*reader._starts(slice(local, local + 2)).tolist(), reader.tokens]
        return base + int(begins[0]), base + int(begins[1])

    def _shard_of(self, document: int) -> int:
        if not 0 <= document < self.documents:
            raise IndexError(f"document {document} of a source of {self.documents}")
        return bisect_right(self._first_documents, document) - 1

    def sightings(self, document: int, epoch: int) -> list[Sighting]:
        """The draws of an epoch with labels of a document: its tokens give the chunks, the inverse gives the draws."""
        start, stop = self.token_range(document)
        if start == stop:
            return []
        size, offset = self.sequence_length, self.offset(epoch)
        lowest, highest = max(0, (start - 1 - offset) // size), min(self.chunks - 1, (stop - 2 - offset) // size)
        if highest < lowest:
            return []
        chunks = np.arange(lowest, highest + 1, dtype=np.int64)
        draws = self.draws_of(epoch, chunks)
        found = []
        for draw, chunk in zip(draws.tolist(), chunks.tolist()):
            first_label = offset + chunk * size + 1
            first, end = max(start, first_label), min(stop, first_label + size)
            has_start = start >= first_label
            erased = self.erased.count(first, end), has_start and self.erased.count(first, first + 1) > 0
            found.append(Sighting(draw, epoch, first - first_label, end - first, has_start, *erased))
        return sorted(found, key=lambda one: one.draw)

    def first_draw(self, epoch: int, start: int, stop: int) -> int | None:
        """The first draw of an epoch that has one of the tokens [start, stop) of the stream as an input or a label."""
        size, offset = self.sequence_length, self.offset(epoch)
        lowest, highest = max(0, -(-(start - size - offset) // size)), min(self.chunks - 1, (stop - 1 - offset) // size)
        if highest < lowest:
            return None
        return int(self.draws_of(epoch, np.arange(lowest, highest + 1, dtype=np.int64)).min())


def _sums(counts: list[int]) -> list[int]:
    """0, then the running sums."""
    sums = [0]
    for count in counts:
        sums.append(sums[-1] + count)
    return sums


def _document_at(reader: ShardReader, token: int) -> int:
    """The document of a shard that a token belongs to, by two binary searches in the memory-mapped pointers.

    `np.searchsorted` would copy the pointers at each call: they are not aligned in the file.
    """
    sequence = bisect_right(reader._sequence_starts, token * reader.dtype.itemsize) - 1
    return bisect_right(reader._first_sequence, sequence) - 1
