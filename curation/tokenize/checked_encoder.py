"""A fast encoder that is held to the ids of a reference, text by text.

What is decided of a text depends on the text alone, never on what else was encoded, or when:

- A text with a character that the two treat differently is the reference's. Each character is tried, in many
  surroundings, when the first text brings it (`characters`).
- So is a text that the fast encoder gives up on, or for which it gives the end-of-document token.
- One text in `ONE_IN`, drawn by a hash of its ends, is encoded by both. One difference, and the run fails with a line
  that says how to go on.

Going on with the reference after such a difference would be wrong: texts before it, in this worker or another, have the
fast encoder's ids, and which these are depends on the order of the work. So a run ends whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa

from connectors.errors import UserError
from connectors.text_columns import bounds_and_bytes
from curation.tokenize.characters import ProvenCharacters, States
from curation.tokenize.kernels.encoding import hash_ends
from curation.tokenize.tokenizer import Lengths, Tokenizer, Tokens

ONE_IN = 1000  # costs a twenty-fifth of the time where the reference is forty times slower


class Encoder(Protocol):
    """A fast encoder, to be checked."""

    def encode(self, texts: pa.Array, proven: States | None = None) -> tuple[Tokens, Lengths]:
        """The ids of a column of strings, with offsets of 4 or 8 bytes, end to end, and how many each has.

        Raises ValueError for texts that it gives up on, and, if it is told which characters are proven, for a text with
        another one.
        """
        ...


class CheckedEncoder:
    """`encoder` where it agrees with `reference`, and `reference` where it does not."""

    def __init__(self, reference: Tokenizer, encoder: Encoder) -> None:
        self._reference, self._encoder = reference, encoder
        self._characters = ProvenCharacters(self._alike)

    def encode(self, strings: list[str]) -> list[Tokens]:
        """The ids of each text. Raises UserError when a text of the sample shows that the encoders differ."""
        ids = self._trusted(strings)
        self._check_sample(strings, ids)
        left = self._by_reference([string for string, row in zip(strings, ids, strict=True) if row is None])
        return [next(left) if row is None else row for row in ids]

    def encode_column(self, column: pa.Array) -> tuple[Tokens, Lengths] | None:
        """The ids of a column of texts in one go, and how many each has; None where one of them is to be looked at alone.

        Raises as `encode`.
        """
        encoded = self._encoded(column)
        if encoded is None:  # new characters may be what is wrong: they are tried now
            bounds, data = bounds_and_bytes(column)
            encoded = self._encoded(column) if self._characters.all_alike(data[bounds[0] : bounds[-1]]) else None
        if encoded is None:
            return None
        tokens, lengths = encoded
        if (tokens == self._reference.end_of_document).any():
            return None
        stops = np.cumsum(lengths)
        self._check([(column[row].as_py(), tokens[stops[row] - lengths[row] : stops[row]]) for row in drawn(column)])
        return tokens, lengths

    def _encoded(self, column: pa.Array) -> tuple[Tokens, Lengths] | None:
        """What the fast encoder makes of texts of proven characters; None where they have others, or it gives up."""
        try:
            return self._encoder.encode(column, self._characters.states)
        except ValueError:
            return None

    def agrees(self, strings: list[str]) -> bool:
        """Whether `encode` gives all these texts the reference's ids."""
        pairs = zip(self._trusted(strings), self._by_reference(strings), strict=True)
        return all(row is None or np.array_equal(row, right) for row, right in pairs)

    def _trusted(self, strings: list[str]) -> list[Tokens | None]:
        """The fast encoder's ids of each text; None where the text is the reference's."""
        doubtful = set(self._characters.doubtful(strings))
        proven = [string for i, string in enumerate(strings) if i not in doubtful]
        fast = iter(self._fast(proven, self._characters.states))
        return [None if i in doubtful else next(fast) for i in range(len(strings))]

    def _alike(self, strings: list[str]) -> list[bool]:
        pairs = zip(self._fast(strings), self._by_reference(strings), strict=True)
        return [row is not None and np.array_equal(row, right) for row, right in pairs]

    def _fast(self, strings: list[str], proven: States | None = None) -> list[Tokens | None]:
        """The fast encoder's ids of each text; None where it passes, or takes the text for the end of a document."""
        try:
            tokens, lengths = self._encoder.encode(pa.array(strings, pa.large_string()), proven)
        except ValueError:
            return [None] if len(strings) == 1 else [ids for string in strings for ids in self._fast([string], proven)]
        end = self._reference.end_of_document
        ids = _rows(tokens, lengths)
        return list(ids) if end not in tokens else [None if end in row else row for row in ids]

    def _by_reference(self, strings: list[str]) -> Iterator[Tokens]:
        return _rows(*self._reference.encode_batch(strings)) if strings else iter(())

    def _check_sample(self, strings: list[str], ids: Sequence[Tokens | None]) -> None:
        trusted = [(string, row) for string, row in zip(strings, ids, strict=True) if row is not None]
        self._check([trusted[place] for place in drawn(pa.array([text for text, _ in trusted], pa.large_string()))])

    def _check(self, sample: Sequence[tuple[str, Tokens]]) -> None:
        expected = self._by_reference([string for string, _ in sample])
        if not all(np.array_equal(row, right) for (_, row), right in zip(sample, expected, strict=True)):
            raise UserError(
                f"The fast encoder gives a text of this run other tokens than the library of '{self._reference.name}' "
                "does, so it can't be trusted with this tokenizer: set tokenize.engine: reference."
            )


def drawn(texts: pa.Array) -> list[int]:
    """The rows of the texts that both encoders encode: drawn by a hash of their ends, so the same in every run."""
    bounds, data = bounds_and_bytes(texts)
    hashes = np.empty(len(texts), np.uint64)
    hash_ends(data, bounds.astype(np.int64), hashes)
    rows: list[int] = np.flatnonzero(hashes % np.uint64(ONE_IN) == 0).tolist()
    return rows


def _rows(tokens: Tokens, lengths: Lengths) -> Iterator[Tokens]:
    stops = np.cumsum(lengths)
    return (tokens[first:stop] for first, stop in zip((stops - lengths).tolist(), stops.tolist(), strict=True))
