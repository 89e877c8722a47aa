"""Heartbeat, manifest and the ledger's forms."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from connectors.errors import UserError
from curation.run import heartbeat, ledger
from curation.run.documents import DOC_ID, ROW, Verdict, with_verdicts
from curation.run.folder import RunFolder
from curation.run.heartbeat import Heartbeat, read_heartbeat
from curation.run.manifest import read_manifest, write_manifest


def batch(count: int) -> pa.RecordBatch:
    ids = pa.array([bytes([n] * 16) for n in range(count)], pa.binary(16))
    return pa.RecordBatch.from_arrays([ids, pa.array(range(count), pa.uint32())], names=[DOC_ID, ROW])


def test_a_heartbeat_adds_up_and_is_written_at_most_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"{tmp_path}/deep/beat.json"
    assert read_heartbeat(uri) == (0, 0, 0)
    beat = Heartbeat(uri)
    beat.beat(10, 4, 1000)
    assert read_heartbeat(uri) == (10, 4, 1000)
    beat.beat(5, 1, 1500)
    assert read_heartbeat(uri) == (10, 4, 1000)
    monkeypatch.setattr(heartbeat, "SECONDS_BETWEEN", 0.0)
    beat.beat(5, 5, 2000)
    assert read_heartbeat(uri) == (20, 10, 2000)
    Path(uri).write_text("{")
    assert read_heartbeat(uri) == (0, 0, 0)


def test_a_manifest_read_again_is_the_same(tmp_path: Path) -> None:
    run = RunFolder(str(tmp_path / "run"))
    assert read_manifest(run) is None
    content = {"status": "open", "plan_digest": "é", "plan": {}}
    write_manifest(run, content)
    assert read_manifest(run) == content


@pytest.mark.parametrize("content", ["", "{}", "[]", '"open"', '{"status": ["open"]}', '{"status": "open"}', "\x00"])
def test_what_is_no_manifest_is_told_in_a_line(content: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(UserError, match="is damaged, or not the manifest of a run") as raised:
        read_manifest(RunFolder(str(tmp_path)))
    assert "\n" not in str(raised.value)


def test_verdicts_measures_and_edits_become_ledger_rows() -> None:
    verdicts = [None, Verdict("removed", "short", 3.0, 5.0), Verdict("quarantined", "bad")]
    judged = with_verdicts(batch(3), "c4", verdicts, {"words": [1.0, 2.0, None]}, {"c4.javascript": [0, 2, 1]})
    fates = ledger.conform(judged, ledger.FATES)
    assert fates.schema == ledger.FATES
    assert fates.column("reason").to_pylist() == [None, "short", "bad"]
    assert fates.column("step").to_pylist() == [None, "c4", "c4"]
    assert fates.column("shard").null_count == 3
    measures = ledger.measures_of(judged, ledger.measures_schema(["words", "lines"]))
    assert measures.column("words").to_pylist() == [1.0, 2.0, None] and measures.column("lines").null_count == 3
    edits = [(row["row"], row["step"], row["kind"], row["count"]) for row in ledger.edits_of(judged).to_pylist()]
    assert edits == [(1, "c4", "javascript", 2), (2, "c4", "javascript", 1)]


def test_no_edits_are_no_rows() -> None:
    assert ledger.edits_of(batch(2)).num_rows == 0 and ledger.edits_of(batch(0)).schema == ledger.EDITS
