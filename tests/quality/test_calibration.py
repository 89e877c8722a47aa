"""Calibrations, the lines drawn by them, and the command that makes them."""

from __future__ import annotations

import gzip
import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from connectors.errors import UserError
from curation.quality.calibration import Calibration, calibrate, calibrate_files
from curation.quality.cutoff import Cutoff, cutoff
from curation.run.documents import Verdict

SCORES = st.lists(st.integers(-50, 50).map(lambda n: n / 8), min_size=1, max_size=60)
WEIGHTED = st.lists(st.tuples(st.integers(-20, 20).map(float), st.integers(1, 9).map(float)), min_size=1, max_size=40)


def of(scores: list[float], name: str = "score") -> Calibration:
    return calibrate([(np.array(scores, np.float64), None)], name)


def slow_quantiles(rows: list[tuple[float, float]]) -> list[float]:
    """The definition in exact numbers: the last score with no more than i/1,000 of the weight before it."""
    ordered = sorted(rows)
    total = sum(Fraction(weight) for _, weight in ordered)
    found = []
    for step in range(1001):
        before, value = Fraction(0), ordered[0][0]
        for score, weight in ordered:
            if before <= total * step / 1000:
                value = score
            before += Fraction(weight)
        found.append(value)
    return found


@settings(deadline=None, max_examples=25)
@given(SCORES)
def test_quantiles_are_the_definitions(scores: list[float]) -> None:
    """Oracle: `slow_quantiles`, and numpy's lowest, middle and highest."""
    found = of(scores)
    assert list(found.quantiles) == slow_quantiles([(score, 1.0) for score in scores])
    assert (found.quantile(0), found.quantile(1)) == (min(scores), max(scores))
    assert found.quantile(0.5) == sorted(scores)[len(scores) // 2]


@settings(deadline=None, max_examples=20)
@given(WEIGHTED)
def test_weighted_quantiles_are_the_definitions(rows: list[tuple[float, float]]) -> None:
    """Oracle: `slow_quantiles`."""
    scores, weights = np.array(rows).T
    assert list(calibrate([(scores, weights)], "x", "w").quantiles) == slow_quantiles(rows)


@settings(deadline=None, max_examples=25)
@given(SCORES, st.randoms(), st.integers(1, 5))
def test_order_and_parts_do_not_matter(scores: list[float], random: Any, parts: int) -> None:
    shuffled = random.sample(scores, len(scores))
    split: list[tuple[npt.NDArray[np.float64], None]] = [
        (np.array(shuffled[n::parts], float), None) for n in range(parts)
    ]
    assert calibrate(split, "score") == of(scores)
    assert of([*scores, 1000.0]).digest != of(scores).digest


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 3000), st.integers(1, 1000))
def test_a_share_to_keep_keeps_that_share(count: int, thousandths: int) -> None:
    """Of the calibrated scores themselves, if no two are equal: the share rounded up, or one more."""
    keep = thousandths / 1000
    found = of([float(n) for n in range(count)])
    wanted = math.ceil(Fraction(thousandths * count, 1000))
    assert sum(score >= found.threshold(keep) for score in range(count)) == wanted
    assert 0 <= sum(score <= found.threshold(keep, lower_is_better=True) for score in range(count)) - wanted <= 1


def test_between_two_points_the_line_counts() -> None:
    found = of([float(n) for n in range(2001)])
    assert (found.quantile(0.4), found.quantile(0.401)) == (800, 802)
    assert found.quantile(0.4003) == pytest.approx(800.6)
    assert found.threshold(1.0) == 0 and found.threshold(0.0005) == pytest.approx(1999)
    assert found.cut_points(4) == (500, 1000, 1500) and len(found.cut_points()) == 19


def test_what_is_no_score_counts_for_nothing() -> None:
    scores = np.array([1.0, np.nan, np.inf, -np.inf, 2.0, -0.0])
    assert calibrate([(scores, None)], "x").count == 3
    weights = np.array([1.0, 1.0, 1.0, 1.0, 0.0, np.nan])
    assert calibrate([(scores, weights)], "x", "w").quantiles == (1.0,) * 1001
    for nothing in ([], [(np.array([np.nan]), None)]):
        with pytest.raises(UserError, match="nothing to calibrate"):
            calibrate(nothing, "x")


