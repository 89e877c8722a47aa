"""Our own encoder: the reference's ids for any text, whatever it has met before, and nothing claimed that it does not do.

Oracle: the `tokenizers` library, by the same `tokenizer.json`.
"""

from __future__ import annotations

import functools
import json
import lzma
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.tokenize.byte_level_encoder import ByteLevelEncoder, merges_of, open_byte_level, pattern_of
from curation.tokenize.characters import ALIKE, CODE_POINTS
from curation.tokenize.fast import FastTokenizer
from curation.tokenize.huggingface import HuggingFaceTokenizer, from_json_bytes
from curation.tokenize.kernels.byte_level import PRE_TOKENS_USED
from curation.tokenize.kernels.byte_pairs import LONGEST
from curation.tokenize.loading import load_tokenizer
from curation.tokenize.split_patterns import PATTERNS, Name
from curation.tokenize.train import train_bpe

LEARNED = [
    "It's we'll they'Ve a naïve façade. Größe und Straße, 12345 — добрый день! 你好，世界。\n\n  abab  ababab\t\n" * 3
]

# What the cuts turn on, and pre-tokens that the table holds in each of its ways: up to 16 bytes, more, one token, two, many.
TELLING = "aAsStTlLvVeErRdDmM''  \t\n\r.,!19éß中ʰ\u0301\u00a0\u0085\u2028\u3000ſ½\u200d\x1c\x00😀"
TEXTS = st.lists(
    st.one_of(
        st.text(st.one_of(st.sampled_from(TELLING), st.characters(exclude_categories=["Cs"])), max_size=24),
        st.sampled_from(["ab", "ab\x00", " Größe", "добрый", "a" * 15 + "b" * 2, "a" * 70, " " * 70, "你好世界" * 9]),
    ),
    max_size=9,
).map("".join)

PROVEN = np.full(CODE_POINTS, ALIKE, np.uint8)


@functools.cache
def tokenizer(name: Name) -> HuggingFaceTokenizer:
    """A vocabulary of 700 by this pattern."""
    return from_json_bytes(train_bpe(LEARNED, 700, pattern=name), name, None)


@functools.cache
def encoder(name: Name, slots: int) -> ByteLevelEncoder:
    description = json.loads(tokenizer(name).to_json())
    return ByteLevelEncoder(merges_of(description["model"]), PATTERNS[name].kind, slots)


@pytest.mark.parametrize("name", ["gpt2", "gpt4", "gpt4o"])
@pytest.mark.parametrize("slots", [16, 1 << 12])
@given(texts=st.lists(TEXTS, max_size=4))
@example(["it's", "", "we'll'S 's''s", "'", "x'", " '", "\u3000\u3000a \u3000b\u3000 c\u3000"])
@example(
    [
        "a" * 63 + "é",
        "a" * 62 + "中b",
        "a" * 61 + "😀 b",
        "b" * 63 + " c",
        "b" * 63 + "'s",
        "b" * 62 + "'re d",
        "b" * 64,
    ]
)
@settings(deadline=None, max_examples=60)
def test_ids_are_the_librarys(name: Name, slots: int, texts: list[str]) -> None:
    """Also with a table that is full after twelve pre-tokens, and over and over emptied of those that were met once."""
    tokens, lengths = encoder(name, slots).encode(pa.array(texts, pa.string()), PROVEN)
    expected, expected_lengths = tokenizer(name).encode_batch(texts)
    assert np.array_equal(tokens, expected) and np.array_equal(lengths, expected_lengths)
    assert (tokens.dtype, lengths.dtype) == (expected.dtype, expected_lengths.dtype)


@given(words=st.lists(st.text("ab", min_size=40, max_size=300), min_size=1, max_size=3))
@settings(deadline=None, max_examples=40)
def test_long_words(words: list[str]) -> None:
    """Merged by looking through all pairs, and by a queue."""
    learned = from_json_bytes(train_bpe(["abab abba baab aabb bbaa ab" * 5], 300), "own", None)
    own = open_byte_level(learned)
    assert own is not None
    assert np.array_equal(own.encode(pa.array(words))[0], learned.encode_batch(words)[0])


def test_what_is_met_again_stays() -> None:
    """When room runs out, what was met once goes; what was met twice does not, wherever its tokens and bytes stand."""
    own = ByteLevelEncoder(merges_of(json.loads(tokenizer("gpt2").to_json())["model"]), PATTERNS["gpt2"].kind, 64)
    used = own._known.used
    again = pa.array([" ab Größe", " добрый", " xyzzyxy", " " + "ab" * 12, " 你好世界你好世界"])
    expected = tokenizer("gpt2").encode_batch(again.to_pylist())[0]
    held = []
    for number in range(60):
        own.encode(pa.array([f" o{chr(97 + number % 26)}{'abcdefg'[number % 7]}nce", f" {number}"]), PROVEN)
        before = int(used[PRE_TOKENS_USED])
        assert np.array_equal(own.encode(again, PROVEN)[0], expected)
        assert number == 0 or used[PRE_TOKENS_USED] == before
        held.append(before)
    assert max(held) <= 48 and sum(later < earlier for earlier, later in pairwise(held)) > 1


