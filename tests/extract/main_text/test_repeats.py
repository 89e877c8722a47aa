"""Repeats against slow Python."""

from __future__ import annotations

import functools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels import repeats
from curation.extract.train.corpus import Reader, empty_model

WORDS = ["one", "two", "three", "four", "five", "six"]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=14), min_size=1, max_size=7)


@functools.cache
def reader() -> Reader:
    return Reader()


def kept(texts: list[list[str]], chances: list[float]) -> list[int]:
    """The blocks that the kernel leaves of a page with a paragraph for each text."""
    html = "".join(f"<p>{' '.join(text)}" for text in texts).encode()
    decided = reader().decided(html, empty_model())
    assert decided and decided.page.facts[p.BLOCKS] == len(texts)
    measures = decided.measures
    measures.keep[: len(texts)], measures.final[: len(texts)] = 1, chances
    dropped = repeats.drop_repeats(decided.page, measures)
    left = np.flatnonzero(measures.keep[: len(texts)]).tolist()
    assert dropped == sum(len(text) for text in texts) - sum(len(texts[place]) for place in left)
    return left


def slowly_kept(texts: list[list[str]], chances: list[float]) -> list[int]:
    """The same by sets of tuples."""

    def shingles(text: list[str]) -> list[tuple[str, ...]]:
        size = min(repeats.SHINGLE, len(text))
        return [tuple(text[at : at + size]) for at in range(len(text) - size + 1)]

    sure = [chance >= repeats.SURE for chance in chances]
    seen = {shingle for text, keep in zip(texts, sure, strict=True) if keep for shingle in shingles(text)}
    left = []
    for place, text in enumerate(texts):
        own = shingles(text)
        repeated = sum(shingle in seen for shingle in own) >= repeats.REPEATED * len(own)
        if not sure[place] and len(text) >= repeats.LEAST_WORDS and repeated:
            continue
        left.append(place)
        seen.update(own)
    return left


@given(TEXTS, st.data())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_repeats_are_those_of_slow_python(texts: list[list[str]], data: st.DataObject) -> None:
    """One long word makes the set of bits so large that chance takes nothing for there."""
    chances = [data.draw(st.sampled_from([0.5, 0.95])) for _ in texts]
    padded = [*texts, ["x" * 200_000]]
    assert kept(padded, [*chances, 0.95])[:-1] == slowly_kept(padded, [*chances, 0.95])[:-1]
