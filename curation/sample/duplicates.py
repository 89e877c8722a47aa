"""Copies of earlier pages at a known similarity."""

from __future__ import annotations

import re

from curation.sample.prose import Writer
from curation.sample.randomness import Draws
from curation.sample.skins import Block
from curation.sample.texts import Text
from curation.sample.vocabulary import english

SHINGLE_WORDS = 5
WORD = re.compile(r"\w+")
DIGITS = re.compile(r"\d+")
PLAIN = re.compile(r"(?<= )[a-z]{4,}(?= )")


def shingles(text: str) -> set[str]:
    """The 5-word sequences of the normalised text: lower case, numbers as 0, runs of letters and digits as words."""
    words = WORD.findall(DIGITS.sub("0", text.lower()))
    return {" ".join(words[i : i + SHINGLE_WORDS]) for i in range(len(words) - SHINGLE_WORDS + 1)}


def jaccard(one: str, other: str) -> float:
    """The share of 5-word shingles that two texts have in common."""
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b) if a | b else 0.0


def near_copy(text: Text, draws: Draws, similarity: float) -> Text:
    """The text with so many single words replaced that about this Jaccard similarity is left."""
    size = len(shingles(text.main_text))
    # one word in the middle of a sentence stands in five shingles, and its replacement makes five new ones
    wanted = max(1, round(size * (1 - similarity) / (SHINGLE_WORDS * (1 + similarity))))
    blocks = list(text.blocks)
    spots = [
        (i, match.start(), match.end())
        for i, block in enumerate(blocks)
        if block.kind == "p"
        for n, match in enumerate(PLAIN.finditer(block.text))
        if n % 6 == 3  # far enough apart that no shingle holds two of them
    ]
    for i, start, end in sorted(draws.several(spots, wanted), reverse=True):
        old = blocks[i].text
        blocks[i] = Block("p", f"{old[:start]}{draws.choice(english()['replacement'])}{old[end:]}")
    return text.with_blocks(tuple(blocks))


def partial_copy(text: Text, writer: Writer, share: float = 0.4, similarity: float = 0.28) -> Text:
    """A page that quotes the first part of another one and goes on with words of its own, to about this similarity."""
    total = sum(len(block.text) for block in text.blocks)
    quoted: list[Block] = []
    size = 0
    for block in text.blocks:
        if size > share * total:
            break
        quoted.append(block)
        size += len(block.text)
    own: list[Block] = []
    own_size = 0
    while own_size < max(0.3 * total, size / similarity - total):
        own.append(Block("p", writer.paragraph()))
        own_size += len(own[-1].text)
    return Text(text.page_type, text.topic, "en", writer.sentence("headline"), (*own[:1], *quoted, *own[1:]))
