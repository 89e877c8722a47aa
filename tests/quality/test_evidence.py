"""Evidence accounts for the value of its measure. Oracle: the measures themselves, which count by kernels."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.quality import evidence
from curation.quality.measure import shipped
from curation.text.segmentation import Span, Text

SHIPPED = shipped()

texts = st.lists(
    st.sampled_from(
        [
            "One line.",
            "- two",
            "• drei。",
            " ",
            "",
            "…",
            "x...",
            "three?",
            "\n",
            "#tag",
            "a b c d e",
            "a bc d e f",
            "42",
            "é̈",
        ]
        + ["a long line of many words " * 2, "x" * 30, "x" * 31, "x\x0by\u2028z", "\r", "the the the the", "中文字"]
    ),
    max_size=30,
)
joints = st.sampled_from([" ", "\n", "\n\n", "\n \n"])


def characters(text: Text, spans: list[Span]) -> int:
    return sum(stop - start for start, stop in spans)


def word_characters(text: Text, spans: list[Span]) -> int:
    return sum(b - a for start, stop in spans for a, b in text.word_spans if start <= a and b <= stop)


Account = Callable[[Text, list[Span]], tuple[float, float]]
BY_LENGTH: dict[str, Account] = {
    "duplicate_line_character_share": lambda text, spans: (characters(text, spans), len(text.string)),
    "duplicate_paragraph_character_share": lambda text, spans: (characters(text, spans), len(text.string)),
    "repeated_line_character_share": lambda text, spans: (
        characters(text, spans),
        len(text.string.replace("\n", "")),
    ),
    **{
        f"duplicate_{n}_gram_share": lambda text, spans: (word_characters(text, spans), len(text.string))
        for n in range(5, 11)
    },
}
BY_NUMBER: dict[str, Account] = {
    "duplicate_line_share": lambda text, spans: (len(spans), len(text.newline_lines)),
    "duplicate_paragraph_share": lambda text, spans: (len(spans), len(text.paragraphs)),
    "bullet_line_share": lambda text, spans: (len(spans), len(text.lines)),
    "ellipsis_line_share": lambda text, spans: (len(spans), len(text.lines)),
    "short_line_share": lambda text, spans: (len(spans), len(text.filled_lines)),
    "newlines_per_word": lambda text, spans: (len(spans), len(text.words)),
    "hashes_per_word": lambda text, spans: (len(spans), len(text.words)),
    "ellipses_per_word": lambda text, spans: (len(spans), len(text.words)),
}
BY_WHAT_IS_LEFT: dict[str, Account] = {  # the measure counts the rest
    "terminal_punctuation_line_share": lambda text, spans: (
        len(text.filled_lines) - len(spans),
        len(text.filled_lines),
    ),
    "alpha_word_share": lambda text, spans: (len(text.words) - len(spans), len(text.words)),
    "distinct_word_share": lambda text, spans: (len(text.words) - len(spans), len(text.words)),
}
ACCOUNTS = BY_LENGTH | BY_NUMBER | BY_WHAT_IS_LEFT
TOP = {f"top_{n}_gram_share": n for n in (2, 3, 4)}


def test_every_evidence_is_held_against_its_measure() -> None:
    assert {name for name, measure in SHIPPED.items() if measure.evidence} == {*ACCOUNTS, *TOP}


@settings(deadline=None, max_examples=150)
@given(texts, joints)
def test_the_spans_account_for_the_value(parts: list[str], joint: str) -> None:
    text = Text(joint.join(parts))
    for name, account in ACCOUNTS.items():
        part, whole = account(text, spans_of(name, text))
        expected = None if whole == 0 else pytest.approx(part / whole, abs=1e-15)
        assert SHIPPED[name](text) == expected, name


@settings(deadline=None, max_examples=150)
@given(texts, joints)
def test_the_places_of_the_top_n_gram(parts: list[str], joint: str) -> None:
    """All places hold the same words, whose length times their number is the value."""
    text = Text(joint.join(parts))
    for name, n in TOP.items():
        spans = spans_of(name, text)
        value = SHIPPED[name](text)
        if value is None:
            assert not spans
            continue
        grams = {
            tuple(text.string[a:b] for a, b in text.word_spans if start <= a and b <= stop) for start, stop in spans
        }
        assert {len(gram) for gram in grams} == {n}
        assert math.isclose(value, len(" ".join(min(grams))) * len(spans) / len(text.string))


def spans_of(name: str, text: Text) -> list[Span]:
    """The evidence, which must lie in the text in order."""
    found = SHIPPED[name].evidence
    assert found is not None
    spans = list(found(text))
    assert spans == sorted(spans)
    assert all(0 <= start <= stop <= len(text.string) for start, stop in spans)
    return spans


def marked(find: Callable[[Text], list[Span]], string: str) -> list[str]:
    return [string[start:stop] for start, stop in find(Text(string))]


def test_what_is_marked() -> None:
    assert marked(evidence.duplicate_lines, "Reply\nfirst\n\nReply\nReply") == ["Reply", "Reply"]
    assert marked(evidence.duplicate_paragraphs, "  a b\n\nc\n\n\na b \n") == ["a b"]
    assert marked(evidence.duplicate_paragraphs, "a b\n\nc\n\n a b") == []
    assert marked(evidence.repeated_filled_lines, "x\n \nx\n \n") == ["x"]
    assert marked(evidence.bullet_lines, "• a\r\n b\x0b - c") == ["• a", " - c"]
    assert marked(evidence.ellipsis_lines, "more... \nend.\nread…") == ["more... ", "read…"]
    assert marked(evidence.unterminated_lines, 'One.\nMenu\n \n"Two."') == ["Menu", '"Two."']
    assert marked(evidence.short_lines, "x" * 31 + "\nshort\n") == ["short"]
    assert marked(evidence.words_without_letters, "ab, 12 é") == [",", "12"]
    assert marked(evidence.repeated_words, "a b a c b") == ["a", "b"]
    assert marked(evidence.top_n_gram(2), "buy now or buy now")[:2] == ["buy now", "buy now"]
    assert marked(evidence.duplicate_n_grams(2), "a b c a b") == ["a b"]


def test_positions_are_characters_behind_letters_of_many_bytes() -> None:
    string = "日本語 é ☕\nx\n日本語 é ☕"
    assert marked(evidence.duplicate_lines, string) == ["日本語 é ☕"]
    assert evidence.duplicate_lines(Text(string)) == [(10, 17)]
    assert evidence.newlines(Text(string)) == [(7, 8), (9, 10)]
