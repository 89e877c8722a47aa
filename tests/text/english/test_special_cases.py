"""Special cases of the packaged tables and the tokens that spell them. Oracle: spaCy 3.8.18."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from curation.text.english.layout import (
    CONTINUES,
    FIRST_OFFSETS,
    FIRST_PATTERNS,
    FLAGS,
    OPENS,
    PATTERN_OFFSETS,
    PATTERN_SPECIAL,
    PATTERN_TOKENS,
    TOKEN_LENGTHS,
    TOKEN_OFFSETS,
)
from curation.text.english.rules import Rules
from tests.text.english.reading import Reader, StringSet


def test_every_special_case_is_found_with_its_tokens(reader: Reader, installed: Rules) -> None:
    specials = reader.specials
    assert len(specials) == len(installed.special_cases) > 1000
    for string, tokens in installed.special_cases.items():
        number = specials.find(string)
        assert number >= 0, string
        assert tuple(specials.run(TOKEN_OFFSETS, TOKEN_LENGTHS, number)) == tuple(map(len, tokens)), string


def test_no_other_string_is_found(reader: Reader, installed: Rules) -> None:
    """Strings that differ from a special case in one character, at each place."""
    tried = set()
    for string in installed.special_cases:
        for place, character in enumerate(string):
            for instead in ("", "q" + character, chr(ord(character) + 64)):
                tried.add(string[:place] + instead + string[place + 1 :])
    tried -= {"", *installed.special_cases}
    assert len(tried) > 10_000
    assert [string for string in tried if reader.specials.find(string) >= 0] == []


@given(string=st.text(min_size=1, max_size=16))
@settings(max_examples=300, deadline=None)
def test_arbitrary_strings(string: str, reader: Reader, installed: Rules) -> None:
    assert (reader.specials.find(string) >= 0) == (string in installed.special_cases)


def test_the_filter_before_the_look_up_turns_away_most_words(reader: Reader) -> None:
    words = ["international", "understanding", "a-b-c-d-e-f-g-h", "2024-01-01", "https://x.org"]
    assert [word for word in words if reader.specials.may_hold(word)] == []


def test_phrases_are_the_special_cases_that_would_be_cut_otherwise(reader: Reader, installed: Rules) -> None:
    phrases = reader.phrases
    patterns = _patterns(phrases)
    spelled = [reader.specials.string(number) for number in _numbers(phrases, PATTERN_SPECIAL, len(patterns))]
    assert dict(zip(spelled, patterns, strict=True)) == installed.phrases
    assert len(installed.phrases) > 300


def test_each_token_leads_to_the_phrases_that_it_begins(reader: Reader) -> None:
    phrases = reader.phrases
    patterns = _patterns(phrases)
    flags = _numbers(phrases, FLAGS, len(phrases))
    for number in range(len(phrases)):
        token = phrases.string(number)
        assert phrases.find(token) == number
        begun = phrases.run(FIRST_OFFSETS, FIRST_PATTERNS, number)
        assert begun == [index for index, pattern in enumerate(patterns) if pattern[0] == token], token
        assert bool(flags[number] & OPENS) == any(token in pattern[:-1] for pattern in patterns), token
        assert bool(flags[number] & CONTINUES) == any(token in pattern[1:] for pattern in patterns), token


def _patterns(phrases: StringSet) -> list[tuple[str, ...]]:
    count = phrases.array[PATTERN_TOKENS] - phrases.array[PATTERN_OFFSETS] - 1
    runs = [phrases.run(PATTERN_OFFSETS, PATTERN_TOKENS, number) for number in range(count)]
    return [tuple(map(phrases.string, run)) for run in runs]


def _numbers(phrases: StringSet, part: int, count: int) -> list[int]:
    start = phrases.array[part]
    return phrases.array[start : start + count]
