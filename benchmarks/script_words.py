"""Words of any script: where it sets blanks between words, what stands between them; elsewhere pairs of characters.

Han, Kana, Thai, Lao, Khmer and Burmese have no blanks between words, so that a word there is each two neighbouring characters
of a run: an extractor neither gains nor loses by how it sets blanks and line breaks. Marks belong to the letter they stand on,
which `\\w` does not know of Devanagari and Thai.
"""

from __future__ import annotations

import unicodedata
from collections import Counter

import regex

_WITHOUT_BLANKS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_RUN = regex.compile(rf"[{_WITHOUT_BLANKS}]+|[[\p{{L}}\p{{M}}\p{{N}}]--[{_WITHOUT_BLANKS}]]+", regex.V1)
_NO_BLANKS = regex.compile(rf"[{_WITHOUT_BLANKS}]")


def script_words(text: str) -> Counter[str]:
    """The words of a text as a multiset, in NFC and without regard to case."""
    words: Counter[str] = Counter()
    for run in _RUN.findall(unicodedata.normalize("NFC", text).casefold()):
        if len(run) > 1 and _NO_BLANKS.match(run):
            words.update(run[at : at + 2] for at in range(len(run) - 1))
        else:
            words[run] += 1
    return words


def precision_recall_f1(text: str, main: str) -> tuple[float, float, float]:
    """Of the words of a text against those of the main text, which has some."""
    found, wanted = script_words(text), script_words(main)
    right = (found & wanted).total()
    if not right:
        return 0.0, 0.0, 0.0
    return right / found.total(), right / wanted.total(), 2 * right / (found.total() + wanted.total())
