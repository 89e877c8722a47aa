"""Every measure of the kernels against slow, obviously right Python over spaCy's own words (`obvious.py`)."""

from __future__ import annotations

import importlib.util
import math
import resource
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.quality.measure import resolve
from curation.text.columns import batch_of

pytest.importorskip("spacy")
_spec = importlib.util.spec_from_file_location("obvious", Path(__file__).with_name("obvious.py"))
assert _spec and _spec.loader
obvious = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(obvious)

PIECES = [
    "the", "of", "that", "with", "word", "Word", "word,", "word.", "end!", "why?", "a-b", "can't", "don’t", "cannot", "10km",
    "#tag", "##", "...", "…", "•", "-", "- item", "{", "[1]", "(a)", "U.S.A.", "e.g.", "a.m.", ":-)", "=[", "( =", "中文。", "é",
    "ﬁ", "١٢", "ß", "x\u0301\u0301", "\u200b", "\x00", "http://x.y/z?q=1", "me@x.org", "javascript", "Lorem Ipsum",
]  # fmt: skip
GAPS = [
    " ",
    " ",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\n\n\n",
    "\t",
    " \n ",
    "\r\n",
    "\r",
    "\x0b",
    "\x1c",
    "\x85",
    "\u2028",
    "\u00a0",
    "",
]
pieces = st.sampled_from(PIECES) | st.text(max_size=3)
texts = st.lists(st.tuples(pieces, st.sampled_from(GAPS)).map("".join), max_size=40).map("".join)
# Few words, so that lines, paragraphs and runs of them come again.
repetitive = st.lists(
    st.tuples(st.sampled_from(["a", "b", "ab", "bc", "c", "the", ".", "longer"]), st.sampled_from(GAPS[:9])).map(
        "".join
    ),
    max_size=120,
).map("".join)
strings = (texts | repetitive).filter(lambda string: "IS_ALPHA" not in string)


def differences(several: list[str], name: str) -> list[tuple[str, float | None, float]]:
    """The texts for which kernel and Python say something else."""
    ours = resolve(name).values(batch_of(several)).tolist()
    expected = [obvious.MEASURES[name](obvious.Obvious(string)) for string in several]
    return [
        (string, want, got)
        for string, want, got in zip(several, expected, ours, strict=True)
        if not (math.isnan(got) if want is None else want == got)
    ]


@pytest.mark.parametrize("name", obvious.MEASURES)
@settings(deadline=None, max_examples=60)
@given(several=st.lists(strings, min_size=1, max_size=4))
def test_kernels_equal_obvious_python(name: str, several: list[str]) -> None:
    assert differences(several, name) == []


HOSTILE = {
    "one byte": "a",
    "nothing": "",
    "blanks": " \n\t ",
    "NULs": "\x00" * 50 + " a " + "\x00",
    "blank lines": "\n" * 3_000,
    "carriage returns": "a\r\r\n\r" * 500,
    "no spaces": "中文字" * 700 + "。",
    "combining characters": "a" + "\u0301" * 2_000 + " b",
    "one line": "word, " * 2_000,
    "emoticons": ":-) ( = =[ " * 200,
    "dots": "." * 500 + " ... . .." * 100,
    "right to left": "\u202e" + "مرحبا بالعالم. " * 100,
    "astral": "𝔘𝔫𝔦 🙂🙂 " * 200,
    "line separators": "a\u2028b\u2029c\x85d" * 200,
}


@pytest.mark.parametrize("name", obvious.MEASURES)
def test_hostile_texts_equal_obvious_python(name: str) -> None:
    assert differences(list(HOSTILE.values()), name) == []


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "word ",
        "word, ",
        "中",
        "\n",
        "a\n",
        "\x00",
        "a\u0301",
        ":)",
        "=[ ( ",
        "...",
        "[1] ",
        "( ",
        "http://a.b/ ",
        "🙂 ",
    ],
)
def test_ten_megabytes_take_linear_time(piece: str) -> None:
    """Ten times the text in about ten times the time, whatever it is made of; quadratic work would take a hundred times.

    Time of this process without the system's: of line ends alone there are arrays of 600 MB, and what the system takes to clear
    those is more than ten times as much where it has to find the memory first.
    """
    spent = []
    for size in (1_000_000, 10_000_000):
        batch = batch_of([(piece * (size // len(piece.encode()) + 1))[:size]])
        started = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        for name in ("words", "sentences", "duplicate_line_share", "top_4_gram_share", "duplicate_10_gram_share"):
            assert len(resolve(name).values(batch)) == 1
        assert batch.lines.facts.shape[1] == 7
        assert len(batch.shingles(5).offsets) == 2
        spent.append(resource.getrusage(resource.RUSAGE_SELF).ru_utime - started)
    assert spent[1] < 40 * max(spent[0], 0.02)


def test_many_documents_of_one_byte() -> None:
    """Documents without white space between them are not read again and again."""
    batch = batch_of(["a"] * 200_000)
    started = time.process_time()
    assert resolve("words").values(batch).sum() == 200_000
    assert time.process_time() - started < 20
