"""spaCy's blank tokenizers of all languages, with bounds on the time and memory that hostile text can take.

What differs from calling spaCy as it comes:

- no pipeline and no lexical attributes: nobody reads them;
- a vocabulary, which grows with every distinct token, is thrown away when it is full;
- the URL pattern is rewritten into an equal one that needs linear time, and suffixes are looked for at the end only;
- a run without white space of more than `LONGEST_RUN` characters is cut into pieces of that length first: affixes are
  taken off such a run one by one, in quadratic time. A run of brackets, the worst case, takes 30 CPU seconds a megabyte;
- a token `IS_ALPHA` stays a token, which datatrove takes out of all texts but the first that has it.

Chinese, Japanese and Vietnamese have tokenizers of other packages behind spaCy, which know no affixes.
"""

from __future__ import annotations

import importlib
import logging
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from curation.text.alignment import Span, aligned
from curation.text.punctuation import SENTENCE_END
from curation.text.spacy_loading import without_torch

LONGEST_RUN = 2_000  # characters without white space that are still cut as one
JAPANESE_BYTES = 40_000  # of a piece that SudachiPy is given: it refuses more than 49,149
_MOST_STRINGS = 100_000  # distinct tokens held of a language, about 40 MB
_TAIL = 64  # characters; the longest suffix but a run of one mark is shorter, look-behind included
PACKAGES = {"vi": ("pyvi",), "zh": ("jieba",), "ja": ("sudachipy", "sudachidict_core")}
_CONFIGS: dict[str, dict[str, Any]] = {"zh": {"nlp": {"tokenizer": {"segmenter": "jieba"}}}}


def token_spans(string: str, code: str) -> list[Span]:
    """Where the tokens of a text stand, white space included, by spaCy's blank tokenizer of a language code.

    Source: datatrove 0.10.1, utils/word_tokenizers.py, `SpaCyTokenizer`; spaCy 3.8.18.
    """
    return [span for spans in _tokens(string, code) for span in spans]


def sentence_spans(string: str, code: str) -> list[Span]:
    """Where sentences stand, cut behind sentence marks as spaCy's `Sentencizer` does; blanks between them belong to none.

    Source: spaCy 3.8.18, pipeline/sentencizer.pyx, `predict`.
    """
    return [span for spans in _tokens(string, code) for span in _sentences(string, spans)]


def _sentences(string: str, spans: Sequence[Span]) -> Iterator[Span]:
    starts = [0] if spans else []
    after_mark = False
    for number, (start, stop) in enumerate(spans):
        token = string[start:stop]
        if token in SENTENCE_END:
            after_mark = True
        elif after_mark and not _is_punctuation(token):
            starts.append(number)
            after_mark = False
    for first, last in pairwise([*starts, len(spans)]):
        yield spans[first][0], spans[last - 1][1]


def _is_punctuation(token: str) -> bool:
    return bool(token) and all(unicodedata.category(character)[0] == "P" for character in token)


def _tokens(string: str, code: str) -> Iterator[list[Span]]:
    """The tokens, in parts of which each begins a sentence: a Japanese text is cut as several texts."""
    offset = 0
    for text in _japanese_pieces(string) if code == "ja" else [string]:
        spans: list[Span] = []
        for piece in _portions(text, code):
            spans += [(start + offset, stop + offset) for start, stop in _cut(piece, code)]
            offset += len(piece)
        yield spans


def _portions(string: str, code: str) -> Iterator[str]:
    """The text as one portion, or cut inside the runs that are too long."""
    start = 0
    if code not in PACKAGES and len(string) > LONGEST_RUN:
        for run in re.finditer(rf"\S{{{LONGEST_RUN + 1},}}", string):
            for stop in range(run.start() + LONGEST_RUN, run.end(), LONGEST_RUN):
                yield string[start:stop]
                start = stop
    yield string[start:]


def _japanese_pieces(string: str) -> Iterator[str]:
    """Pieces of at most `JAPANESE_BYTES` bytes, of the lengths that datatrove's `chunk_text_on_bytes` gives them.

    There a piece grows by 10 characters at a time from a first guess, which is lowered where it was too large.
    """
    ends = [0, *accumulate(len(character.encode()) for character in string)]
    guess = int(max(JAPANESE_BYTES * (len(string) / max(ends[-1], 1)) - 10, 1))
    start = 0
    while start < len(string):
        left = len(string) - start
        while ends[start + min(guess, left)] - ends[start] > JAPANESE_BYTES:
            guess = max(guess - 10, 1)
        length = guess
        while length < left and ends[start + length] - ends[start] < JAPANESE_BYTES:
            length = min(left, length + 10)
        if ends[start + min(length, left)] - ends[start] > JAPANESE_BYTES:
            length -= 10
        yield string[start : start + length]
        start += length


def _cut(string: str, code: str) -> list[Span]:
    if not string.strip():
        return [(0, len(string))] if string else []
    if code not in _opened:
        _opened[code] = _open(code)
    tokenizer, strings, most = _opened[code]
    document = tokenizer(string)
    if len(strings) > most:
        del _opened[code]
    if document.text != string:
        return _rewritten(string, [token.text for token in document])
    table = document.to_array(["LENGTH", "SPACY"]).astype(np.int64)
    lengths, blanks = table[:, 0], table[:, 1]
    stops = np.cumsum(lengths + blanks) - blanks
    return list(zip((stops - lengths).tolist(), stops.tolist(), strict=True))


def _rewritten(string: str, tokens: Sequence[str]) -> list[Span]:
    """Where the tokens of pyvi stand, which writes composed characters, and blanks in its own way.

    One of white space stands before the next that is visible.
    """
    spans = zip(tokens, aligned(string, tokens), strict=True)
    return [(start, stop) if token.strip() else (max(start - 1, 0), start) for token, (start, stop) in spans]


_opened: dict[str, tuple[Any, Any, int]] = {}
"""By language the tokenizer, the strings that it has seen, and how many they may become; all 60 take 170 MB."""


def _open(code: str) -> tuple[Any, Any, int]:
    if code == "vi":  # first, because its scipy stumbles over a torch that is kept out
        importlib.import_module("pyvi.ViTokenizer")
    if code == "zh":
        _quiet_jieba()
    with without_torch():
        import spacy
        from spacy.tokenizer import Tokenizer

        pipeline: Any = spacy.blank(code, config=_CONFIGS.get(code, {}))
    plain = pipeline.tokenizer
    if not isinstance(plain, Tokenizer):
        return plain, pipeline.vocab.strings, len(pipeline.vocab.strings) + _MOST_STRINGS
    pipeline.vocab.lex_attr_getters = {}
    tokenizer = Tokenizer(
        pipeline.vocab,
        rules=plain.rules,
        prefix_search=plain.prefix_search,
        suffix_search=_suffix_search(plain.suffix_search.__self__),
        infix_finditer=plain.infix_finditer,
        token_match=plain.token_match,
        url_match=re.compile(_linear(plain.url_match.__self__.pattern)).match,
        faster_heuristics=plain.faster_heuristics,
        max_cache_size=_MOST_STRINGS,
    )
    return tokenizer, pipeline.vocab.strings, len(pipeline.vocab.strings) + _MOST_STRINGS


def _quiet_jieba() -> None:
    """It tells on stderr how it loads its dictionary."""
    importlib.import_module("jieba").setLogLevel(logging.ERROR)


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
