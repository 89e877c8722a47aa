"""A vocabulary of one's own: byte-level BPE from text, or from counts of pre-tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from connectors.errors import UserError
from curation.tokenize.byte_alphabet import ALPHABET, bytes_of, spelled
from curation.tokenize.huggingface import library
from curation.tokenize.kernels.learning import learn_merges
from curation.tokenize.pre_token_counts import PreTokenCounter, PreTokenCounts
from curation.tokenize.split_patterns import PATTERNS, Name

END_OF_TEXT = "<|endoftext|>"
SMALLEST = 257  # all bytes and the end-of-document token
GROUP = 1024  # texts that are counted at a time


def train_bpe(
    texts: Iterable[str],
    vocabulary: int,
    end_of_document: str = END_OF_TEXT,
    pattern: Name = "gpt2",
    special: Sequence[str] = (),
) -> bytes:
    """Train byte-level BPE on the texts; returns the content of a tokenizer.json. See `train_on_counts`.

    Memory grows with the number of different pre-tokens, not of texts, which are read once, as a stream.
    """
    _require_room(vocabulary, [end_of_document, *special])
    counter = PreTokenCounter(PATTERNS[pattern])
    group: list[str] = []
    for text in texts:
        group.append(text)
        if len(group) == GROUP:
            counter.count(pa.array(group, pa.large_string()))
            group = []
    counter.count(pa.array(group, pa.large_string()))
    return train_on_counts(counter.counted(), vocabulary, [end_of_document, *special], pattern)


def train_on_counts(counts: PreTokenCounts, vocabulary: int, special: Sequence[str], pattern: Name) -> bytes:
    """Byte-level BPE from counts of pre-tokens; returns the content of a tokenizer.json.

    All 256 bytes are in the alphabet and nothing is normalised: every text can be encoded and comes back unchanged. The
    special tokens have the first ids, the first of them, 0, ends documents. Counts that have fewer pairs than asked for
    give a smaller vocabulary. The same counts give the same bytes, in whatever order, and those that the trainer of the
    `tokenizers` library gives; see `kernels/merging.py`.

    vocabulary   number of tokens wanted, 256 and the special ones or more
    pattern      the split pattern that the pre-tokens were cut by
    Raises UserError for a smaller vocabulary. Source: Sennrich et al. 2016; Radford et al. 2019, 2.2.
    """
    special = list(dict.fromkeys(special))
    _require_room(vocabulary, special)
    names = [*special, *(character for character in ALPHABET if character not in special)]
    learned = learn_merges(counts.text, counts.bounds, counts.counts, [bytes_of(name) for name in names], vocabulary)
    names += [spelled(token) for token in learned.tokens[len(names) :]]
    tokenizers = library()
    merges = [(names[left], names[right]) for left, right in learned.pairs]
    pipeline = tokenizers.Tokenizer(tokenizers.models.BPE({name: number for number, name in enumerate(names)}, merges))
    pipeline.pre_tokenizer = PATTERNS[pattern].pre_tokenizer()
    pipeline.decoder = tokenizers.decoders.ByteLevel()
    pipeline.add_special_tokens(special)
    content: str = pipeline.to_str()
    return content.encode()


def _require_room(vocabulary: int, special: Sequence[str]) -> None:
    smallest = SMALLEST - 1 + len(set(special))
    if vocabulary < smallest:
        raise UserError(f"A byte-level vocabulary has {smallest} tokens or more; {vocabulary} were asked for.")
