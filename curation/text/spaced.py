"""Sentences of languages that have no tokenizer of their own: cut behind sentence marks of all scripts, and at line ends."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import regex

from curation.text.alignment import Span
from curation.text.punctuation import TERMINAL_PUNCTUATION


@functools.cache
def _sentence() -> regex.Pattern[str]:
    r"""One sentence: a character, what is no mark, the marks, a closing quotation mark. `U.` (`\p{Lu}\.`) is no mark.

    Where no mark follows, an abbreviation at the end gives its full stop back.
    """
    marks = regex.escape("".join(sorted(TERMINAL_PUNCTUATION)))
    return regex.compile(rf"(?:\p{{Lu}}\.|.)(?:\p{{Lu}}\.|[^{marks}\n])*[{marks}\n]+[\"'”]?")


def sentence_spans(string: str) -> list[Span]:
    """Where the sentences stand; what follows the last mark or line end is in none.

    Source: datatrove 0.10.1, utils/word_tokenizers.py, `WhitespaceTokenizer`, whose pattern is tried anew at every
    character behind the last mark, in quadratic time: where it finds nothing once, it will find nothing later.
    """
    return list(_found(string))


def _found(string: str) -> Iterator[Span]:
    start = 0
    while start < len(string):
        match = _sentence().match(string, start)
        if match:
            yield match.span()
            start = match.end()
        elif string[start] == "\n":
            start += 1
        else:
            return
