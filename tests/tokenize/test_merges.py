"""Merges: the same as those of the `tokenizers` library, and as an obvious trainer finds them.

Oracles: `BpeTrainer` of the `tokenizers` library, byte for byte of the tokenizer.json; and `obvious`, which counts everything
anew for each merge.
"""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from curation.tokenize.byte_alphabet import ALPHABET, BYTE
from curation.tokenize.kernels import learning as merges
from curation.tokenize.kernels.learning import learn_merges
from curation.tokenize.pre_token_counts import PreTokenCounter
from curation.tokenize.split_patterns import PATTERNS, Name
from curation.tokenize.train import END_OF_TEXT, train_bpe, train_on_counts

FIRST = [b"", *(bytes([BYTE[character]]) for character in ALPHABET)]
COUNTS = st.one_of(
    st.dictionaries(st.text("ab", min_size=1, max_size=14), st.integers(1, 4), max_size=12),
    st.dictionaries(st.text("abc", min_size=1, max_size=9), st.integers(1, 30), max_size=30),
    st.dictionaries(st.text("aéz中", min_size=1, max_size=6), st.integers(1, 3), max_size=40),
)


def by_the_library(
    texts: list[str], vocabulary: int, name: Name = "gpt2", special: tuple[str, ...] = (END_OF_TEXT,)
) -> bytes:
    pipeline = Tokenizer(models.BPE())
    pipeline.pre_tokenizer, pipeline.decoder = PATTERNS[name].pre_tokenizer(), decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(special),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    pipeline.train_from_iterator(texts, trainer)
    return pipeline.to_str().encode()


def learn(counts: dict[str, int], wanted: int) -> merges.Merges:
    words = [word.encode() for word in counts]
    bounds = np.cumsum([0, *map(len, words)])
    text = np.frombuffer(b"".join(words), np.uint8)
    return learn_merges(text, bounds, np.array(list(counts.values()), np.int64), FIRST, wanted)


def obvious(counts: dict[str, int], wanted: int) -> list[tuple[int, int]]:
    """The merges, by counting all pairs again for each: the largest count, then the smallest pair of ids."""
    words = {word: [FIRST.index(bytes([byte])) for byte in word.encode()] for word in counts}
    tokens, made = list(FIRST), []
    while len(tokens) < wanted:
        pairs: Counter[tuple[int, int]] = Counter()
        for word, symbols in words.items():
            for pair in pairwise(symbols):
                pairs[pair] += counts[word]
        if not pairs:
            break
        left, right = min(pairs, key=lambda pair: (-pairs[pair], pair))
        made.append((left, right))
        tokens.append(tokens[left] + tokens[right])
        for symbols in words.values():
            place = 0
            while place + 1 < len(symbols):
                if (symbols[place], symbols[place + 1]) == (left, right):
                    symbols[place : place + 2] = [len(tokens) - 1]
                place += 1
    return made


@settings(max_examples=300)
@given(counts=COUNTS, wanted=st.sampled_from([258, 262, 275, 400]))
def test_random_words_as_the_library(counts: dict[str, int], wanted: int) -> None:
    """Each word many times as a text of its own: the same counts."""
    counter = PreTokenCounter(PATTERNS["gpt2"])
    texts = [word for word, number in counts.items() for _ in range(number)]
    counter.count(pa.array(texts, pa.string()))
    assert train_on_counts(counter.counted(), wanted, [END_OF_TEXT], "gpt2") == by_the_library(texts, wanted)


@settings(max_examples=200)
@given(counts=COUNTS, wanted=st.sampled_from([258, 262, 275, 400]))
def test_random_words_as_the_obvious_trainer(counts: dict[str, int], wanted: int) -> None:
    assert learn(counts, wanted).pairs == obvious(counts, wanted)


def test_a_special_token_that_a_merge_spells() -> None:
    """The merge makes the special token's id, as in the library, and no token more."""
    texts, special = ["ab abc", "ab", "cab"], (END_OF_TEXT, "ab")
    mine = train_bpe(texts, 261, special=special[1:])
    assert mine == by_the_library(texts, 261, special=special)
    model = json.loads(mine)["model"]
    assert model["vocab"]["ab"] == 1 and ["a", "b"] in model["merges"]
    assert len(model["merges"]) == len(model["vocab"]) - 258 + 1


@pytest.mark.parametrize("name", ["gpt2", "llama3", "gpt4o"])
def test_a_novel_as_the_library(name: Name, novel: str) -> None:
    """With special tokens that a merge, or the alphabet, spells too."""
    paragraphs, special = novel.split("\n\n"), (END_OF_TEXT, "<|pad|>", "Ġthe", "q")
    mine = train_bpe(paragraphs, 4000, pattern=name, special=special[1:])
    assert mine == by_the_library(paragraphs, 4000, name, special)


def test_room_is_made_as_it_is_needed(novel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    paragraphs = novel.split("\n\n")
    expected = train_bpe(paragraphs, 2000)
    monkeypatch.setattr(merges, "PAIRS", 1 << 16)
    monkeypatch.setattr(merges, "TOKEN_BYTES", 1)
    monkeypatch.setattr(merges, "MORE_MERGES", -1900)
    assert train_bpe(paragraphs, 2000) == expected


def test_counts_beyond_32_bits() -> None:
    """Where the library's counts would wrap around."""
    assert learn({"ab": 3, "cd": 5_000_000_000, "ce": 4_999_999_999}, 258).pairs == [
        (FIRST.index(b"c"), FIRST.index(b"d"))
    ]
