"""Words, sentences, lines and paragraphs of one text. Oracle: datatrove 0.10.1 with spaCy 3.8.18."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.text.batch import TextBatch
from curation.text.columns import batch_of
from curation.text.kernels.lines import LINE_SENTENCES
from curation.text.kernels.words import WORD_COUNTS
from curation.text.segmentation import Text
from curation.text.segmenter import LARGE, Segmenter

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
@given(st.lists(strings, min_size=1, max_size=5))
def test_a_batch_counts_the_sentences_of_texts_and_of_lines(several: list[str]) -> None:
    batch = batch_of(several)
    assert batch.sentences.tolist() == [len(Text(string).sentences) for string in several]
    expected = [len(Text(line.strip()).sentences) for string in several for line in string.splitlines()]
    assert batch.lines.facts[:, LINE_SENTENCES].tolist() == expected


@settings(deadline=None, max_examples=200)
@given(strings)
def test_sentences_join_to_the_text(string: str) -> None:
    assert "".join(Text(string).sentences) == string


@settings(deadline=None, max_examples=100)
@given(st.lists(strings, max_size=40))
def test_a_small_vocabulary_is_cleared_or_grows_without_a_change(several: list[str]) -> None:
    """Sixteen chunks are full after a few words."""
    plain = batch_of(several)
    small = TextBatch(plain.buffer, plain.bounds, Segmenter(chunks=16))
    assert (small.ngrams == plain.ngrams).all()
    assert (small.word_counts == plain.word_counts).all()
    assert (small.lines.facts == plain.lines.facts).all()
    assert (small.shingles(2).hashes == plain.shingles(2).hashes).all()
    assert (small.sentences == plain.sentences).all()


@pytest.mark.parametrize("run", ["(", "x", ".", "'", "a:@", "a.", "))((", "中", "-", "://", "@", "km", "n't", "\x00"])
def test_a_run_without_blanks_takes_linear_time(run: str) -> None:
    """Each of these takes spaCy alone minutes to hours."""
    string = "Before. " + (run * 1_000_000)[:1_000_000] + " After it."
    words = Text(string).words
    assert words[:2] == ["Before", "."]
    assert words[-3:] == ["After", "it", "."]
    assert "".join(words) == string.replace(" ", "")


def test_long_runs() -> None:
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


def test_the_normal_form_of_a_large_document_may_be_asked_for_behind_smaller_ones() -> None:
    """A document above the bound at which scratch is given back, cut but not normalised; then small ones, which are."""
    large, small = "é1" * (LARGE // 2), "this is the text of a page and some more"
    segmenter = Segmenter()
    for string, asked in ((large, False), (small, True), (large, True)):
        batch = batch_of([string])
        texts = TextBatch(batch.buffer, batch.bounds, segmenter)
        assert texts.word_counts.shape == (1, WORD_COUNTS)
        if asked:
            assert texts.shingles(1).hashes.tolist() == batch_of([string]).shingles(1).hashes.tolist()
