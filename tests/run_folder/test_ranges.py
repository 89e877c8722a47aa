"""A large Parquet file is several splits: ranges of records that cover it once and give the fates that one split gives."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.errors import UserError
from curation.pipeline.curate import curate
from curation.run import split
from curation.run.split import plan_splits

SMALL = ["tokenize=null", "filters=[]", "language=null"]


def fates(run: Path) -> list[tuple[str, int, str]]:
    """Reason or fate of each record, by archive and offset."""
    return duckdb.execute(
        f"""SELECT r.archive, r."offset", coalesce(f.reason, f.fate)
            FROM read_parquet('{run}/ledger/records/**/*.parquet') r
            JOIN read_parquet(['{run}/ledger/refine/**/*.parquet', '{run}/ledger/finish/**/*.parquet']) f USING (doc_id)
            ORDER BY ALL"""
    ).fetchall()


def test_ranges_cover_a_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"text number {n}, and some more of it" if n % 7 else None for n in range(250)]
    texts[200] = texts[3]
    pq.write_table(pa.table({"text": texts}), tmp_path / "rows.parquet", row_group_size=40)
    curate("fineweb", f"{tmp_path}/*.parquet", str(tmp_path / "one"), changes=SMALL, workers=1)
    monkeypatch.setattr(split, "RECORDS", 64)
    splits = plan_splits([f"{tmp_path}/*.parquet"])
    assert [(s.first, s.stop) for s in splits] == [(0, 64), (64, 128), (128, 192), (192, 256)]
    assert len({s.name for s in splits}) == 4
    assert sum(s.size for s in splits) <= (tmp_path / "rows.parquet").stat().st_size
    curate("fineweb", f"{tmp_path}/*.parquet", str(tmp_path / "four"), changes=SMALL, workers=1)
    assert fates(tmp_path / "four") == fates(tmp_path / "one")
    assert len(fates(tmp_path / "four")) == 250


def test_a_file_of_no_known_kind_is_named_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "notes.xyz").write_text("nothing that a reader knows")
    with pytest.raises(UserError, match=r"Cannot tell what kind of file .*notes\.xyz"):
        plan_splits([str(tmp_path)])
