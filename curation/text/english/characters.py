"""What each code point is: its class bits, its normal form, and the pages that both are kept in.

All of it follows the Unicode of the Python that runs this, but `NUMBER`, which follows that of `regex`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import numpy.typing as npt
import regex

from connectors.errors import UserError
from curation.text.english.alternatives import CODE_POINTS, Members
from curation.text.english.layout import (
    BY_PYTHON,
    DIGIT,
    HOST_LETTER,
    LETTER,
    NUMBER,
    NUMBER_SEPARATOR,
    PUNCTUATION_CATEGORY,
    SAME,
    SENTENCE_END,
    SPACE,
    SYMBOL,
    TERMINAL,
    TO_BLANK,
    UPPER,
    WORD_CHARACTER,
    Int32s,
)
from curation.text.normalize import _NUMBER
from curation.text.punctuation import PUNCTUATION, SYMBOLS, TERMINAL_PUNCTUATION
from curation.text.punctuation import SENTENCE_END as SENTENCE_END_CHARACTERS

CHARACTERS = tuple(map(chr, range(CODE_POINTS)))
_EVERYTHING = "".join(CHARACTERS)
_HOST_LETTERS = r"[A-Za-z0-9\u00a1-\uffff]"  # as spaCy's pattern of URLs has it
_PADDING = 32  # bytes behind the normal forms, so that a kernel may load eight at a time
_PAGE = 256
_LONGEST_FORM = 31  # bytes, what five bits hold

Int64s = npt.NDArray[np.int64]


def fixed_classes() -> dict[int, Members]:
    """The fixed class bits but `DOMAIN_LETTER`, which is spaCy's: the code points of each."""
    number = _matched(regex.compile(r"\p{Nd}"))
    return {
        SPACE: _those(str.isspace),
        LETTER: _those(str.isalpha),
        SYMBOL: _among(SYMBOLS),
        TERMINAL: _among(TERMINAL_PUNCTUATION),
        SENTENCE_END: _among(SENTENCE_END_CHARACTERS),
        PUNCTUATION_CATEGORY: _those(lambda character: unicodedata.category(character)[0] == "P"),
        HOST_LETTER: _matched(re.compile(_HOST_LETTERS)),
        WORD_CHARACTER: _matched(re.compile(r"\w")),
        DIGIT: _matched(re.compile(r"\d")),
        NUMBER: number,
        NUMBER_SEPARATOR: ~number & _those(lambda character: bool(_NUMBER.fullmatch(f"1{character}1"))),
        TO_BLANK: _among(PUNCTUATION),
        UPPER: _those(str.isupper),
    }


def class_bits(members: Mapping[int, Members]) -> Int64s:
    """The class bits of every code point."""
    if max(members) > 62:
        raise UserError(f"The tokenizer has {max(members) + 1} classes of characters: 63 fit into a code point's bits.")
    bits = np.zeros(CODE_POINTS, np.int64)
    for bit, inside in members.items():
        bits[inside] |= 1 << bit
    return bits


def normal_form(character: str) -> str | None:
    """What normalisation makes of a character that is neither number nor punctuation; None if neighbours decide.

    They decide on the final sigma, on what becomes two letters in lower case, and where marks that stay would be put
    in canonical order. Source: `curation.text.normalize.normalized`, its steps for one character.
    """
    lower = character.lower()
    kept = [part for part in unicodedata.normalize("NFD", lower) if unicodedata.category(part) != "Mn"]
    if character == "\N{GREEK CAPITAL LETTER SIGMA}" or len(lower) != 1 or any(map(unicodedata.combining, kept)):
        return None
    return "".join(kept)


def normal_forms() -> tuple[Int32s, npt.NDArray[np.uint8]]:
    """`Tables.normal` of every code point, and the pool of normal forms. Surrogates, which no text has, stay."""
    normal = np.full(CODE_POINTS, SAME, np.int32)
    pool = bytearray()
    offsets: dict[bytes, int] = {}
    for code_point, character in enumerate(CHARACTERS):
        form = character if 0xD800 <= code_point < 0xE000 else normal_form(character)
        if form is None:
            normal[code_point] = BY_PYTHON
        elif form != character:
            encoded = form.encode()
            if len(encoded) > _LONGEST_FORM:
                raise UserError(f"The normal form of U+{code_point:04X} has more than {_LONGEST_FORM} bytes.")
            if encoded not in offsets:
                offsets[encoded] = len(pool)
                pool += encoded
            normal[code_point] = offsets[encoded] << 5 | len(encoded)
    return normal, np.frombuffer(bytes(pool) + bytes(_PADDING), np.uint8)


def paged(classes: Int64s, candidates: Int32s, normal: Int32s) -> tuple[Int32s, Int64s, Int32s, Int32s]:
    """`Tables.page`, and the three arrays with each distinct page once."""
    joined = np.stack([classes, candidates, normal], axis=1).reshape(-1, _PAGE * 3)
    numbers: dict[bytes, int] = {}
    page = np.array([numbers.setdefault(row.tobytes(), len(numbers)) for row in joined], np.int32)
    firsts = np.unique(page, return_index=True)[1]

    def distinct(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        return array.reshape(-1, _PAGE)[firsts].reshape(-1)

    return page, distinct(classes), distinct(candidates), distinct(normal)  # type: ignore[return-value]


def _those(property_of: Callable[[str], bool]) -> Members:
    return np.fromiter(map(property_of, CHARACTERS), np.bool_, CODE_POINTS)


def _among(characters: Iterable[str]) -> Members:
    members = np.zeros(CODE_POINTS, np.bool_)
    members[[ord(character) for character in characters]] = True
    return members


def _matched(pattern: re.Pattern[str]) -> Members:
    members = np.zeros(CODE_POINTS, np.bool_)
    members[[found.start() for found in pattern.finditer(_EVERYTHING)]] = True
    return members
