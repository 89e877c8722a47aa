"""Line rules that a recipe states."""

from __future__ import annotations

import pickle
import sys
import time
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from connectors.errors import UserError
from curation.quality.lines import LineRule, LineRules
from curation.run.documents import TEXT

STATED: dict[str, Any] = {
    "name": "menus",
    "rules": [
        {"reason": "menu", "max_words": 3, "contains": ["home", "contact"]},
        {"reason": "cut", "ends_with": "read more", "max_characters": 30},
        {"reason": "no_end", "min_words": 4, "ends_without": [".", "!"]},
    ],
}


def test_the_first_rule_drops_and_counts() -> None:
    step = TypeAdapter(LineRules).validate_python(STATED)
    string = "Home\n  Home and CONTACT \n\nHome is where it all begins.\nRead MORE\nA line without an end\nShort"
    rows = pa.record_batch({TEXT: pa.array([string, "", "Home"], pa.string())})
    out = pickle.loads(pickle.dumps(step))(rows).to_pylist()
    assert [row[TEXT] for row in out] == ["\nHome is where it all begins.\nShort", "", ""]
    assert [[row[f"edit:menus.{reason}"] for reason in ("menu", "cut", "no_end")] for row in out] == [
        [2, 1, 1],
        [0, 0, 0],
        [1, 0, 0],
    ]
    assert [row["fate"] for row in out] == [None] * 3


@pytest.mark.parametrize(
    ("conditions", "drops", "spares"),
    [
        ({"min_words": 2}, "a b", "a"),
        ({"max_words": 2}, "a b", "a b c"),
        ({"min_characters": 3}, "abc", "ab"),
        ({"max_characters": 3}, "äöü", "abcd"),
        ({"begins_with": "Sign"}, "sign in", "a sign"),
        ({"ends_with": ["…", "..."]}, "and so…", "and so."),
        ({"ends_without": ["."]}, "no end", "An end."),
        ({"contains": "x y"}, "aX Yb", "xy"),
        ({"contains": "X", "ignore_case": False}, "aXb", "axb"),
        ({"contains": "x", "max_words": 1}, "x", "x y"),
    ],
)
def test_conditions(conditions: dict[str, Any], drops: str, spares: str) -> None:
    rule = LineRule(reason="why", **conditions)
    assert (rule.drops(drops), rule.drops(spares)) == (True, False)


def test_expressions_match_whole_lines_in_linear_time() -> None:
    pytest.importorskip("re2")
    rule = LineRule(reason="age", matches_whole=r"\d+ (days|hours) ago")
    assert rule.drops("3 Days ago") and not rule.drops("3 days ago, or four")
    assert not LineRule(reason="age", matches_whole="Days", ignore_case=False).drops("days")
    start = time.process_time()
    assert not LineRule(reason="slow", matches_whole="(a*)*b").drops("a" * 100_000)
    assert time.process_time() - start < 5
    with pytest.raises(UserError, match=r"'\(a' is no regular expression that RE2 knows"):
        LineRule(reason="x", matches_whole="(a")
    with pytest.raises(UserError, match="RE2"):
        LineRule(reason="x", matches_whole=r"(a)\1")


@given(st.text(max_size=40))
def test_what_no_rule_describes_stays(string: str) -> None:
    rules = LineRules(rules=(LineRule(reason="x", contains=("0", "a")),))
    text, counts = rules.without(string)
    kept = [line for line in string.split("\n") if "0" not in line and "a" not in line.lower()]
    assert text == "\n".join(kept)
    assert sum(counts.values()) == len(string.split("\n")) - len(kept)


def test_a_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    with pytest.raises(UserError, match=r"'google-re2' is not installed.*corpusmill\[text\]"):
        LineRule(reason="x", matches_whole="an expression of this test")


def test_mistakes() -> None:
    with pytest.raises(UserError, match="'why' has no condition"):
        LineRule(reason="why")
    stated: list[dict[str, Any]] = [
        {"rules": []},
        {"rules": [{"reason": "x", "contains": [""]}]},
        {"rules": [{"reason": "not a name", "max_words": 1}]},
        {"rules": [{"reason": "x", "matches": "y"}]},
    ]
    for wrong in stated:
        with pytest.raises(ValidationError):
            TypeAdapter(LineRules).validate_python(wrong)