def test_only_proven_characters_are_taken_and_remembered() -> None:
    """It gives up on others where it is told which are proven, and what it was shown without that it does not know later."""
    own = ByteLevelEncoder(merges_of(json.loads(tokenizer("gpt2").to_json())["model"]), PATTERNS["gpt2"].kind, 16)
    column = pa.array(["Größe und Straße"])
    proven = np.zeros(CODE_POINTS, np.uint8)
    proven[ord("ö")] = ALIKE
    for _ in range(2):
        assert len(own.encode(column)[0])
        with pytest.raises(ValueError):
            own.encode(column, proven)
    proven[ord("ß")] = ALIKE
    assert np.array_equal(own.encode(column, proven)[0], tokenizer("gpt2").encode_batch(column.to_pylist())[0])


def test_any_slice_of_any_column() -> None:
    """Large offsets, and buffers that begin elsewhere or have nothing behind them."""
    texts = ["before", "It's", "", "naïve 12345", "behind"]
    for kind in (pa.string(), pa.large_string()):
        tokens, lengths = encoder("gpt2", 16).encode(pa.array(texts, kind).slice(1, 3))
        assert np.array_equal(tokens, tokenizer("gpt2").encode_batch(texts[1:4])[0]) and len(lengths) == 3


def test_what_is_too_long_is_left_to_others() -> None:
    longest = "a" * LONGEST
    fast = FastTokenizer(tokenizer("gpt2"), lambda: encoder("gpt2", 16))
    assert fast.checked is not None
    assert fast.checked._trusted([longest, longest + "a"])[0] is not None
    assert fast.checked._trusted([longest, longest + "a"])[1] is None
    for texts in (["a", longest + "a"], [longest + "a"]):
        assert np.array_equal(fast.encode_batch(texts)[0], fast.reference.encode_batch(texts)[0])


@pytest.mark.parametrize("path", ["gpt2", "gpt2/vocab.json"])
def test_real_vocabularies_are_claimed(tokenizers_folder: Path, shared: Path, path: str) -> None:
    """Every text of the declaration of Human Rights, in its languages."""
    loaded = load_tokenizer(tokenizers_folder / path)
    assert isinstance(loaded, FastTokenizer) and loaded.checked is not None
    assert isinstance(loaded.checked._encoder, ByteLevelEncoder)
    lines = lzma.decompress((shared / "data/text/udhr/udhr2.jsonl.xz").read_bytes()).decode().splitlines()
    texts = [str(json.loads(line)["text"])[:700] for line in lines]
    tokens, lengths = loaded.checked._encoder.encode(pa.array(texts))
    expected, expected_lengths = loaded.reference.encode_batch(texts)
    assert np.array_equal(tokens, expected) and np.array_equal(lengths, expected_lengths)


@pytest.mark.parametrize("path", ["gpt-neox-20b", "phi-3", "t5-small", "bert-base-uncased"])
def test_others_are_not(tokenizers_folder: Path, path: str) -> None:
    """One composes characters (NFC) first, the others are no byte-level BPE."""
    loaded = load_tokenizer(tokenizers_folder / path, engine="reference")
    assert isinstance(loaded, HuggingFaceTokenizer)
    assert open_byte_level(loaded) is None


def changed(**changes: Any) -> HuggingFaceTokenizer:
    """The small vocabulary with other things said of it."""
    description = json.loads(tokenizer("gpt2").to_json())
    description["model"] |= {key: value for key, value in changes.items() if key in description["model"]}
    description |= {key: value for key, value in changes.items() if key in description}
    return from_json_bytes(json.dumps(description).encode(), "changed", None)


END = {"content": "<|endoftext|>", "id": 0, "special": True}
WORD = {
    "special": False,
    "id": 700,
    "content": "word",
    "single_word": False,
    "lstrip": False,
    "rstrip": False,
    "normalized": False,
}


@pytest.mark.parametrize(
    "changes",
    [
        {"normalizer": {"type": "NFC"}},
        {"ignore_merges": True},
        {"dropout": 0.1},
        {"byte_fallback": True},
        {"added_tokens": [WORD | END, WORD]},
        {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}},
        {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}},
    ],
)
def test_what_it_does_not_do_it_does_not_claim(changes: dict[str, Any]) -> None:
    assert open_byte_level(changed()) is not None
    assert open_byte_level(changed(**changes)) is None


def test_offsets_make_no_difference() -> None:
    pre_tokenizer = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
    assert pattern_of({"pre_tokenizer": pre_tokenizer}) == PATTERNS["gpt2"].kind
