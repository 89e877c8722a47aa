"""Unigram and BPE models of the `sentencepiece` library, from a sample of text, by its own trainer."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Literal

from connectors.errors import UserError, missing_extra

Kind = Literal["unigram", "bpe"]

END_OF_SENTENCE = "</s>"
LINE_BYTES = 1 << 16  # of a line that is trained on; the library leaves out longer ones
THREADS = 16  # part of the result: sums of floats go by thread. The library's own default


def train_sentencepiece(texts: Sequence[str], vocabulary: int, special: Sequence[str], kind: Kind) -> bytes:
    """Train a SentencePiece model on the lines of the texts; returns the content of a .model file.

    As Llama 2 has it: no normalisation, digits apart, unknown characters as bytes. No space is put before a text and none is
    taken away, so every text comes back. The same texts in the same order give the same model.

    special   control tokens; the first ends documents
    Raises UserError if the library is not installed, or can't make such a model of these texts. Source: Kudo 2018; Kudo and
    Richardson 2018; google/sentencepiece, doc/options.md.
    """
    try:
        import sentencepiece
    except ImportError:
        raise missing_extra("sentencepiece", "tokenizers") from None
    if not any(True for _ in _lines(texts)):
        raise UserError("There is no kept text to train a vocabulary on: see `corpusmill report` for what was removed")
    model = io.BytesIO()
    end, *others = dict.fromkeys(special)
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=_lines(texts),
            model_writer=model,
            model_type=kind,
            vocab_size=vocabulary,
            hard_vocab_limit=False,
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            add_dummy_prefix=False,
            allow_whitespace_only_pieces=True,
            split_digits=True,
            byte_fallback=True,
            character_coverage=0.9995,
            eos_piece=end,
            control_symbols=others,
            max_sentence_length=LINE_BYTES,
            train_extremely_large_corpus=True,
            num_threads=THREADS,
            minloglevel=2,
        )
    except RuntimeError as error:
        said = str(error).strip().splitlines()[-1].rsplit("] ", 1)[-1][:200]  # its last words; it names no text
        raise UserError(f"sentencepiece can't train {vocabulary:,} {kind} pieces on this sample: {said}") from None
    return model.getvalue()


def _lines(texts: Sequence[str]) -> Iterator[str]:
    """The lines of the texts that hold anything."""
    for text in texts:
        yield from (line for line in text.split("\n") if line.strip() and "\0" not in line)
