"""The step `Ensemble`. Oracle: NeMo Curator's rule, `np.digitize` of each score and the maximum."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.errors import UserError
from curation.quality.calibration import calibrate
from curation.quality.ensemble import Ensemble, Member
from curation.recipes.load import parse_recipe
from curation.run.documents import FATE, REASON, TEXT, THRESHOLD, VALUE

CUTS = [1.0, 2.0, 3.0]
SCORES = st.one_of(st.none(), st.integers(0, 16).map(lambda n: n / 4))


def ensemble(**keys: Any) -> Ensemble:
    members = [{"measure": "edu", "bins": CUTS}, {"measure": "odd", "bins": CUTS, "lower_is_better": True}]
    return Ensemble(**{"members": members, **keys})


def batch(edu: list[float | None], odd: list[float | None]) -> pa.RecordBatch:
    return pa.record_batch(
        {
            TEXT: pa.array(["x"] * len(edu), pa.string()),
            "measure:edu": pa.array(edu, pa.float64()),
            "measure:odd": pa.array(odd, pa.float64()),
        }
    )


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=20))
def test_the_bin_is_the_best_of_the_members(rows: list[tuple[float | None, float | None]]) -> None:
    """Oracle: `np.digitize`; lower scores are better where the negated ones are digitised so."""
    edu, odd = [list(column) for column in zip(*rows, strict=True)]
    expected: list[float | None] = []
    for high, low in rows:
        bins = [float(np.digitize(high, CUTS))] if high is not None else []
        bins += [float(np.digitize(-low, [-cut for cut in CUTS[::-1]]))] if low is not None else []
        expected.append(max(bins, default=None))
    done = ensemble(min_bin=2)(batch(edu, odd))
    assert done.column("measure:ensemble").to_pylist() == expected
    assert done.column(FATE).to_pylist() == ["removed" if bin is not None and bin < 2 else None for bin in expected]


def test_a_calibration_gives_20_bins_of_equal_size(tmp_path: Path) -> None:
    scores = np.random.default_rng(3).normal(size=4000)
    calibrate([(scores, None)], "edu").save(tmp_path / "edu.json")
    member = Member(measure="edu", bins=str(tmp_path / "edu.json"))
    counts = np.bincount([member.bin(score) for score in scores], minlength=20)
    assert len(counts) == 20 and set(counts) == {200}
    worse = Member(measure="edu", bins=str(tmp_path / "edu.json"), lower_is_better=True)
    best = scores.argmin()
    assert (member.bin(scores[best]), worse.bin(scores[best])) == (0, 19)


def test_verdicts_and_measures() -> None:
    step = ensemble(min_bin=3, reason="plain", name="quality")
    done = step(batch([3.0, 2.9, None, 0.0], [9.0, 9.0, None, 1.0]))
    assert done.column("measure:quality").to_pylist() == [3, 2, None, 3]
    assert done.column(FATE).to_pylist() == [None, "removed", None, None]
    assert [done.column(name)[1].as_py() for name in (REASON, VALUE, THRESHOLD)] == ["plain", 2, 3]
    assert (step.measures, step.needs, step.files) == (("quality",), ("edu", "odd"), ())
    assert ensemble()(batch([0.0], [9.0])).column(FATE)[0].as_py() is None, "without a line it measures"
    assert pickle.loads(pickle.dumps(step)) == step


def test_keep_is_a_share_of_the_bins(tmp_path: Path) -> None:
    calibrate([(np.array([0.0, 0, 1, 1, 1, 2, 2, 2, 3, 3]), None)], "ensemble").save(tmp_path / "c.json")
    step = ensemble(keep=0.5, calibration=str(tmp_path / "c.json"))
    assert step(batch([0.0, 1, 2, 3], [9.0] * 4)).column(FATE).to_pylist() == ["removed", "removed", None, None]
    assert step.files == (str(tmp_path / "c.json"),)


def test_a_recipe_of_members() -> None:
    filters = [
        {"edu": [{"measure": "words", "min": 0, "reason": "never"}]},
        {"ensemble": {"members": [{"measure": "words", "bins": [10, 20]}], "min_bin": 1}},
    ]
    recipe = parse_recipe({"recipe": "own", "filters": filters}, "own.yaml")
    assert recipe.resolved()["filters"][1]["ensemble"]["members"][0]["lower_is_better"] is False
    for member, told in (({"measure": "words"}, "bins"), ({"measure": "words", "bin": [1]}, "Did you mean 'bins'")):
        with pytest.raises(UserError, match=told):
            parse_recipe({"recipe": "own", "filters": [{"ensemble": {"members": [member]}}]}, "own.yaml")


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"members": []}, "give members"),
        ({"members": [{"measure": "a", "bins": [1.0]}, {"measure": "b", "bins": [1.0, 2.0]}]}, "same number of bins"),
        ({"members": [{"measure": "a", "bins": [2.0, 1.0]}]}, "ascending order"),
        ({"members": [{"measure": "a", "bins": []}]}, "ascending order"),
        ({"members": [{"measure": "a", "bins": "none.json"}]}, "No calibration at"),
        ({"min_bin": 4}, "the best bin is 3"),
        ({"keep": 0.5}, "needs 'calibration'"),
    ],
)
def test_mistakes_are_told_before_any_work(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told) as error:
        ensemble(**keys)
    assert "\n" not in str(error.value)


def test_a_calibration_of_another_measure_and_a_measure_that_nobody_took(tmp_path: Path) -> None:
    calibrate([(np.array([1.0]), None)], "other").save(tmp_path / "c.json")
    with pytest.raises(UserError, match="is of the measure 'other', not of 'edu'"):
        Member(measure="edu", bins=str(tmp_path / "c.json"))
    with pytest.raises(UserError, match="no step before it measures 'odd'. Did you mean 'od'"):
        ensemble()(batch([1.0], [1.0]).rename_columns([TEXT, "measure:edu", "measure:od"]))
    with pytest.raises(ValidationError):
        ensemble(min_bin=-1)
