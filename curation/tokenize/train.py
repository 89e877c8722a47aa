"""A vocabulary of one's own: byte-level BPE trained on a sample of text."""

from __future__ import annotations

from collections.abc import Iterable

from connectors.errors import UserError
from curation.tokenize.huggingface import library

END_OF_TEXT = "<|endoftext|>"
SMALLEST = 257  # all bytes and the end-of-document token


def train_bpe(texts: Iterable[str], vocabulary: int, end_of_document: str = END_OF_TEXT) -> bytes:
    """Train byte-level BPE on the texts; returns the content of a tokenizer.json.

    GPT-2's split pattern, all 256 bytes in the alphabet, no normalization: every text can be encoded and comes back
    unchanged. Id 0 is the end-of-document token. Texts that have fewer pairs than asked for give a smaller vocabulary.

    Memory grows with the number of different words, so the caller bounds the sample (the trainer reads it once, as a
    stream). The same words in the same numbers give the same bytes, whatever the order of texts and number of threads.

    vocabulary   number of tokens wanted, 257 or more
    Raises UserError for a smaller vocabulary. Source: Sennrich et al. 2016; Radford et al. 2019, 2.2.
    """
    if vocabulary < SMALLEST:
        raise UserError(f"A byte-level vocabulary has {SMALLEST} tokens or more; {vocabulary} were asked for.")
    tokenizers = library()
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    pipeline = tokenizers.Tokenizer(tokenizers.models.BPE())
    pipeline.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    pipeline.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=[end_of_document], initial_alphabet=alphabet, show_progress=False
    )
    pipeline.train_from_iterator(texts, trainer)
    content: str = pipeline.to_str()
    return content.encode()
