"""Tokenizers that the `tokenizers` library runs: those of a `tokenizer.json`, and pipelines built from older files."""

from __future__ import annotations

import gc
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.errors import UserError
from curation.tokenize.tokenizer import Lengths, Tokens, encoded_in_groups, end_of_document_name

if TYPE_CHECKING:
    import tokenizers


def library() -> Any:
    """The `tokenizers` package, told to stay on one thread unless the user's environment says otherwise."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import tokenizers

    return tokenizers


@contextmanager
def uncollected() -> Iterator[None]:
    """Meanwhile nothing is searched for garbage: a vocabulary is 100,000 small objects, none of which is, and their number has
    the collector look through all that the process holds, for 0.1 s each time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class HuggingFaceTokenizer:
    """A `Tokenizer` on a pipeline of the `tokenizers` library.

    The end-of-document token must be one of its added tokens, or one that no text reaches; UserError otherwise.
    """

    def __init__(self, pipeline: tokenizers.Tokenizer, name: str, digest: str, end_of_document: str | None) -> None:
        pipeline.encode_special_tokens = True
        vocabulary = pipeline.get_vocab(with_added_tokens=True)
        end = end_of_document_name(vocabulary, end_of_document, name)
        self.name, self.digest = name, digest
        self.vocabulary_size = max(vocabulary.values()) + 1
        self.end_of_document: int = vocabulary[end]
        self._pipeline = pipeline
        added = pipeline.get_added_tokens_decoder()
        if self.end_of_document not in added and self.end_of_document in self._encode([end])[0]:
            raise UserError(f"The token '{end}' of the tokenizer '{name}' is ordinary text: it can't end documents.")

    def encode_batch(self, strings: Sequence[str]) -> tuple[Tokens, Lengths]:
        tokens, lengths = encoded_in_groups(self._encode, strings)
        if (tokens == self.end_of_document).any():
            return encoded_in_groups(lambda group: map(self._without_end, group), strings)
        return tokens, lengths

    def to_json(self) -> str:
        """The pipeline as the content of a tokenizer.json."""
        content: str = self._pipeline.to_str()
        return content

    def spellings(self) -> list[str]:
        """The text of every token, in the order of ids."""
        ids = sorted(self._pipeline.get_vocab(with_added_tokens=True).values())
        spelled: list[str] = self._pipeline.decode_batch([[token] for token in ids], skip_special_tokens=False)
        return spelled

    def added_spellings(self) -> list[str]:
        """The text of the added tokens, special or not, in the order of ids."""
        return [token.content for _, token in sorted(self._pipeline.get_added_tokens_decoder().items())]

    def _encode(self, strings: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._pipeline.encode_batch_fast(strings, add_special_tokens=False)]

    def _without_end(self, string: str) -> list[int]:
        """Ids of a text that spells the end-of-document token, cut within each such spelling so that it stays text.

        `encode_special_tokens` is not enough: Unigram models (T5) find "</s>" in their vocabulary like any other piece,
        and some files (Phi-3) do not mark the token as special. A cut may cost a space where pieces get a leading one.
        """
        encoding = self._pipeline.encode(string, add_special_tokens=False)
        spans = zip(encoding.ids, encoding.offsets, strict=True)
        inside = [first + 1 for token, (first, stop) in spans if token == self.end_of_document and stop - first > 1]
        cuts = [0, *inside, len(string)]
        pieces = self._encode([string[first:stop] for first, stop in pairwise(cuts)])
        return [token for piece in pieces for token in piece if token != self.end_of_document]


def from_tokenizer_json(path: Path, name: str, end_of_document: str | None) -> HuggingFaceTokenizer:
    """Open a `tokenizer.json`. Its truncation and padding are switched off, and are no part of the digest."""
    content = path.read_bytes()
    try:
        return from_json_bytes(content, name, end_of_document)
    except ValueError:
        raise UserError(f"'{path}' is no tokenizer.json that the tokenizers library can read.") from None


@uncollected()
def from_json_bytes(content: bytes, name: str, end_of_document: str | None) -> HuggingFaceTokenizer:
    """The tokenizer that the content of a tokenizer.json describes. Raises ValueError when it describes none."""
    description = json.loads(content)
    if not isinstance(description, dict):
        raise ValueError("a tokenizer.json is an object")
    description["truncation"] = description["padding"] = None
    canonical = json.dumps(description, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
    try:
        pipeline = library().Tokenizer.from_str(json.dumps(description))
    except Exception as error:  # the library raises bare Exception
        raise ValueError("no tokenizer.json") from error
    return HuggingFaceTokenizer(pipeline, name, hashlib.sha256(canonical).hexdigest(), end_of_document)
