"""One document, cut once: the only place that words, sentences, lines and paragraphs come from.

Several filters look at the same text one after another. They all ask `texts` for it and so share what has been cut.
Each part is computed when it is first asked for. There are three kinds of lines because the filters have three.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from curation.text import tokens
from curation.text.punctuation import SENTENCE_END

_MOST_CHARACTERS = 16_000_000  # of the texts kept from one call of `texts` to the next; with their words about 300 MB
_NEWLINES = re.compile(r"\n+")
_EMPTY_LINES = re.compile(r"\n{2,}")


class Text:
    """One document's text and its parts. All positions are in characters."""

    def __init__(self, string: str) -> None:
        self.string = string

    @cached_property
    def words(self) -> list[str]:
        """spaCy's English tokens without white space; a punctuation mark is a word.

        Source: datatrove 0.10.1, utils/text.py, `split_into_words`.
        """
        return [token for token in self._tokens[0] if token]

    @cached_property
    def word_counts(self) -> Counter[str]:
        """How often each distinct word occurs, in the order of first occurrence."""
        return Counter(self.words)

    @cached_property
    def sentences(self) -> list[str]:
        """The text cut behind sentence marks, never at line ends; blanks stand at the start of the next sentence.

        The empty text is one sentence. Source: datatrove 0.10.1, utils/text.py, `split_into_sentences`.
        """
        ends = self._tokens[1]
        cuts = [int(ends[start - 1]) for start in self._sentence_starts]
        return [self.string[a:b] for a, b in zip([0, *cuts], [*cuts, len(self.string)], strict=True)]

    def sentences_between(self, start: int, stop: int) -> int:
        """How many sentences `string[start:stop]`, a stripped line, has as a text of its own; an empty one has one.

        No line has to be cut again for that: a line end is a token that takes up the mark before it, so nothing of the
        line before reaches into this one.
        """
        ends = self._tokens[1]
        tokens_before = np.searchsorted(ends, [start, stop], side="right")
        starts_before = np.searchsorted(self._sentence_starts, tokens_before)
        return 1 + int(starts_before[1] - starts_before[0])

    @cached_property
    def lines(self) -> list[str]:
        r"""The lines by every line end: `\n \r \v \f \x1c-\x1e \x85 \u2028 \u2029` (`str.splitlines`)."""
        return self.string.splitlines()

    @cached_property
    def newline_lines(self) -> list[str]:
        r"""The parts between runs of `\n`; a text that starts or ends with one has an empty first or last part."""
        return _NEWLINES.split(self.string)

    @cached_property
    def filled_lines(self) -> list[str]:
        r"""The parts between single `\n` that are not blank, not stripped."""
        return [line for line in self.string.split("\n") if line.strip()]

    @cached_property
    def paragraphs(self) -> list[str]:
        r"""The parts of the stripped text between runs of two or more `\n`; one empty paragraph for a blank text."""
        return _EMPTY_LINES.split(self.string.strip())

    @cached_property
    def _tokens(self) -> tokens.Tokens:
        return tokens.tokens(self.string)

    @cached_property
    def _sentence_starts(self) -> npt.NDArray[np.int64]:
        """Indices of the tokens that start a new sentence: after a sentence mark the first that is no mark itself.

        Source: spaCy 3.8.18, pipeline/sentencizer.pyx, `Sentencizer.predict`.
        """
        words = self._tokens[0]
        starts = []
        following = 0
        for mark in [index for index, word in enumerate(words) if word in SENTENCE_END]:
            if mark < following:
                continue
            following = mark + 1
            while following < len(words) and _is_mark(words[following]):
                following += 1
            if following < len(words):
                starts.append(following)
        return np.array(starts, np.int64)


def _is_mark(token: str) -> bool:
    """Whether a token is punctuation only; white space is not."""
    return token in SENTENCE_END or (bool(token) and all(unicodedata.category(c)[0] == "P" for c in token))


_last: dict[str, Text] = {}


def texts(strings: Sequence[str]) -> list[Text]:
    """One `Text` a string. A string of the last call brings the parts that were cut for it then.

    Successive filters over the same batch so share one segmentation; no more than `_MOST_CHARACTERS` are kept.
    """
    found = [_last.get(string) or Text(string) for string in strings]
    _last.clear()
    characters = 0
    for text in found:
        characters += len(text.string)
        if characters > _MOST_CHARACTERS:
            break
        _last[text.string] = text
    return found