def test_a_file_survives_and_others_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    stored = of([0.1, 0.25, 1 / 3])
    stored.save(path)
    assert Calibration.load(path) == stored == Calibration.load(path, "score")
    stored.save(tmp_path / "again.json")
    assert path.read_bytes() == (tmp_path / "again.json").read_bytes() and len(path.read_bytes()) < 40_000
    with pytest.raises(UserError, match="is of the measure 'score', not of 'other'"):
        Calibration.load(path, "other")
    with pytest.raises(UserError, match="No calibration at"):
        Calibration.load(tmp_path / "none.json")
    plain = json.loads(path.read_bytes())
    for wrong in (
        b"",
        b"[]",
        b"{}",
        json.dumps(plain | {"format": "2"}).encode(),
        json.dumps(plain | {"quantiles": plain["quantiles"][:-1]}).encode(),
        json.dumps(plain | {"quantiles": plain["quantiles"][::-1]}).encode(),
        json.dumps(plain | {"quantiles": [float("nan")] * 1001}).encode(),
        json.dumps(plain | {"more": 1}).encode(),
    ):
        path.write_bytes(wrong)
        with pytest.raises(UserError, match="is no calibration"):
            Calibration.load(path)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The same scores as Parquet, JSONL, gzip, and as a run's ledger in two splits."""
    rows = [{"measure:edu": n / 7, "edu": n / 7, "bytes": n % 5 + 1, "text": "x"} for n in range(500)]
    lines = "".join(json.dumps({k: v for k, v in row.items() if k != "measure:edu"}) + "\n\n" for row in rows)
    (tmp_path / "a.jsonl").write_text(lines)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    table = pa.Table.from_pylist(rows)
    pq.write_table(table.drop_columns(["edu"]), tmp_path / "a.parquet", row_group_size=77)
    (tmp_path / "run/ledger/measures/web").mkdir(parents=True)
    ledger = table.select(["edu", "bytes"]).append_column("lang", pa.nulls(500, pa.string()))
    for name, part in (("00", ledger[200:]), ("01", ledger[:200])):
        pq.write_table(part, tmp_path / f"run/ledger/measures/web/{name}.parquet")
    return tmp_path


def test_files_of_every_kind_and_runs_give_the_same_calibration(files: Path) -> None:
    outputs = set()
    for source in ("a.jsonl", "a.jsonl.gz", "a.parquet", "run", "a.par*"):
        for weight in ("", "bytes"):
            calibrate_files([str(files / source)], "edu", files / "out.json", weight=weight)
            outputs.add((weight, (files / "out.json").read_bytes()))
    assert len(outputs) == 2
    found = Calibration.load(files / "out.json")
    assert (found.count, found.weight, found.name, found.quantile(1)) == (500, "bytes", "edu", 499 / 7)
    calibrate_files([str(files / "a.jsonl"), str(files / "a.parquet")], "edu", files / "out.json", name="both")
    assert Calibration.load(files / "out.json", "both").count == 1000


@pytest.mark.parametrize(
    ("name", "content", "column", "told"),
    [
        ("a.jsonl", b'{"x": 1}\nno\n', "x", "line 2"),
        ("a.jsonl", b'{"x": "1"}\n', "x", "line 1: x must be numbers"),
        ("a.jsonl", b'{"x": true}\n', "x", "must be numbers"),
        ("a.jsonl", b'{"x": [1]}\n', "x", "line 1"),
        ("a.jsonl", b"[1]\n", "x", "line 1"),
        ("a.jsonl", b'{"x": 1}\n', "y", "nothing to calibrate"),
        ("a.parquet", b"no parquet", "x", "damaged"),
        ("a.jsonl.gz", b"no gzip", "x", "damaged"),
        ("a.csv", b"x\n1\n", "x", "neither JSONL nor Parquet"),
    ],
)
def test_bad_files_are_told_in_one_line(tmp_path: Path, name: str, content: bytes, column: str, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=told) as error:
        calibrate_files([str(tmp_path / name)], column, tmp_path / "out.json")
    assert "\n" not in str(error.value) and not (tmp_path / "out.json").exists()


def test_columns_that_are_not_there_are_told(files: Path) -> None:
    for column, told in (("edd", "no column 'edd'. Did you mean 'edu'"), ("lang", "holds no numbers but string")):
        with pytest.raises(UserError, match=told):
            calibrate_files([str(files / "run")], column, files / "out.json")
    with pytest.raises(UserError, match="No file matches"):
        calibrate_files([str(files / "none*")], "edu", files / "out.json")


def test_the_command(files: Path) -> None:
    import typer

    from jobs import calibrate as job

    app = typer.Typer()
    app.command()(job.main)
    out = str(files / "edu.json")
    done = CliRunner().invoke(app, [str(files / "run"), "--column", "edu", "--out", out, "--name", "edu_score"])
    assert done.exit_code == 0 and "edu_score: scores 500, 5% 3.57143" in done.output.replace("\n", " ")
    assert Calibration.load(out, "edu_score").count == 500


def test_where_the_line_lies(tmp_path: Path) -> None:
    of([float(n) for n in range(1000)]).save(tmp_path / "c.json")
    path = str(tmp_path / "c.json")
    assert cutoff("score", min=0.5) == Cutoff(0.5, None) and cutoff("score") == Cutoff()
    assert cutoff("score", keep=0.1, calibration=path) == Cutoff(min=900.0)
    assert cutoff("score", keep=0.1, calibration=path, lower_is_better=True) == Cutoff(max=100.0)
    line = Cutoff(1.0, 2.0)
    assert [line.verdict(score, "r") for score in (1.0, 2.0, None)] == [None] * 3
    assert line.verdict(0.9, "r") == Verdict("removed", "r", 0.9, 1.0)
    assert line.verdict(2.1, "r") == Verdict("removed", "r", 2.1, 2.0)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"keep": 0.1}, "'keep' needs 'calibration'"),
        ({"keep": 0.1, "calibration": "c", "min": 1.0}, "not both"),
        ({"keep": 0.1, "calibration": "c", "max": 1.0}, "not both"),
        ({"calibration": "c"}, "does nothing without 'keep'"),
        ({"min": 2.0, "max": 1.0}, "no score is at least 2.0"),
    ],
)
def test_keys_that_contradict_each_other(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        cutoff("score", **keys)
