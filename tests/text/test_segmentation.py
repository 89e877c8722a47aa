"""Words, sentences, lines and paragraphs of one text. Oracle: datatrove 0.10.1 with spaCy 3.8.18."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.text import segmentation, tokens
from curation.text.segmentation import Text, texts

AFFIXES = [
    "(",
    ")",
    "...",
    "…",
    "'s",
    "n't",
    "’",
    '"',
    ".",
    "!",
    "?",
    "$5.50",
    "10km",
    "a-b",
    "#tag",
    "@me",
    "U.S.A.",
    ":-)",
]
PIECES = [
    *AFFIXES,
    "http://x.y/z?q=1",
    "me@x.org",
    "can't",
    "( =",
    "=[",
    "C++",
    "ß",
    "中文。",
    "é",
    "١٢",
    "word",
    "The",
    "e.g.",
]
BLANKS = [" ", "  ", "\n", "\n\n", "\t", " \n ", "\r\n", "\u2028", "\x85", "\u00a0", "\x1f", ""]
strings = st.lists(st.sampled_from(PIECES + BLANKS * 3) | st.text(max_size=4), max_size=30).map("".join)
strings = strings.filter(lambda string: "IS_ALPHA" not in string)


@pytest.mark.parametrize(
    ("string", "words"),
    [
        ("can't", "ca n't"),
        ("cannot", "can not"),
        ("don’t", "do n’t"),
        ("10km", "10 km"),
        ("$5.50", "$ 5.50"),
        ("a-b", "a - b"),
        ("#tag", "# tag"),
        ("@me", "@me"),
        ("U.S.A. e.g. C++ :-) ...", "U.S.A. e.g. C++ :-) ..."),
        ("http://x.y/z?q=1", "http://x.y / z?q=1"),
        (" \n\t ", ""),
        ("a\u00a0b", "a b"),
        ("IS_ALPHA", "IS_ALPHA"),
    ],
)
def test_words_are_spacy_tokens(string: str, words: str) -> None:
    assert " ".join(Text(string).words) == words


def test_sentences_end_at_marks_and_never_at_line_ends() -> None:
    assert Text("").sentences == [""]
    assert Text("One line\nand another").sentences == ["One line\nand another"]
    assert Text("One. Two!").sentences == ["One.", " Two!"]
    assert Text('He said "no." Then left.').sentences == ['He said "no."', " Then left."]
    assert Text("Well... yes?! So").sentences == ["Well... yes?!", " So"]


def test_each_filter_has_its_own_lines() -> None:
    text = Text("\na\x0bb\n\n c \n \n\nd\r\n")
    assert text.lines == ["", "a", "b", "", " c ", " ", "", "d"]
    assert text.newline_lines == ["", "a\x0bb", " c ", " ", "d\r", ""]
    assert text.filled_lines == ["a\x0bb", " c ", "d\r"]
    assert text.paragraphs == ["a\x0bb", " c \n ", "d"]


@settings(deadline=None, max_examples=300)
@given(strings)
def test_words_and_sentences_equal_datatrove(string: str) -> None:
    oracle = pytest.importorskip("datatrove.utils.text")
    assert Text(string).words == oracle.split_into_words(string)
    assert Text(string).sentences == oracle.split_into_sentences(string)


@settings(deadline=None, max_examples=300)
@given(strings)
def test_sentences_of_a_line_are_those_of_the_line_alone(string: str) -> None:
    text, offset = Text(string), 0
    for line in string.splitlines(keepends=True):
        start = offset + len(line) - len(line.lstrip())
        stripped = line.strip()
        assert text.sentences_between(start, start + len(stripped)) == len(Text(stripped).sentences)
        offset += len(line)


@settings(deadline=None, max_examples=200)
@given(strings)
def test_sentences_join_to_the_text(string: str) -> None:
    assert "".join(Text(string).sentences) == string


def test_a_batch_seen_again_brings_its_parts() -> None:
    first = texts(["One text.", "Another."])
    again = texts(["Another.", "New.", "One text."])
    assert again[0] is first[1]
    assert again[2] is first[0]
    assert texts(["New."])[0] is again[1]
    assert texts(["One text."])[0] is not first[0]


def test_what_is_kept_between_batches_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmentation, "_MOST_CHARACTERS", 10)
    first = texts(["12345678", "123456", "1"])
    assert [a is b for a, b in zip(texts(["12345678", "123456", "1"]), first, strict=True)] == [True, False, False]


def test_a_full_vocabulary_is_thrown_away_without_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    string = "Some words, each (of them) new to it: don't, 10km, a.b."
    before = Text(string).words
    monkeypatch.setattr(tokens, "_MOST_TOKENS", 3)
    for _ in range(2):
        Text(string + " More.").words  # noqa: B018
        assert tokens._english.cache_info().currsize == 0
        assert Text(string).words == before


@pytest.mark.parametrize("run", ["(", "x", ".", "'", "a:@", "a.", "))((", "中", "-", "://", "@", "km", "n't", "\x00"])
def test_a_run_without_blanks_takes_linear_time(run: str) -> None:
    """Each of these takes spaCy alone minutes to hours."""
    string = "Before. " + (run * 300_000)[:300_000] + " After it."
    words = Text(string).words
    assert words[:2] == ["Before", "."]
    assert words[-3:] == ["After", "it", "."]
    assert "".join(words) == string.replace(" ", "")


def test_runs_up_to_the_limit_are_cut_as_one() -> None:
    """Oracle: spaCy as it comes."""
    spacy = pytest.importorskip("spacy")
    plain = spacy.blank("en").tokenizer
    runs = [
        "." * 200,
        "x" * 1_990 + ".",
        "(" * 150 + "a" + ")" * 150,
        "a" * 100 + "." * 100 + "!" * 3,
        "9km" * 300 + "....",
        "100000km/h",
        "x1000000mbar",
    ]
    runs += [
        "http://user:pass@a.com/" + "x" * 500,
        "user:@b@a.com",
        "a@b",
        "a:b@10.0.0.1",
        "x://u:p@1.2.3.4:80?q",
        "a" * 70 + ".com",
    ]
    for run in runs:
        assert Text(run).words == [token.text for token in plain(run)]
    long = "x" * tokens.LONGEST_RUN
    assert Text(long).words == [long]
    assert Text(long + "y").words == [long, "y"]
