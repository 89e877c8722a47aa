"""C4's line filter at its edges. Oracle where named: datatrove 0.10.1, `C4QualityFilter`."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.quality.c4 import C4
from curation.run.documents import TEXT

GOOD = "This is a sentence. "
PIECES = [
    GOOD,
    "citation",
    "[7]",
    "[]",
    "[edit]",
    " [citation needed]",
    ".",
    "...",
    "…",
    '"',
    "”",
    "{",
    "Lorem Ipsum",
    "JavaScript",
]
PIECES += [
    "uses cooKies",
    "x" * 1_001,
    "\n",
    "\r",
    "\u2028",
    "\x0b",
    "\x85",
    " ",
    "  ",
    "\u00a0",
    "? ",
    "three more words",
    "中文。",
]
strings = st.lists(st.sampled_from([*PIECES, "\n", "\n", GOOD, GOOD]), max_size=25).map("".join)

PARAMETERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"terminal_punctuation": False}, {"filter_no_terminal_punct": False}),
    ({"min_sentences": 0}, {"min_num_sentences": -1}),
    ({"min_words_per_line": 0, "min_sentences": 3}, {"min_words_per_line": -1, "min_num_sentences": 3}),
    ({"max_word_length": None, "remove_citations": False}, {"max_word_length": -1, "remove_citations": False}),
    (
        {"lorem_ipsum": False, "javascript": False, "curly_bracket": False, "policy": False},
        {
            "filter_lorem_ipsum": False,
            "filter_javascript": False,
            "filter_curly_bracket": False,
            "filter_policy": False,
        },
    ),
]


Verdict = tuple[str, float, float]


def clean(step: C4, string: str) -> tuple[Verdict | None, str]:
    """Reason, value and threshold of the verdict, and the text that is left."""
    row = step(pa.record_batch({TEXT: pa.array([string], pa.string())})).to_pylist()[0]
    return (row["reason"], row["value"], row["threshold"]) if row["reason"] else None, row[TEXT]


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("A claim with a citation. [7]", None),  # the blank that stays is no end mark
        ("A claim that is so.[8]", "A claim that is so."),
        ("It ends in an ellipsis...", None),
        ("It ends in an ellipsis…", None),
        ("He said “so be it.”", None),
        ('He said "so be it."', 'He said "so be it."'),
        ("  Stripped of its blanks. ", "Stripped of its blanks."),
        ("Two words.", None),
        ("Please enable JAVASCRIPT in it.", None),
        ("This site uses cooKies.", None),  # the Kelvin sign is a k in lower case
        ("We {care} about javascript here.", None),  # a line dropped before its bracket is seen
        ("{ no end mark here", None),
        ("One " + "x" * 1_001 + " word.", None),
        ("One " + "x" * 1_000 + " word.", "One " + "x" * 1_000 + " word."),
        ("One [1] word[2] here.", "One  word here."),
        ("[1] [2] [3].", "  ."),  # words are counted before citations are cut
    ],
)
def test_lines(line: str, kept: str | None) -> None:
    verdict, text = clean(C4(min_sentences=1), f"{GOOD}\n{line}\n{GOOD}")
    assert verdict is None
    assert text.split("\n")[1:-1] == ([] if kept is None else [kept])


@pytest.mark.parametrize(
    ("string", "terminal", "verdict"),
    [
        (GOOD * 4, True, ("too_few_sentences", 4, 5)),
        (GOOD * 5, True, None),
        (GOOD * 4 + "\n{ here is code", True, ("too_few_sentences", 4, 5)),
        (GOOD * 5 + "\n{ here is code", True, None),
        (GOOD * 5 + "\n{ here is code", False, ("curly_bracket", 1, 0)),
        (GOOD * 5 + "Lorem Ipsum.", True, ("lorem_ipsum", 1, 0)),
        ("[1][2][3][4][5][6] One is. Two is. Three is. Four is. Five is.", True, None),
        ("", True, ("too_few_sentences", 0, 5)),
    ],
)
def test_documents(string: str, terminal: bool, verdict: Verdict | None) -> None:
    got, text = clean(C4(terminal_punctuation=terminal), string)
    assert got == verdict
    assert verdict is None or text == string


def test_the_step_rewrites_the_text_and_counts_its_edits() -> None:
    dropped = "no mark here\nToo few.\nPlease enable javascript now.\nWe have a privacy policy.\n" + "x" * 1_001
    string = f"{GOOD * 5}\n{dropped}\nThe [1] last[2] one."
    out = C4()(pa.record_batch({TEXT: pa.array([string, "{"], pa.string())})).to_pylist()
    assert out[0][TEXT] == f"{(GOOD * 5).strip()}\nThe  last one."
    assert (out[0]["reason"], out[1]["reason"]) == (None, "too_few_sentences")
    assert out[1][TEXT] == "{"
    edits = {name.removeprefix("edit:c4."): count for name, count in out[0].items() if name.startswith("edit:")}
    dropping = ("too_long_word", "no_terminal_punctuation", "too_few_words", "javascript", "policy")
    assert edits == {**dict.fromkeys(dropping, 1), "citations": 2}


@pytest.mark.parametrize(("ours", "theirs"), PARAMETERS)
@settings(deadline=None, max_examples=60)
@given(string=strings)
def test_equal_to_datatrove(ours: dict[str, Any], theirs: dict[str, Any], string: str) -> None:
    filters = pytest.importorskip("datatrove.pipeline.filters")
    document = pytest.importorskip("datatrove.data").Document(text=string, id="")
    expected = filters.C4QualityFilter(**theirs).filter(document)
    verdict, text = clean(C4(**ours), string)
    assert (True if verdict is None else (False, verdict[0])) == expected
    assert text == document.text
