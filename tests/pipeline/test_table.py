"""A recipe's filters over a table: the same decisions as a run takes, in the table's own order and kind."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import curation
from connectors.errors import UserError
from curation.engines.spark import SparkEngine

GOOD = (
    "The harbour was built by the town in the year of the flood, and it has been the heart of the place ever since. "
    "Boats come in with the tide and leave with it. Nobody here would think of another way to count the hours. "
    "When the wind turns to the north, the older people say that the winter will be long. They are often right. "
    "In spring the first market is held on the quay, and visitors come from the villages behind the hills."
)


def test_keeps_order_kind_and_own_columns() -> None:
    frame = pd.DataFrame({"id": [1, 2, 3], "text": ["Too short.", GOOD, "Zu kurz und kein Englisch ist dieser Satz."]})
    judged = curation.apply("fineweb", frame)
    assert isinstance(judged, pd.DataFrame)
    assert judged["id"].tolist() == [1, 2, 3]
    assert judged["fate"].tolist() == ["removed", "kept", "removed"]
    assert judged["step"].tolist()[2] == "language"
    assert judged["text"][1] == GOOD
    arrow = curation.apply("fineweb", pa.table({"id": [1, 2, 3], "text": frame["text"].tolist()}))
    assert isinstance(arrow, pa.Table)
    assert arrow["reason"].to_pylist() == [reason if isinstance(reason, str) else None for reason in judged["reason"]]


def test_other_column_names_and_urls() -> None:
    table = pa.table({"body": [GOOD, GOOD], "address": ["https://a.example/", "https://xxx.example/nsfw/porn"]})
    judged = curation.apply("fineweb", table, text="body", url="address")
    assert judged.column_names[:2] == ["body", "address"]
    assert judged["step"].to_pylist() == [None, "url"]


def test_empty_null_and_no_text() -> None:
    assert curation.apply("fineweb", pa.table({"text": pa.array([None, ""], pa.string())})).num_rows == 2
    assert curation.apply("fineweb", pa.table({"text": pa.array([], pa.string())})).num_rows == 0
    with pytest.raises(UserError, match="no column 'text' but body"):
        curation.apply("fineweb", pa.table({"body": ["x"]}))
    with pytest.raises(UserError, match="not a int"):
        curation.apply("fineweb", 3)


def test_decisions_of_the_reference(shared: Path) -> None:
    """Oracle: datatrove 0.10.1, golden_4000: a document that Gopher repetition removes has its reason here, too."""
    with gzip.open(shared / "bench/corpus_en_4000.jsonl.gz", "rt") as file:
        documents = [json.loads(line) for line in file][:300]
    with gzip.open(shared / "bench/golden_4000.jsonl.gz", "rt") as file:
        golden = [json.loads(line) for line in file][:300]
    judged = curation.apply("fineweb", pa.table({"text": [document["text"] for document in documents]})).to_pylist()
    after_language = [(row, want) for row, want in zip(judged, golden, strict=True) if row["step"] != "language"]
    assert len(after_language) > 200
    for row, want in after_language:
        keep, reason = want["gopher_rep"]
        assert (row["step"] == "gopher_repetition") == (not keep)
        if not keep:
            assert row["reason"] == reason


def test_columns_of_the_user_stay() -> None:
    with pytest.raises(UserError, match="a column 'value' already"):
        curation.apply("fineweb", pa.table({"text": [GOOD], "value": [1]}))
    judged = curation.apply("fineweb", pa.table({"text": ["mine"], "body": [GOOD]}), text="body")
    assert judged["text"].to_pylist() == ["mine"]
    empty = curation.apply("fineweb", pa.table({"text": pa.array([], pa.string())}))
    assert "fate" in empty.column_names


def test_polars_frames() -> None:
    frame = pl.DataFrame({"id": [1, 2], "text": ["Too short.", GOOD]})
    judged = curation.apply("fineweb", frame)
    assert isinstance(judged, pl.DataFrame)
    assert judged["fate"].to_list() == ["removed", "kept"]
    assert judged["measure:words"].to_list()[1] > 50


def test_every_kind_of_table_gets_the_same_columns() -> None:
    columns = {"text": ["Too short.", GOOD]}
    assert (
        curation.apply("gopher", pl.DataFrame(columns)).columns
        == curation.apply("gopher", pa.table(columns)).column_names
    )


@pytest.mark.spark
def test_spark_frames(spark_engine: SparkEngine) -> None:
    """The same rows as from Arrow, whatever the partitions; the measures of a recipe are columns even where none is known."""
    rows = [(number, GOOD if number % 3 else "Too short.") for number in range(40)]
    frame = spark_engine.session.createDataFrame(rows, "id int, text string").repartition(3)
    judged = curation.apply("fineweb", frame)
    table = pa.table({"id": pa.array([number for number, _ in rows], pa.int32()), "text": [text for _, text in rows]})
    expected = curation.apply("fineweb", table)
    assert judged.columns == expected.column_names
    assert [row.asDict() for row in judged.orderBy("id").collect()] == expected.to_pylist()
    with pytest.raises(UserError, match="no column 'body'"):
        curation.apply("fineweb", frame, text="body")


def test_invalid_utf8_is_quarantined_alone() -> None:
    parts = [GOOD.encode(), b"caf\xe9 \xff", b"Too short."]
    bounds = np.cumsum([0, *map(len, parts)]).astype(np.int32)
    buffers = [None, pa.py_buffer(bounds), pa.py_buffer(b"".join(parts))]
    judged = curation.apply("gopher", pa.table({"text": pa.Array.from_buffers(pa.string(), 3, buffers)}))
    assert judged["fate"].to_pylist() == ["kept", "quarantined", "removed"]
    assert judged["reason"].to_pylist()[1] == "step_error"
