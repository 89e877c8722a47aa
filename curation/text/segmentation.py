"""One document as Python sees it: its words, sentences, lines and paragraphs, for measures of one's own and for looking at.

The shipped measures count over whole batches (`batch.py`) and make none of these. A `Text` cuts by the same kernels, each part
when it is first asked for. There are three kinds of lines because the filters have three.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cached_property

import numpy as np

from curation.text.columns import batch_of
from curation.text.punctuation import SENTENCE_END

_NEWLINES = re.compile(r"\n+")
_EMPTY_LINES = re.compile(r"\n{2,}")

Span = tuple[int, int]


class Text:
    """One document's text and its parts. All positions are in characters."""

    def __init__(self, string: str) -> None:
        self.string = string

    @cached_property
    def word_spans(self) -> list[Span]:
        """Where each word begins and ends."""
        batch = batch_of([self.string])
        starts, stops, _ = next(batch.word_spans())
        begins = (batch.buffer[: batch.bounds[-1]] & 0xC0) != 0x80  # bytes at which a character begins
        characters = np.concatenate([[0], np.cumsum(begins)])
        return list(zip(characters[starts].tolist(), characters[stops].tolist(), strict=True))

    @cached_property
    def words(self) -> list[str]:
        """spaCy's English tokens without white space; a punctuation mark is a word.

        Source: datatrove 0.10.1, utils/text.py, `split_into_words`.
        """
        return [self.string[start:stop] for start, stop in self.word_spans]

    @cached_property
    def word_counts(self) -> Counter[str]:
        """How often each distinct word occurs, in the order of first occurrence."""
        return Counter(self.words)

    @cached_property
    def sentence_spans(self) -> list[Span]:
        """Where each sentence begins and ends: behind sentence marks, never at line ends.

        White space other than one blank behind a word counts as a token, so it can begin a sentence.
        Source: spaCy 3.8.18, pipeline/sentencizer.pyx, `Sentencizer.predict`.
        """
        cuts, is_open, end = [], False, 0
        for start, stop in [*self.word_spans, (len(self.string), len(self.string))]:
            gap = self.string[end:start]
            if is_open and gap and gap != " ":
                cuts.append(end)
                is_open = False
            word = self.string[start:stop]
            if word in SENTENCE_END:
                is_open = True
            elif is_open and word and not all(unicodedata.category(c)[0] == "P" for c in word):
                cuts.append(end)
                is_open = False
            end = stop
        return list(zip([0, *cuts], [*cuts, len(self.string)], strict=True))

    @cached_property
    def sentences(self) -> list[str]:
        """The text cut into sentences; blanks stand at the start of the next one. The empty text is one sentence.

        Source: datatrove 0.10.1, utils/text.py, `split_into_sentences`.
        """
        return [self.string[start:stop] for start, stop in self.sentence_spans]

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
