"""Prefixes, suffixes and infixes of the packaged tables. Oracle: the compiled regular expressions of spaCy 3.8.18."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.errors import UserError
from curation.text.english.alternatives import Alternative, Classes, alternatives
from curation.text.english.candidates import groups, rows
from curation.text.english.layout import IS_CLASS, IS_CODE_POINT, group_of
from curation.text.english.special_cases import string_set
from curation.text.english.tables import load
from tests.text.english.reading import Reader, StringSet

_SPECIALS = StringSet(load().specials.tolist())
_PHRASES = StringSet(load().phrases.tolist())
_LITERALS = sorted(
    {chr(value) for row in load().alternatives.tolist() for value in row[2::2] + row[1::2] if value > 32}
)

WORDS = [
    *(
        "a",
        "Z",
        "word",
        "WORD",
        "éa",
        "ÉA",
        "я",
        "中文",
        "0",
        "5",
        "10",
        "١٢",
        "km",
        "km²",
        "mb",
        "GB",
        "USD",
        "°C",
        "°",
    ),
    *("...", "…", "……", "--", "---", "—", "''", "'s", "’S", "``", "+", "+5", "-5", "=", "a.B", "A.B.", ".com", "x/y"),
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "*",
        "#",
        "$5",
        "5%",
        "€",
        "฿",
        "US$",
        "C$",
        "~",
        "^",
        "2^3",
        "3*4",
        "i18n",
        "a:b",
        "q<r",
    ),
    *(
        "<b>",
        "&amp;",
        "http://x.y/z",
        "me@x.org",
        "`",
        "´",
        "“",
        "”",
        "«",
        "»",
        "・",
        "。",
        "🙂",
        "\u200d",
        "\u0301",
        "\ufeff",
    ),
]
pieces = (
    st.sampled_from(WORDS)
    | st.sampled_from(_LITERALS)
    | st.sampled_from([_SPECIALS.string(number) for number in range(len(_SPECIALS))])
    | st.sampled_from([_PHRASES.string(number) for number in range(len(_PHRASES))])
    | st.text(max_size=3)
)
runs = st.lists(pieces, min_size=1, max_size=6).map("".join)
runs = runs.map(lambda run: "".join(c for c in run if not c.isspace())).filter(bool)
parity = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(run=runs)
@parity
def test_affixes_are_those_of_the_regular_expressions(run: str, reader: Reader, tokenizer: Any) -> None:
    assert _affixes(reader, run) == _affixes_of_spacy(tokenizer, run)


def test_affixes_of_every_pair_of_words(reader: Reader, tokenizer: Any) -> None:
    for run in map("".join, itertools.product(WORDS, WORDS)):
        assert _affixes(reader, run) == _affixes_of_spacy(tokenizer, run), run


Affixes = tuple[int, int, list[tuple[int, int]]]


def _affixes(reader: Reader, run: str) -> Affixes:
    return reader.prefix(run), reader.suffix(run), reader.infixes(run)


def _affixes_of_spacy(tokenizer: Any, run: str) -> Affixes:
    infixes = [found.span() for found in tokenizer.infix_finditer(run)]
    return tokenizer.find_prefix(run), tokenizer.find_suffix(run), infixes


def test_every_character_alone_and_between_letters(reader: Reader, tokenizer: Any, pinned_unicode: None) -> None:
    """One code point of every entry of the tables."""
    pages = {number: page for page, number in reversed(list(enumerate(reader.page)))}
    tried = 0
    for character in (chr(page * 256 + low) for page in pages.values() for low in range(256)):
        if character.isspace():
            continue
        for run in (character, f"a{character}A1{character}"):
            assert _affixes(reader, run) == _affixes_of_spacy(tokenizer, run), ascii(character)
        tried += 1
    assert tried > 50_000


@pytest.mark.parametrize("kind", range(3), ids=["prefix", "suffix", "infix"])
def test_every_alternative_is_reached(kind: int, reader: Reader) -> None:
    """No row but belongs to a group of its kind."""
    reached = set()
    for candidates in reader.candidates:
        group = group_of(candidates, kind)
        reached.update(reader.groups[reader.groups[group] : reader.groups[group + 1]])
    first, last = [(0, 119), (119, 345), (345, 359)][kind]
    assert reached == set(range(first, last))


def test_alternatives_keep_the_order_in_which_a_matcher_tries_them() -> None:
    a, b, c, x = ((IS_CODE_POINT, ord(character)) for character in "abcx")
    classes = Classes(first_bit=14)
    assert alternatives("ab|a(?:c|bb)|(?<=x)c+|a(?!x)", "none", classes) == [
        Alternative((), (a, b)),
        Alternative((), (a, c)),
        Alternative((), (a, b, b)),
        Alternative((x,), (c,), repeats=True),
        Alternative((), (a,), look_ahead=(x,), excluded=True),
    ]


def test_the_same_class_has_one_bit_and_a_negated_class_the_other_characters() -> None:
    classes = Classes(first_bit=14)
    found = alternatives("^[a-c]x|^[^a-c]|^[a-c](?=[a-c])", "start", classes)
    assert [alternative.body[0] for alternative in found] == [(IS_CLASS, 14), (IS_CLASS, 15), (IS_CLASS, 14)]
    assert found[2].look_ahead == ((IS_CLASS, 14),)
    assert "".join(map(chr, classes.members[14].nonzero()[0])) == "abc"
    assert (classes.members[15] == ~classes.members[14]).all()


@pytest.mark.parametrize(
    ("pattern", "anchor", "named"),
    [
        ("ab*", "none", "MAX_REPEAT"),
        ("ab?", "none", "MAX_REPEAT"),
        ("a{2,3}", "none", "MAX_REPEAT"),
        ("(?:ab)+", "none", "MAX_REPEAT"),
        ("ab+?", "none", "MIN_REPEAT"),
        ("a.", "none", "ANY"),
        ("[^a]", "none", "NOT_LITERAL"),
        (r"[a\d]", "none", "CATEGORY"),
        (r"(a)\1", "none", "GROUPREF"),
        (r"\ba", "none", "AT"),
        ("(?<!x)a", "none", "ASSERT_NOT"),
        ("a(?=xy)", "none", "ASSERT"),
        ("a(?=x|yz)", "none", "ASSERT"),
        ("(?i)a", "none", "FLAGS"),
        ("(?i:a)", "none", "SUBPATTERN"),
        ("a+(?=x)", "none", r"'\+='"),
        ("a(?=x)b", "none", r"'\.=\.'"),
        ("a+b", "none", r"'\+\.'"),
        ("^a|b", "start", r"'\.' \(anchor: start\)"),
        ("a$|b", "end", r"'\.' \(anchor: end\)"),
        ("^a", "none", r"'\^\.'"),
        ("a$b", "end", r"'\.\$\.'"),
        ("(?=x)", "none", "'='"),
        ("a|", "none", "''"),
        ("a(?=x)$", "end", r"'\.=\$'"),
        ("(?<=x)a+$", "end", r"'<\+\$'"),
        ("ab+$", "end", "repeats one of several"),
    ],
)
def test_a_construct_that_has_no_such_form_is_refused_by_name(pattern: str, anchor: Any, named: str) -> None:
    with pytest.raises(UserError, match=named) as refused:
        alternatives(pattern, anchor, Classes(first_bit=14))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("pattern", ["abcdefg", "(?<=xyz)a"])
def test_an_alternative_that_is_too_long_for_its_row_is_refused(pattern: str) -> None:
    with pytest.raises(UserError, match="fit"):
        rows(alternatives(pattern, "none", Classes(first_bit=14)))


def test_more_groups_than_have_a_number_are_refused() -> None:
    many = [Alternative((), ((IS_CODE_POINT, 0x4E00 + index),)) for index in range(1024)]
    with pytest.raises(UserError, match="1025 groups"):
        groups([many, [], []], np.zeros(0x110000, np.int64))


def test_a_string_set_survives_collisions() -> None:
    strings = sorted({f"{first}{second}" for first in "aA!b" for second in range(500)})
    found = StringSet(string_set(strings, {}).tolist())
    assert [found.find(string) for string in strings] == list(range(len(strings)))
    assert found.find("a500") == found.find("c1") == found.find("a0000") == -1
