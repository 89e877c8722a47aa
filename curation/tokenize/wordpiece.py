"""WordPiece in one file: a `vocab.txt` with one token a line, as BERT has it (lower-cased)."""

from __future__ import annotations

import hashlib
from pathlib import Path

from connectors.errors import UserError
from curation.tokenize.huggingface import HuggingFaceTokenizer, library

UNKNOWN = "[UNK]"


def from_vocab_txt(path: Path, name: str, end_of_document: str | None) -> HuggingFaceTokenizer:
    """Open a vocab.txt with BERT's uncased rules: control characters out, accents stripped, CJK apart, lower case."""
    content = path.read_bytes()
    tokenizers = library()
    try:
        lines = content.decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        raise UserError(f"'{path}' is no vocab.txt: it is not UTF-8.") from None
    vocabulary = {line.rstrip(): number for number, line in enumerate(lines)}
    if UNKNOWN not in vocabulary:
        raise UserError(f"'{path}' is no WordPiece vocab.txt: it has no line '{UNKNOWN}'.")
    pipeline = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token=UNKNOWN))
    pipeline.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    pipeline.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    pipeline.decoder = tokenizers.decoders.WordPiece()
    return HuggingFaceTokenizer(pipeline, name, hashlib.sha256(content).hexdigest(), end_of_document)
