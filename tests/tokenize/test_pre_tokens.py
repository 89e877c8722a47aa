"""Where texts are cut: by the kernels as by the published patterns.

Oracles: `regex.findall` with the patterns as GPT-2, tiktoken 0.14 and Llama 3 publish them, for characters that both know
alike; the `tokenizers` library's own split for all characters.
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import regex
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tokenizers import Regex, pre_tokenizers

from curation.tokenize.character_classes import CLASSES, asked_of_the_library, character_classes
from curation.tokenize.pre_token_counts import PreTokenCounter
from curation.tokenize.split_patterns import PATTERNS, Name
from curation.tokenize.tiktoken_ranks import CL100K_PATTERN, GPT2_PATTERN, O200K_PATTERN

NAMES: tuple[Name, ...] = ("gpt2", "gpt4", "llama3", "gpt4o")
TIKTOKEN: dict[Name, str] = {"gpt2": GPT2_PATTERN, "gpt4": CL100K_PATTERN, "gpt4o": O200K_PATTERN}

# What the alternatives turn on, much more often than chance would have it.
TELLING = "aAzsStTlLvVeErRdDmM''  \t\n\r.,/!19é中ʰǅ\u0301\u0940\u00a0\u0085\u2028\u3000ſßİ½Ⅳ\u200d\x1c😀"
TEXTS = st.text(st.one_of(st.sampled_from(TELLING), st.characters(exclude_categories=["Cs"])), max_size=24)


def counted(text: str, name: Name) -> dict[str, int]:
    """The kernel's pre-tokens of a text, in the order in which they were met first, with their counts."""
    counter = PreTokenCounter(PATTERNS[name], first_room=2)
    counter.count(pa.array([text], pa.string()))
    found = counter.counted()
    return dict(zip([word.decode() for word in found.words()], found.counts.tolist(), strict=True))


def split(text: str, name: Name) -> list[str]:
    """The library's."""
    return [piece for piece, _ in _library(name).pre_tokenize_str(text)]


@functools.cache
def _library(name: Name) -> Any:
    return pre_tokenizers.Split(Regex(PATTERNS[name].regex), "isolated")


@functools.cache
def alike(character: str) -> bool:
    """Whether `regex`, whose Unicode may be newer, puts a character into the same classes."""
    known = character_classes()[ord(character)]
    return all(bool(regex.match(pattern, character)) == bool(known & bit) for bit, pattern in CLASSES.items())


@pytest.mark.parametrize("name", NAMES)
@given(text=TEXTS)
@example("it'ſ we'Ve 'LL 'lx ' l 'S")
@example("a \r\n\n  \n b\n  ")
@example("\u0301A \u0301a ʰA中 AB中b Ab's ABC'LLx")
@example("1234 ½5 Ⅳ1 .\n/.. \t.a\tb")
def test_cuts_as_the_library(name: Name, text: str) -> None:
    assert list(counted(text, name).items()) == list(Counter(split(text, name)).items())


@pytest.mark.parametrize("name", ["gpt2", "llama3", "gpt4o"])
@given(text=TEXTS)
def test_cuts_as_the_published_pattern(name: Name, text: str) -> None:
    assume(all(map(alike, text)))
    published = TIKTOKEN.get(name, PATTERNS[name].regex)
    assert list(counted(text, name).items()) == list(Counter(regex.findall(published, text)).items())


@given(text=TEXTS)
def test_cuts_as_tiktokens_cl100k_but_for_white_space_at_the_end(text: str) -> None:
    assume(all(map(alike, text)))
    text += "."
    assert list(counted(text, "gpt4").items()) == list(Counter(regex.findall(CL100K_PATTERN, text)).items())


@pytest.mark.parametrize("name", NAMES)
def test_real_texts(name: Name, vectors: dict[str, Any], novel: str) -> None:
    """594 hard texts in 54 languages and a novel, against the library; all bytes come back."""
    for text in [*vectors["texts"], novel]:
        found = counted(text, name)
        assert found == Counter(split(text, name))
        assert sum(len(word.encode()) * count for word, count in found.items()) == len(text.encode())


def test_classes_are_the_librarys() -> None:
    """At both sides of every border between classes, and at characters drawn from everywhere."""
    table = character_classes()
    borders = np.flatnonzero(np.diff(table))
    drawn = np.random.default_rng(1).integers(0, len(table), 20_000)
    points = np.unique(np.concatenate([borders, borders + 1, drawn]))
    points = points[(points < 0xD800) | (points >= 0xE000)]
    assert np.array_equal(asked_of_the_library(points), table[points])
