"""RefinedWeb's line rules at their edges: the paper's examples, and DCLM's readings of them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curation.quality.refinedweb_lines import EDITS, RefinedWebLines
from curation.run.documents import TEXT

PROSE = "The committee met on Monday to read the report, and its members agreed on all of the findings.\n"


@pytest.mark.parametrize(
    ("line", "kind", "left"),
    [
        ("CALL US NOW for i", "capitals", ""),
        ("CALL US NOW for it", None, None),  # 9 of 18 are not over a half
        ("ÄÖÜ ÉÈÊ x", "capitals", ""),
        ("ДОМ дом дом", None, None),
        ("12345", "figures", ""),
        (" 12 345 ", "figures", ""),
        ("12,345 67", None, None),
        ("3 likes", "counter", ""),
        ("• 1,2K  Comments •", "counter", ""),
        ("3 likes of many", None, None),
        ("three likes", None, None),
        ("Word", "few_words", ""),
        ("   ", None, None),
        ("0 Items in Cart", "contains", "0"),
        ("items in cart", "contains", ""),
        ("It goes on Read more...", "ends_with", "It goes on"),
        ("It goes on. Read more... here", None, None),
        ("Read more about it", None, None),  # the dots are dots
        ("Sign-in or register", "begins_with", "or register"),
        ("Please sign-in here", None, None),
        ("sign-in now to see it, and read more...", "begins_with ends_with", "now to see it, and"),
        ("sign-in " + "word " * 9, "begins_with", "word " * 9),  # ten words
        ("sign-in " + "word " * 10, None, None),  # eleven words
    ],
)
def test_lines(line: str, kind: str | None, left: str | None) -> None:
    _, text, counts = RefinedWebLines().correct(f"{PROSE}{line}\n{PROSE}")
    assert {name for name, count in counts.items() if count} == set((kind or "").split())
    middle = text.removeprefix(PROSE).removesuffix(PROSE)
    assert middle == (f"{line}\n" if left is None else f"{left}\n" if left else "")


def test_a_document_full_of_such_lines_is_removed_as_it_was() -> None:
    page = PROSE * 5 + "Menu\n" * 4
    rows = pa.record_batch({TEXT: pa.array([page, page + "Menu", "Menu", "", " \n"], pa.string())})
    out = RefinedWebLines()(rows).to_pylist()
    assert [row["reason"] for row in out] == [None, "too_many_flagged_words", "too_many_flagged_words", None, None]
    assert [row[TEXT] for row in out] == [PROSE * 5, page + "Menu", "Menu", "", " \n"]
    assert (out[1]["value"], out[1]["threshold"]) == (5 / 95, 0.05)
    assert [row["measure:refinedweb_lines"] for row in out] == [4 / 94, 5 / 95, 1.0, 0.0, 0.0]
    edits = {name.removeprefix("edit:refinedweb_lines."): row for name, row in out[0].items() if "edit:" in name}
    assert edits == {**dict.fromkeys(EDITS, 0), "few_words": 4}


def test_a_share_on_the_threshold_is_kept() -> None:
    page = PROSE * 2 + "Menu\nMenu"
    step = RefinedWebLines(max_flagged_share=2 / 38)
    assert step(pa.record_batch({TEXT: pa.array([page], pa.string())})).to_pylist()[0][TEXT] == (PROSE * 2).rstrip()


def test_words_that_went_can_be_counted_in_place_of_the_lines() -> None:
    page = PROSE + "sign-in or register"
    assert RefinedWebLines().correct(page)[0] == 3 / 21
    assert RefinedWebLines(count="removed").correct(page)[0] == 1 / 21


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"max_capital_share": None, "min_words": 0}, "CAPITALS"),
        ({"figures": False}, "1 2"),
        ({"counted": ()}, "3 likes"),
        ({"min_words": 0}, "Word"),
        ({"contains": ()}, "items in cart"),
        ({"short_line_words": 2}, "items in cart"),
        ({"ends_with": ("See it all",)}, "So read more..."),
    ],
)
def test_each_rule_can_be_changed(parameters: dict[str, Any], line: str) -> None:
    page = PROSE + line
    assert RefinedWebLines().correct(page)[1] != page == RefinedWebLines(**parameters).correct(page)[1]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from([PROSE, "Menu\n", "3 likes\n", " ", "\n", "é", "A", "sign-in "]), max_size=15))
def test_what_no_rule_met_stays(parts: list[str]) -> None:
    string = "".join(parts)
    share, text, counts = RefinedWebLines().correct(string)
    assert 0 <= share <= 1
    assert (text == string) == (not counts)
    assert len(text.split("\n")) <= len(string.split("\n"))


def test_parameters_are_checked() -> None:
    for wrong in ({"contains": [""]}, {"max_flagged_share": 5}, {"count": "words"}, {"max_words": 3}):
        with pytest.raises(ValidationError):
            RefinedWebLines(**wrong)  # type: ignore[arg-type]
