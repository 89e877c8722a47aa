"""How often rules fired, held against the ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

from curation.pipeline.fired import Fired, fired, never_fired


def test_counts_are_those_of_the_ledger(run: Path) -> None:
    counted = fired(json.loads((run / "manifest.json").read_text()))
    query = "SELECT step, reason, count(*) FROM read_parquet(?) WHERE fate = 'removed' GROUP BY ALL"
    rows = duckdb.execute(query, [f"{run}/ledger/refine/**/*.parquet"]).fetchall()
    of_ledger = {(step, reason): count for step, reason, count in rows}
    assert len(counted) == 14 + 10 + 5  # the rules of fineweb
    assert {(rule.step, rule.reason): rule.documents for rule in counted} == {
        (rule.step, rule.reason): of_ledger.get((rule.step, rule.reason), 0) for rule in counted
    }
    assert any(rule.documents for rule in counted)


def manifest(filters: list[Any], ended: dict[str, dict[str, int]]) -> dict[str, Any]:
    steps = [{"step": step, "ended": {"removed": reasons}} for step, reasons in ended.items()]
    return {"plan": {"recipe": {"filters": filters}}, "steps": steps}


def test_rules_that_never_fired_in_one_line() -> None:
    rule = {"measure": "words", "min": 5}
    filters = [
        {"lengths": [rule | {"reason": "short"}, rule | {"reason": "long"}, rule | {"reason": "short"}]},
        {"c4": {"min_sentences": 5}},
        {"line_rules": {"rules": [{"reason": "no_rule_over_a_measure", "max_words": 3}]}},
        {"multilingual": {"name": "other", "rules": [rule | {"reason": "few"}, rule | {"reason": "many"}]}},
    ]
    told = manifest(filters, {"lengths": {"short": 3}, "other": {"few": 2}, "c4": {"too_few_sentences": 1}})
    assert fired(told) == [
        Fired("lengths", "short", 3),
        Fired("lengths", "long", 0),
        Fired("other", "few", 2),
        Fired("other", "many", 0),
    ]
    assert never_fired(told) == "never fired: lengths: long; other: many"
    assert never_fired(manifest(filters[:1], {"lengths": {"short": 1, "long": 1}})) == ""
    assert never_fired(manifest(filters[:1], {})) == "never fired: lengths: short, long"  # nothing reached the step
