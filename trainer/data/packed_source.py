"""A source's documents, packed: a chunk is a sequence of `Packing`, its labels whole documents, and padding behind them.

A row is made of labels: each token of the source is one label an epoch, and none is left out. A label's input is the token
before it in its document; before a document's first token it is the end-of-document token, as in a stream. So a document of
S tokens fills a row, and no token is lost where a longer one is cut.

What goes on from another row stands first in its own, as where a stream is cut. Every epoch has the same sequences, in
another order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from connectors.erased_spans import ErasedSpans
from connectors.errors import UserError
from connectors.megatron import ShardReader
from trainer.data.packing import Packing
from trainer.data.source import Indices, Pieces, Sighting, Source, joined


class PackedSource(Source):
    """One source, packed at one sequence length. Opening it reads the documents' lengths; memory is that of `Packing`.

    end_of_document  the input before a document's first token, and padding

    Raises `UserError` for a source without tokens.
    """

    def __init__(
        self,
        name: str,
        shards: Sequence[tuple[str, ShardReader]],
        sequence_length: int,
        seed: int,
        erased: Mapping[str, ErasedSpans] | None = None,
        *,
        end_of_document: int,
    ) -> None:
        self.end_of_document = end_of_document
        super().__init__(name, shards, sequence_length, seed, erased)

    def _cut(self) -> int:
        if not self.tokens:
            raise UserError(f"Source '{self.name}' has no tokens: leave it out of data.stages.")
        self.packing = Packing(self._lengths, self.sequence_length)
        return self.packing.sequences

    def _lengths(self) -> Iterator[Indices]:
        return (reader.lengths for reader in self._readers)

    def _starts(self, epoch: int, chunks: Indices) -> Indices:
        return chunks

    def read_row(self, pieces: Pieces, inputs: Indices, labels: Indices) -> None:
        """Fill the S inputs and S labels of a row of these pieces."""
        end = self.end_of_document
        labels[:] = end
        places = zip(pieces.document.tolist(), pieces.position.tolist(), pieces.first.tolist(), pieces.tokens.tolist())
        for document, position, first, tokens in places:
            if document >= 0:
                self.read(position, labels[first : first + tokens])
        inputs[1:] = labels[:-1]
        inputs[pieces.first] = end
        for piece in np.flatnonzero((pieces.document >= 0) & ~pieces.begins).tolist():
            self.read(int(pieces.position[piece]) - 1, inputs[pieces.first[piece] : pieces.first[piece] + 1])

    def pieces(self, start: int) -> Pieces:
        """The documents of a row's labels, and the padding."""
        parts = self.packing.parts(start)
        position = np.array([self.token_range(document)[0] for document in parts.document.tolist()]) + parts.first
        begins = parts.first == 0
        order = np.argsort(begins, kind="stable")
        tokens = parts.tokens[order]
        ends = np.cumsum(tokens)
        documents = Pieces(parts.document[order], position[order], ends - tokens, tokens, begins[order])
        padding = self.sequence_length - int(ends[-1])
        return joined([documents, _padding(int(ends[-1]), padding)]) if padding else documents

    def sightings(self, document: int, epoch: int) -> list[Sighting]:
        """The draws of an epoch with labels of a document."""
        start, stop = self.token_range(document)
        chunks = self.packing.sequences_of(document, stop - start)
        found = []
        for draw, chunk in zip(self.draws_of(epoch, chunks).tolist(), chunks.tolist()):
            pieces = self.pieces(chunk)
            (at,) = np.flatnonzero(pieces.document == document).tolist()
            position, tokens, has_start = int(pieces.position[at]), int(pieces.tokens[at]), bool(pieces.begins[at])
            erased = self.erased.count(position, position + tokens)
            start_erased = has_start and self.erased.count(position, position + 1) > 0
            found.append(Sighting(draw, epoch, int(pieces.first[at]), tokens, has_start, erased, start_erased))
        return sorted(found, key=lambda one: one.draw)

    def first_draw(self, epoch: int, start: int, stop: int) -> int | None:
        """The first draw of an epoch that has one of the tokens [start, stop) of the stream as an input or a label."""
        size, chunks = self.sequence_length, [np.zeros(0, np.int64)]
        position = start
        while position < stop:
            document = self._document_of(position)
            begin, end = self.token_range(document)
            # A token is the input of the label behind it, so a sequence that ends with it is followed by one that begins with it.
            low, high = (position - begin) // size, (min(stop, end - 1) - begin) // size
            chunks.append(self.packing.sequences_of(document, end - begin)[low : high + 1])
            position = end
        held = np.concatenate(chunks)
        return int(self.draws_of(epoch, held).min()) if len(held) else None


def _padding(first: int, tokens: int) -> Pieces:
    """The labels behind a row's last document."""
    document, position, first_label, labels = (np.array([number]) for number in (-1, 0, first, tokens))
    return Pieces(document, position, first_label, labels, np.array([False]))
