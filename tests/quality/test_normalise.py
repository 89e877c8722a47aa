"""The step `normalise`. Oracle for normal forms: Python's `unicodedata`."""

from __future__ import annotations

import time
import unicodedata
from typing import Any, get_args

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curation.quality.normalise import Form, Normalise, normal_form
from curation.run.documents import TEXT

DECOMPOSED = "cafe\u0301"
MARKS = ["\u0301", "\u0316", "\u0345", "\u0344", "\u0f73", "\u0f71", "\u093c", "\u0308"]


@pytest.mark.parametrize(
    ("parameters", "string", "expected", "edits"),
    [
        ({}, f"{DECOMPOSED}\nplain\n{DECOMPOSED} ﬁ", "café\nplain\ncafé ﬁ", {"form": 2}),
        ({"form": "NFKC"}, "ﬁ １\n", "fi 1\n", {"form": 1}),
        ({"form": "none"}, DECOMPOSED, DECOMPOSED, {}),
        ({"line_ends": True}, "a\r\nb\rc\x0bd\x85e\u2028f\n", "a\nb\nc\nd\ne\nf\n", {"form": 0, "line_ends": 5}),
        ({"control_characters": True}, "a\x00b\tc\r\n\x7f\x9f", "ab\tc\r\n", {"form": 0, "control_characters": 3}),
        ({"max_blanks": 1}, "a   b \t c\xa0\u3000d\n\n\n", "a b c\xa0d\n\n\n", {"form": 0, "max_blanks": 5}),
        ({"max_blanks": 2}, "a    b c", "a  b c", {"form": 0, "max_blanks": 2}),
        ({"max_empty_lines": 1}, "a\n\n \n\nb\nc\n\n\n", "a\n\nb\nc\n\n", {"form": 0, "max_empty_lines": 3}),
        ({"max_empty_lines": 0}, "\n\na\n\nb", "a\nb", {"form": 0, "max_empty_lines": 3}),
    ],
)
def test_each_part(parameters: dict[str, Any], string: str, expected: str, edits: dict[str, int]) -> None:
    rows = pa.record_batch({TEXT: pa.array([string], pa.string())})
    row = Normalise(**parameters)(rows).to_pylist()[0]
    assert row[TEXT] == expected
    assert {name.removeprefix("edit:normalise."): row[name] for name in row if name.startswith("edit:")} == edits
    assert row["fate"] is None


@given(st.text(max_size=60))
def test_twice_is_once(string: str) -> None:
    """A control character between two line ends, or two blanks, is the only thing that joins what was apart."""
    step = Normalise(form="NFKC", line_ends=True, max_blanks=1, max_empty_lines=1)
    once, _ = step.apply(string)
    again, edits = step.apply(once)
    assert again == once and not any(edits.values())


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from([*MARKS, "a", "é", "\u1100", "\u1161", "中"]), max_size=12), st.integers(1, 12))
@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_normal_forms_are_those_of_python(form: Any, parts: list[str], times: int) -> None:
    string = "e" + "".join(parts) * times
    assert normal_form(string, form) == unicodedata.normalize(form, string)


def test_a_page_of_marks_takes_no_quadratic_time() -> None:
    """Python alone takes some 20 s for the half of it."""
    start = time.process_time()
    found = normal_form("a" + "\u0301\u0316" * 100_000, "NFC")
    assert time.process_time() - start < 10
    assert found == "\u00e1" + "\u0316" * 100_000 + "\u0301" * 99_999


def test_parameters_are_checked() -> None:
    assert get_args(Form) == ("NFC", "NFKC", "none")
    for wrong in ({"form": "nfc"}, {"max_blanks": 0}, {"blanks": 1}):
        with pytest.raises(ValidationError):
            Normalise(**wrong)  # type: ignore[arg-type]
