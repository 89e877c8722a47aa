"""Rules and the filter that applies them."""

from __future__ import annotations

import pickle
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import UserError
from curation.quality.measure import Measure, measure
from curation.quality.rules import Rule, RuleFilter
from curation.run.documents import TEXT


def batch(*strings: str) -> pa.RecordBatch:
    return pa.record_batch({TEXT: pa.array(strings, pa.string())})


def named(name: str, reason: str, **bounds: float) -> Rule:
    """A rule whose measure is given by name, as in a recipe."""
    return Rule(**{"measure": name, "reason": reason, **bounds})  # type: ignore[arg-type]


def constant(value: float | None) -> Measure:
    return measure(name="constant", unit="", source="", catches="")(lambda text: value)


@pytest.mark.parametrize(
    ("bounds", "value", "breaks"),
    [
        ({"min": 2}, 2, False),
        ({"min": 2}, 1.999, True),
        ({"max": 2}, 2, False),
        ({"max": 2}, 2.001, True),
        ({"min": 2}, None, False),
        ({"max": 2}, None, False),
        ({"min": 0}, -1, True),
    ],
)
def test_bounds_are_strict_and_nothing_is_no_number(
    bounds: dict[str, float], value: float | None, breaks: bool
) -> None:
    step = RuleFilter(name="one", rules=(Rule(measure=constant(value), reason="why", **bounds),))
    row = step(batch("")).to_pylist()[0]
    expected = ("removed", "one", "why", value, *bounds.values()) if breaks else (None,) * 5
    assert tuple(row[name] for name in ("fate", "step", "reason", "value", "threshold")) == expected


@pytest.mark.parametrize("bounds", [{}, {"min": 1, "max": 2}])
def test_exactly_one_bound(bounds: dict[str, float]) -> None:
    with pytest.raises(UserError, match="exactly one of min and max"):
        Rule(measure=constant(1), reason="why", **bounds)


@pytest.mark.parametrize("fields", [{"min": "many"}, {"min": 1, "maximum": 2}, {}])
def test_other_mistakes_are_found_when_the_rule_is_made(fields: dict[str, Any]) -> None:
    with pytest.raises((UserError, ValueError)):
        Rule(measure=constant(1), reason="why", **fields)


def test_a_measure_may_be_named() -> None:
    row = RuleFilter(name="length", rules=(named("words", "short", min=3),))(batch("Two words.")).to_pylist()[0]
    assert (row["reason"], row["value"], row["threshold"]) == ("short", 2, 3)
    with pytest.raises(UserError, match="no measure"):
        named("wrods", "short", min=3)


def test_the_first_rule_decides_and_all_measures_are_known() -> None:
    step = RuleFilter(
        name="quality",
        rules=(
            named("words", "short", min=2),
            named("words", "long", max=4),
            named("stop_words_present", "no_stop_words", min=1),
        ),
    )
    rows = pickle.loads(pickle.dumps(step))(batch("one", "a b c d e", "a b", "of it")).to_pylist()
    assert [row["reason"] for row in rows] == ["short", "long", "no_stop_words", None]
    assert [(row["fate"], row["step"]) for row in rows] == [("removed", "quality")] * 3 + [(None, None)]
    assert [(row["value"], row["threshold"]) for row in rows] == [(1, 2), (5, 4), (0, 1), (None, None)]
    assert [row["measure:words"] for row in rows] == [1, 5, 2, 2]
    assert [row["measure:stop_words_present"] for row in rows] == [0, 0, 0, 1]
    assert [row[TEXT] for row in rows] == ["one", "a b c d e", "a b", "of it"]


def test_an_empty_batch_has_all_columns() -> None:
    step = RuleFilter(name="quality", rules=(named("words", "short", min=2),))
    out = step(batch())
    assert out.num_rows == 0
    assert {"fate", "step", "reason", "value", "threshold", "measure:words"} <= set(out.schema.names)


@given(st.lists(st.text(max_size=20), max_size=5))
def test_the_cut_of_a_batch_does_not_matter(strings: list[str]) -> None:
    rules = [named("words", "short", min=2), named("alpha_word_share", "alpha", min=0.8)]
    step = RuleFilter(name="quality", rules=tuple(rules))
    whole = step(batch(*strings)).to_pylist()
    assert whole == [row for string in strings for row in step(batch(string)).to_pylist()]
