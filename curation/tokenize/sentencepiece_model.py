"""SentencePiece models: one binary file, `tokenizer.model` by custom, whatever its version's suffix."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from connectors.errors import UserError, missing_extra
from curation.tokenize.tokenizer import Lengths, Tokens, encoded_in_groups, end_of_document_name


class SentencePieceTokenizer:
    """A `Tokenizer` on the `sentencepiece` library.

    The end-of-document token must be a control piece: only those never come from text.
    """

    def __init__(self, content: bytes, name: str, end_of_document: str | None) -> None:
        try:
            import sentencepiece
        except ImportError:
            raise missing_extra("sentencepiece", "tokenizers") from None
        self._processor = sentencepiece.SentencePieceProcessor()
        try:
            self._processor.LoadFromSerializedProto(content)
        except RuntimeError:
            raise UserError(f"The tokenizer '{name}' is no SentencePiece model.") from None
        self.name, self.digest = name, hashlib.sha256(content).hexdigest()
        self.vocabulary_size: int = self._processor.GetPieceSize()
        pieces = {self._processor.IdToPiece(number): number for number in range(self.vocabulary_size)}
        end = end_of_document_name(pieces, end_of_document, name)
        self.end_of_document = pieces[end]
        if not self._processor.IsControl(self.end_of_document):
            raise UserError(f"The token '{end}' of the tokenizer '{name}' is ordinary text: it can't end documents.")

    def encode_batch(self, strings: Sequence[str]) -> tuple[Tokens, Lengths]:
        return encoded_in_groups(lambda group: self._processor.Encode(group, out_type=int, num_threads=1), strings)


def from_model_file(path: Path, name: str, end_of_document: str | None) -> SentencePieceTokenizer:
    """Open a SentencePiece model."""
    return SentencePieceTokenizer(path.read_bytes(), name, end_of_document)
