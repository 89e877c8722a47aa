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
import xxhash

from connectors.errors import UserError
from connectors.text_columns import bounds_and_bytes
from curation.tokenize.characters import ProvenCharacters
from curation.tokenize.tokenizer import Lengths, Tokenizer, Tokens

ONE_IN = 1000  # costs a twenty-fifth of the time where the reference is forty times slower
HASHED = 64  # bytes at either end of a text
SEED = 0x746F6B656E73


class Encoder(Protocol):
    """A fast encoder, to be checked. Raises ValueError for texts that it gives up on."""

    def encode(self, texts: pa.Array) -> tuple[Tokens, Lengths]:
        """The ids of a column of strings, with offsets of 4 or 8 bytes, end to end, and how many each has."""
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
        bounds, data = bounds_and_bytes(column)
        if not self._characters.all_alike(data[bounds[0] : bounds[-1]]):
            return None
        try:
            tokens, lengths = self._encoder.encode(column)
        except ValueError:
            return None
        if (tokens == self._reference.end_of_document).any():
            return None
        stops = np.cumsum(lengths)
        places = zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
        content = data.data
        drawn = [row for row, (first, stop) in enumerate(places) if in_sample(content[first:stop])]
        self._check([(column[row].as_py(), tokens[stops[row] - lengths[row] : stops[row]]) for row in drawn])
        return tokens, lengths

    def agrees(self, strings: list[str]) -> bool:
        """Whether `encode` gives all these texts the reference's ids."""
        pairs = zip(self._trusted(strings), self._by_reference(strings), strict=True)
        return all(row is None or np.array_equal(row, right) for row, right in pairs)

    def _trusted(self, strings: list[str]) -> list[Tokens | None]:
        """The fast encoder's ids of each text; None where the text is the reference's."""
        doubtful = set(self._characters.doubtful(strings))
        fast = iter(self._fast([string for i, string in enumerate(strings) if i not in doubtful]))
        return [None if i in doubtful else next(fast) for i in range(len(strings))]

    def _alike(self, strings: list[str]) -> list[bool]:
        pairs = zip(self._fast(strings), self._by_reference(strings), strict=True)
        return [row is not None and np.array_equal(row, right) for row, right in pairs]

    def _fast(self, strings: list[str]) -> list[Tokens | None]:
        """The fast encoder's ids of each text; None where it passes, or takes the text for the end of a document."""
        try:
            tokens, lengths = self._encoder.encode(pa.array(strings, pa.large_string()))
        except ValueError:
            return [None] if len(strings) == 1 else [ids for string in strings for ids in self._fast([string])]
        end = self._reference.end_of_document
        ids = _rows(tokens, lengths)
        return list(ids) if end not in tokens else [None if end in row else row for row in ids]

    def _by_reference(self, strings: list[str]) -> Iterator[Tokens]:
        return _rows(*self._reference.encode_batch(strings)) if strings else iter(())

    def _check_sample(self, strings: list[str], ids: Sequence[Tokens | None]) -> None:
        pairs = zip(strings, ids, strict=True)
        self._check([(string, row) for string, row in pairs if row is not None and in_sample(string.encode())])

    def _check(self, drawn: Sequence[tuple[str, Tokens]]) -> None:
        expected = self._by_reference([string for string, _ in drawn])
        if not all(np.array_equal(row, right) for (_, row), right in zip(drawn, expected, strict=True)):
            raise UserError(
                f"The fast encoder gives a text of this run other tokens than the library of '{self._reference.name}' "
                "does, so it can't be trusted with this tokenizer: set tokenize.engine: reference."
            )


def in_sample(text: bytes | memoryview) -> bool:
    """Whether a text is one of those that both encoders encode: by a hash of its ends, so the same in every run."""
    return int(xxhash.xxh3_64_intdigest(bytes(text[:HASHED]) + bytes(text[-HASHED:]), seed=SEED)) % ONE_IN == 0


def _rows(tokens: Tokens, lengths: Lengths) -> Iterator[Tokens]:
    stops = np.cumsum(lengths)
    return (tokens[first:stop] for first, stop in zip((stops - lengths).tolist(), stops.tolist(), strict=True))
