"""WordPiece from a sample of text, by the `tokenizers` library's own trainer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.errors import UserError
from curation.tokenize.huggingface import library
from curation.tokenize.wordpiece import UNKNOWN

CONTINUES = "##"


def train_wordpiece(texts: Sequence[str], vocabulary: int, special: Sequence[str]) -> bytes:
    """Train WordPiece on the texts; returns the content of a tokenizer.json.

    BERT's rules, cased: control characters out, CJK apart, words cut at white space and punctuation, accents and case left as
    they are. A word with a character that no text of the sample has is `[UNK]`: texts do not all come back.

    The library gives ids to the alphabet in the order of a hash table that is seeded anew in each process, and ties between
    pairs go by ids. So the alphabet is handed over in order here, as special tokens, which get their ids first; they are
    ordinary tokens in what is returned.

    special   tokens of their own; the first ends documents
    Raises UserError where the alphabet alone is larger than the vocabulary. Source: Schuster and Nakajima 2012; Devlin et al. 2019.
    """
    tokenizers = library()
    named = list(dict.fromkeys([*special, UNKNOWN]))
    pipeline = _pipeline(tokenizers.models.WordPiece(unk_token=UNKNOWN))
    normalizer = pipeline.normalizer
    characters = sorted({c for text in texts for c in normalizer.normalize_str(text) if not c.isspace()})
    alphabet = [*characters, *(CONTINUES + character for character in characters)]
    if len(named) + len(alphabet) > vocabulary:
        raise UserError(
            f"The sample's characters alone are {len(alphabet):,} WordPiece tokens, and {len(named)} are special; "
            f"{vocabulary:,} were asked for. Ask for more (tokenize.vocabulary), or train byte-level BPE (model: bpe)"
        )
    trainer = tokenizers.trainers.WordPieceTrainer(
        vocab_size=vocabulary, special_tokens=[*named, *alphabet], show_progress=False
    )
    pipeline.train_from_iterator(texts, trainer)
    ids = pipeline.get_vocab(with_added_tokens=False)
    trained = _pipeline(tokenizers.models.WordPiece(ids, unk_token=UNKNOWN))
    trained.add_special_tokens(named)
    content: str = trained.to_str()
    return content.encode()


def _pipeline(model: Any) -> Any:
    """BERT's cased rules around a model."""
    tokenizers = library()
    pipeline = tokenizers.Tokenizer(model)
    pipeline.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    pipeline.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    pipeline.decoder = tokenizers.decoders.WordPiece()
    return pipeline
