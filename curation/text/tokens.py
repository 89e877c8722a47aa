"""spaCy's blank English tokenizer, with bounds on the time and memory that hostile text can take.

Its tokens are the words of every rule: one token more or less flips verdicts, so an approximation will not do. Cutting
one megabyte of new text costs about 0.4 CPU seconds. What differs from calling spaCy as it comes:

- no pipeline, no `Token` objects, no lexical attributes: nobody reads them;
- the vocabulary, which grows with every distinct token, is thrown away when it reaches a limit;
- the patterns are rewritten into equal ones that need linear time (see `_linear`);
- a run without white space of more than `LONGEST_RUN` characters is cut into pieces of that length first. spaCy takes
  one affix at a time off such a run, in quadratic time. The longest run in 20 MB of real pages had 1,239 characters;
- a token `IS_ALPHA` stays a token. With datatrove its fate depends on the documents that the process saw before: from
  the second one on, spaCy raises inside a memory zone, and datatrove takes the string out of the whole text.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

LONGEST_RUN = 2_000  # characters without white space that are still cut as one
_MOST_TOKENS = 250_000  # distinct tokens held, with spaCy's own tables about 100 MB
_MOST_CHARACTERS = 32_000_000  # characters of distinct tokens held
_TAIL = 64  # characters; the longest suffix but a run of full stops has fewer than 10, look-behind included

Tokens = tuple[list[str], npt.NDArray[np.int64]]


class _Lexicon(dict[int, str]):
    """Token hash to the stripped token, "" for white space."""

    def __init__(self, strings: Any) -> None:
        self.strings = strings
        self.characters = 0

    def __missing__(self, orth: int) -> str:
        token: str = self.strings[orth].strip()
        self[orth] = token
        self.characters += len(token)
        return token

    def full(self) -> bool:
        return len(self) > _MOST_TOKENS or self.characters > _MOST_CHARACTERS


def tokens(string: str) -> Tokens:
    """The tokens of a text in order, white space as "", and the position (in characters) behind each.

    Source: spaCy 3.8.18, tokenizer.pyx, `Tokenizer.__call__` for `spacy.blank("en")`.
    """
    parts = [_cut(string[start:stop]) for start, stop in _portions(string)]
    if len(parts) == 1:
        return parts[0]
    words: list[str] = []
    ends = []
    offset = 0
    for (start, stop), (part_words, part_ends) in zip(_portions(string), parts, strict=True):
        words += part_words
        ends.append(part_ends + start)
        offset = stop
    assert offset == len(string)
    return words, np.concatenate(ends)


def _portions(string: str) -> Iterator[tuple[int, int]]:
    """The text as one portion, or cut inside the runs that are too long."""
    start = 0
    if len(string) > LONGEST_RUN and max(map(len, string.split()), default=0) > LONGEST_RUN:
        for run in re.finditer(r"\S+", string):
            for stop in range(run.start() + LONGEST_RUN, run.end(), LONGEST_RUN):
                yield start, stop
                start = stop
    yield start, len(string)


def _cut(string: str) -> Tokens:
    tokenizer, lexicon = _english()
    table = tokenizer(string).to_array(["ORTH", "LENGTH", "SPACY"])
    if not len(table):
        return [], np.zeros(0, np.int64)
    words = list(map(lexicon.__getitem__, table[:, 0].tolist()))
    blanks = table[:, 2].astype(np.int64)
    ends = np.cumsum(table[:, 1].astype(np.int64) + blanks) - blanks
    if lexicon.full():
        _english.cache_clear()
    return words, ends


@contextmanager
def without_torch() -> Iterator[None]:
    """Keeps spaCy from importing torch where that is installed: seconds and memory of every worker, for nothing."""
    absent = "torch" not in sys.modules
    if absent:
        sys.modules["torch"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if absent:
            del sys.modules["torch"]


@functools.cache
def _english() -> tuple[Any, _Lexicon]:
    """The tokenizer and the strings behind its hashes. Loading spaCy takes about a second, once a process."""
    with without_torch():
        import spacy
        from spacy.tokenizer import Tokenizer

    pipeline: Any = spacy.blank("en")
    plain = pipeline.tokenizer
    pipeline.vocab.lex_attr_getters = {}
    tokenizer = Tokenizer(
        pipeline.vocab,
        rules=plain.rules,
        prefix_search=_pattern(plain.prefix_search).match,
        suffix_search=_suffix_search(_pattern(plain.suffix_search)),
        infix_finditer=plain.infix_finditer,
        token_match=plain.token_match,
        url_match=re.compile(_linear(_pattern(plain.url_match).pattern)).match,
        max_cache_size=_MOST_TOKENS,
    )
    return tokenizer, _Lexicon(pipeline.vocab.strings)


def _pattern(method: Any) -> re.Pattern[str]:
    pattern = method.__self__
    assert isinstance(pattern, re.Pattern)
    return pattern


def _suffix_search(pattern: re.Pattern[str]) -> Callable[[str], re.Match[str] | None]:
    """Looks at the end of the string only: every suffix pattern ends in `$`."""

    def search(string: str) -> re.Match[str] | None:
        found = pattern.search(string[-_TAIL:])
        if found and not found.start() and len(string) > _TAIL:
            return pattern.search(string)
        return found

    return search


def _linear(url: str) -> str:
    r"""The URL pattern with its user part `\S+(?::\S*)?@` as `\S+@`: the same language without the quadratic search."""
    return url.replace(r"(?:\S+(?::\S*)?@)?", r"(?:\S+@)?")
