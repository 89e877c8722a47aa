"""The normal form that near duplicates and contamination are compared in."""

from __future__ import annotations

import functools
import re
import sys
import unicodedata

import regex

from curation.text.punctuation import PUNCTUATION

# The decimal separators of all scripts. `regex` and not `re`, because its digits are those of a newer Unicode.
_NUMBER = regex.compile("\\p{Nd}+(?:[.,\u060c\u066b\u2396\u2397\u2398]\\p{Nd}+)?")
_WHITE_SPACE = re.compile(r"\s+")
_PUNCTUATION_TO_BLANK = str.maketrans(dict.fromkeys(PUNCTUATION, " "))


def normalized(string: str) -> str:
    """Lower case, each number `0`, punctuation and runs of white space one blank, no diacritics.

    The order matters: `1,234.56` has two numbers and becomes `0 0`, and what decomposition brings forth is not
    punctuation any more. Source: datatrove 0.10.1, utils/text.py, `simplify_text` with its defaults.
    """
    string = _NUMBER.sub("0", string.lower()).translate(_PUNCTUATION_TO_BLANK)
    string = _WHITE_SPACE.sub(" ", string.strip())
    if not string.isascii():
        string = _marks().sub("", unicodedata.normalize("NFD", string))
    return string.strip()


@functools.cache
def _marks() -> re.Pattern[str]:
    """Runs of characters of category Mn, by this Python's Unicode. Found in 0.1 s, once a process."""
    ranges: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)) == "Mn":
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return re.compile("[" + "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges) + "]+")
