"""Class bits and normal forms of the packaged tables. Oracles: Python 3.11's own `str`, `re` and `unicodedata`,
`regex`, and `curation.text.normalize`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.text import punctuation
from curation.text.english import layout
from curation.text.english.characters import class_bits, normal_form, paged
from curation.text.english.layout import BY_PYTHON, NUMBER, SPACE, TO_BLANK
from curation.text.english.rules import Rules
from curation.text.normalize import normalized
from tests.text.english.reading import Reader

PROPERTIES: list[tuple[str, Callable[[str], object]]] = [
    ("SPACE", str.isspace),
    ("LETTER", str.isalpha),
    ("UPPER", str.isupper),
    ("SYMBOL", punctuation.SYMBOLS.__contains__),
    ("TERMINAL", punctuation.TERMINAL_PUNCTUATION.__contains__),
    ("SENTENCE_END", punctuation.SENTENCE_END.__contains__),
    ("TO_BLANK", punctuation.PUNCTUATION.__contains__),
    ("PUNCTUATION_CATEGORY", lambda character: unicodedata.category(character).startswith("P")),
    ("WORD_CHARACTER", re.compile(r"\w").match),
    ("DIGIT", re.compile(r"\d").match),
    ("HOST_LETTER", re.compile(r"[A-Za-z0-9\u00a1-\uffff]").match),
    ("NUMBER", lambda character: normalized(f"x{character}") == "x0"),
    ("NUMBER_SEPARATOR", lambda character: normalized(f"1{character}1") == "0" and normalized(f"x{character}") != "x0"),
]
# Outside planes 0, 1 and 14 are ideographs, private and unassigned code points alone: two of each page.
CHARACTERS = [
    chr(code_point)
    for code_point in range(0x110000)
    if not 0xD800 <= code_point < 0xE000 and (code_point >> 16 in (0, 1, 14) or code_point & 255 in (0, 128))
]


@pytest.mark.parametrize(("name", "holds"), PROPERTIES, ids=[name for name, _ in PROPERTIES])
def test_class_bits(name: str, holds: Callable[[str], object], reader: Reader, pinned_unicode: None) -> None:
    bit = getattr(layout, name)
    wrong = [ascii(character) for character in CHARACTERS if reader.has_class(character, bit) != bool(holds(character))]
    assert wrong == []


def test_domain_letters_are_those_of_the_pattern_of_urls(reader: Reader, installed: Rules) -> None:
    letter = re.compile(f"[{installed.domain_letters}]")
    wrong = [c for c in CHARACTERS if reader.has_class(c, layout.DOMAIN_LETTER) != bool(letter.match(c))]
    assert wrong == []


def test_a_character_is_normalised_as_in_a_text(reader: Reader, pinned_unicode: None) -> None:
    """Between letters, so that nothing is stripped."""
    checked = 0
    for character in CHARACTERS:
        form = reader.normal_form(character)
        if form is None or any(reader.has_class(character, bit) for bit in (SPACE, NUMBER, TO_BLANK)):
            continue
        assert normalized(f"x{character}x") == f"x{form}x", ascii(character)
        checked += 1
    assert checked > 190_000


def test_few_characters_are_left_to_python(reader: Reader, pinned_unicode: None) -> None:
    left = [character for character in CHARACTERS if reader.normal[reader.entry(character)] == BY_PYTHON]
    assert "Σ" in left and "İ" in left and len(left) < 64


@given(string=st.text(st.characters(exclude_categories=["Cs", "Nd"]) | st.sampled_from("éÅ한ﬃ≮ΆǅС́̈⒈क़"), max_size=12))
@settings(max_examples=500, deadline=None)
def test_normal_forms_do_not_depend_on_neighbours(string: str, reader: Reader, pinned_unicode: None) -> None:
    """Marks that stay are the only ones that move, and they are left to Python. A mark that goes can leave two blanks."""
    forms = [" " if reader.has_class(c, TO_BLANK) or c.isspace() else reader.normal_form(c) for c in string]
    if None in forms or any(reader.has_class(c, NUMBER) for c in string):
        return
    joined = re.sub(r"\s+", " ", "".join(str(form) for form in forms).strip())
    assert normalized(string).split() == joined.split()


@pytest.mark.parametrize(
    ("character", "form"),
    [
        ("É", "e"),
        ("ﬁ", "ﬁ"),
        ("\u0301", ""),
        ("가", "\u1100\u1161"),
        ("≮", "<"),
        ("Σ", None),
        ("İ", None),
        ("中", "中"),
    ],
)
def test_normal_form(character: str, form: str | None) -> None:
    assert normal_form(character) == form


def test_pages_keep_every_entry() -> None:
    generator = np.random.default_rng(1)
    arrays: tuple[Any, Any, Any] = (
        np.repeat(generator.integers(0, 3, 0x1100), 256).astype(np.int64),
        np.repeat(generator.integers(0, 2, 0x1100), 256).astype(np.int32),
        np.tile(np.arange(256, dtype=np.int32), 0x1100),
    )
    kept: Any
    page, *kept = paged(arrays[0], arrays[1], arrays[2])
    entries = (page[:, None] * 256 + np.arange(256)).reshape(-1)
    assert [np.array_equal(distinct[entries], array) for distinct, array in zip(kept, arrays)] == [True] * 3
    assert [len(distinct) for distinct in kept] == [6 * 256] * 3


def test_class_bits_are_those_that_were_asked_for() -> None:
    members = np.zeros(0x110000, np.bool_)
    members[65] = True
    bits = class_bits({3: members, 40: members, 5: ~members})
    assert bits[65] == 1 << 3 | 1 << 40 and bits[66] == 1 << 5
