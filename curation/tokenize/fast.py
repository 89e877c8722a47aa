"""A tokenizer that gives the reference library's ids, by a faster encoder wherever the two are known to agree.

When a worker opens it, both encode `probes`: hard texts, and texts made of the vocabulary itself. One difference, and the next
encoder is tried: our own first, then fastokens. Where none agrees, the reference encodes everything. What is checked after that,
text by text, stands in `checked_encoder`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Protocol

import numpy as np
import pyarrow as pa

from curation.tokenize import probes
from curation.tokenize.byte_level_encoder import open_byte_level
from curation.tokenize.checked_encoder import CheckedEncoder, Encoder
from curation.tokenize.fastokens_encoder import open_fastokens
from curation.tokenize.huggingface import HuggingFaceTokenizer
from curation.tokenize.tiktoken_ranks import TiktokenTokenizer
from curation.tokenize.tokenizer import Lengths, Tokenizer, Tokens, in_groups

LOGGER = logging.getLogger(__name__)


class Reference(Tokenizer, Protocol):
    """A tokenizer that can be asked for what it knows, to make probes of it."""

    def spellings(self) -> list[str]:
        """The text of every token, in the order of ids."""
        ...

    def added_spellings(self) -> list[str]:
        """The text of the tokens that are looked for before all others: special tokens, runs of spaces."""
        ...


class FastTokenizer:
    """A `Tokenizer` that gives the ids of `reference`. A fast encoder is opened at the first text, once.

    The first that opens and agrees on the probes is taken.
    """

    def __init__(self, reference: Reference, *openers: Callable[[], Encoder | None]) -> None:
        self.reference = reference
        self.name, self.digest = reference.name, reference.digest
        self.vocabulary_size, self.end_of_document = reference.vocabulary_size, reference.end_of_document
        self._openers = openers

    @cached_property
    def checked(self) -> CheckedEncoder | None:
        """The fast encoder with its checks; None where there is none, or none that agrees on the probes."""
        texts: list[str] = []
        for encoder in (opener() for opener in self._openers):
            if encoder is None:
                continue
            checked = CheckedEncoder(self.reference, encoder)
            texts = texts or probes.texts(self.reference.spellings(), self.reference.added_spellings())
            if checked.agrees(texts):
                return checked
            LOGGER.warning("a fast encoder differs from the library of '%s', and is not used", self.name)
        return None

    def encode_batch(self, strings: Sequence[str]) -> tuple[Tokens, Lengths]:
        """See `Tokenizer.encode_batch`. Raises UserError when a text shows that the fast encoder can't be trusted."""
        if self.checked is None:
            return self.reference.encode_batch(strings)
        ids = [row for group in in_groups(strings) for row in self.checked.encode(group)]
        lengths = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
        return np.concatenate([np.zeros(0, np.int32), *ids]), lengths

    def encode_column(self, column: pa.Array) -> tuple[Tokens, Lengths]:
        """`encode_batch` of a column of strings, which should be no more than a batch."""
        encoded = self.checked.encode_column(column) if self.checked is not None and len(column) else None
        return self.encode_batch(column.to_pylist()) if encoded is None else encoded


def encode_column(tokenizer: Tokenizer, column: pa.Array) -> tuple[Tokens, Lengths]:
    """`Tokenizer.encode_batch` of a column of strings."""
    if isinstance(tokenizer, FastTokenizer):
        return tokenizer.encode_column(column)
    return tokenizer.encode_batch(column.to_pylist())


def with_fast_encoder(reference: Tokenizer) -> Tokenizer:
    """The tokenizer behind a fast encoder; itself where there is none for its kind."""
    if isinstance(reference, HuggingFaceTokenizer):
        return FastTokenizer(reference, partial(open_byte_level, reference), partial(open_fastokens, reference))
    if isinstance(reference, TiktokenTokenizer):
        return FastTokenizer(reference, partial(open_fastokens, reference))
    return reference
