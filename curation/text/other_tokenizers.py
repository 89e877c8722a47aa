"""Tokenizers that come with packages of their own, each called as datatrove's class for it does.

The classes give words and sentences as strings; `alignment` finds their places. Kiwi (Korean) knows them itself, and
there they are needed: several morphemes may be fused into one syllable.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from curation.text.alignment import Span, aligned

PACKAGES = {
    "stanza": ("stanza", "stanza"),
    "indic": ("indicnlp", "indic-nlp-library"),
    "thai": ("pythainlp", "pythainlp"),
    "kiwi": ("kiwipiepy", "kiwipiepy"),
    "khmer": ("khmernltk", "khmer-nltk"),
    "lao": ("laonlp", "laonlp"),
    "tibetan": ("botok", "botok"),
    "burmese": ("pyidaungsu", "pyidaungsu-numpy2"),
}
"""By family the module that is imported, and the package that brings it."""

_CLASSES = {
    "stanza": "StanzaTokenizer",
    "indic": "IndicNLPTokenizer",
    "thai": "ThaiTokenizer",
    "kiwi": "KiwiTokenizer",
    "khmer": "KhmerTokenizer",
    "lao": "LaoTokenizer",
    "tibetan": "TibetanTokenizer",
    "burmese": "BurmeseTokenizer",
}
_LONG_NUMBERS = re.compile("[0-9,]{20,}")


def word_spans(string: str, family: str, code: str) -> list[Span]:
    """Where the words stand. Source: datatrove 0.10.1, utils/word_tokenizers.py, `word_tokenize` of the class."""
    if not string.strip():
        return []
    tokenizer = _tokenizer(family, code)
    if family == "kiwi":
        kept, places = _without_long_numbers(string)
        return _placed(places, [(token.start, token.end) for token in tokenizer.tokenizer.tokenize(kept)])
    return aligned(string, tokenizer.word_tokenize(string))


def sentence_spans(string: str, family: str, code: str) -> list[Span]:
    """Where the sentences stand. Source: as above, `sent_tokenize`."""
    if not string.strip():
        return []
    tokenizer = _tokenizer(family, code)
    if family == "kiwi":
        kept, places = _without_long_numbers(string)
        return _placed(places, [(found.start, found.end) for found in tokenizer.tokenizer.split_into_sents(kept)])
    return aligned(string, tokenizer.sent_tokenize(string))


def _without_long_numbers(string: str) -> tuple[str, list[int]]:
    """The text that datatrove gives to Kiwi, without runs of 20 digits and more, and where each character stood."""
    parts: list[tuple[int, int]] = []
    start = 0
    for number in _LONG_NUMBERS.finditer(string):
        parts.append((start, number.start()))
        start = number.end()
    parts.append((start, len(string)))
    return "".join(string[a:b] for a, b in parts), [place for a, b in parts for place in range(a, b)]


def _placed(places: list[int], spans: list[Span]) -> list[Span]:
    """Spans of the text without long numbers in the text itself; none is empty."""
    return [(places[start], places[stop - 1] + 1) for start, stop in spans if stop > start]


@functools.lru_cache(maxsize=8)
def _tokenizer(family: str, code: str) -> Any:
    """datatrove's tokenizer. Loading takes up to some seconds, once a process."""
    from datatrove.utils import word_tokenizers

    tokenizer = getattr(word_tokenizers, _CLASSES[family])
    return tokenizer(code) if code else tokenizer()
