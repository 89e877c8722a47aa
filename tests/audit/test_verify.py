"""`verify` says of each file that is not what it was which it is, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from curation.audit.verify import verify
from tests.pipeline.prepared import command


@pytest.fixture
def copy(light_run: Path, tmp_path: Path) -> Path:
    """A copy of a run, to be damaged."""
    shutil.copytree(light_run, tmp_path / "run")
    return tmp_path / "run"


def test_a_whole_run_has_nothing_wrong(run: Path, light_run: Path) -> None:
    heard: list[str] = []
    assert verify(str(run), heard.append) == []
    assert set(heard) == set(json.loads((run / "manifest.json").read_text())["files"])
    done = command("verify", light_run)
    assert done.returncode == 0 and "every file, count and fate is as the manifest says" in done.stdout


KINDS = [
    "recipe.yaml",
    "tokenizer.json",
    "documents/crawl/00001.parquet",
    "shards/crawl/00001.bin",
    "shards/crawl/00001.idx",
    "shards/crawl/00001.docs.parquet",
    "ledger/records/crawl/00001.warc.gz.parquet",
    "ledger/refine/crawl/00001.warc.gz.parquet",
    "ledger/measures/crawl/00001.warc.gz.parquet",
    "ledger/finish/crawl/00001.parquet",
    "ledger/near_duplicates/crawl/00001.parquet",
    "ledger/removal_rates/removal_rates.parquet",
    "ledger/edits/crawl/00001.warc.gz.parquet",
]


def test_the_kinds_are_all_there_are(light_run: Path) -> None:
    files = json.loads((light_run / "manifest.json").read_text())["files"]
    folders = {path.rsplit("/", 2)[0] + path.rsplit(".", 1)[-1] for path in files}
    assert folders == {path.rsplit("/", 2)[0] + path.rsplit(".", 1)[-1] for path in KINDS}
    on_disk = {path.relative_to(light_run).as_posix() for path in light_run.rglob("*") if path.is_file()}
    assert {p for p in on_disk if not p.startswith("receipts/")} == set(files) | {"manifest.json"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", [0.0, 0.5, 0.999])
def test_one_flipped_bit_is_found(copy: Path, kind: str, place: float) -> None:
    path = copy / kind
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)
    (problem,) = verify(str(copy))
    assert problem.startswith(f"{kind} was changed: its SHA-256 is ")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_gone_or_cut_is_named(copy: Path, kind: str) -> None:
    whole = (copy / kind).read_bytes()
    (copy / kind).write_bytes(whole[:-1])
    assert verify(str(copy)) == [f"{kind} has {len(whole) - 1:,} bytes, not {len(whole):,}"]
    (copy / kind).unlink()
    assert verify(str(copy)) == [f"{kind} is missing"]


def test_swapped_files_are_both_named(copy: Path) -> None:
    first, second = copy / "shards/crawl/00000.bin", copy / "shards/crawl/00002.bin"
    first.rename(copy / "aside")
    second.rename(first)
    (copy / "aside").rename(second)
    problems = verify(str(copy))
    assert [problem.split()[0] for problem in problems] == ["shards/crawl/00000.bin", "shards/crawl/00002.bin"]


@pytest.mark.parametrize(
    ("stage", "unit"),
    [
        ("refine", "crawl/00003.warc.gz"),
        ("finish", "crawl/00001"),
        ("dedup", "duplicates"),
        ("removal_rates", "removal_rates"),
        ("vocabulary", "vocabulary"),
    ],
)
def test_a_receipt_that_is_gone_changed_or_broken_is_named(copy: Path, stage: str, unit: str) -> None:
    path = copy / "receipts" / stage / f"{unit}.json"
    name = path.relative_to(copy).as_posix()
    whole = path.read_text()
    path.write_text(whole.replace('"bytes": 1', '"bytes": 2').replace('"plan": "', '"plan": "0', 1))
    problems = verify(str(copy))
    assert problems and f"{name} is of another plan than manifest.json" in problems
    path.write_text(whole[:-30])
    assert verify(str(copy)) == [f"{name} was changed: it is no receipt any more"]
    path.unlink()
    assert verify(str(copy)) == [f"{name} is missing"]


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("plan_digest", lambda manifest: manifest.update(plan_digest="0" * 64)),
        ("plan", lambda manifest: manifest["plan"]["recipe"].update(source="elsewhere")),
        ("inputs", lambda manifest: manifest["inputs"][4].update(sha256="0" * 64)),
        ("sources", lambda manifest: manifest["sources"]["crawl"].update(kept=1)),
        ("steps", lambda manifest: manifest["steps"][1].update(entered=1)),
        ("shards", lambda manifest: manifest["shards"][1].update(tokens=1)),
        ("shards", lambda manifest: manifest["shards"][1].update(tokenizer_sha256="0" * 64)),
    ],
)
def test_a_manifest_that_was_changed_is_told_of_with_the_place(copy: Path, key: str, change: object) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    change(manifest)  # type: ignore[operator]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    problems = verify(str(copy))
    expected = "plan_digest" if key == "plan" else key
    assert any(f"manifest.json and the receipts disagree: {expected}" in problem for problem in problems), problems


def test_a_file_struck_from_the_manifest_is_missed(copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["files"]["documents/crawl/00001.parquet"]
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert verify(str(copy)) == ["manifest.json and the receipts disagree about documents/crawl/00001.parquet"]


def test_the_command_lists_the_problems_and_ends_with_1(copy: Path) -> None:
    (copy / "shards/crawl/00001.bin").unlink()
    (copy / "tokenizer.json").write_text("{}")
    done = command("verify", copy)
    assert done.returncode == 1
    lines = done.stdout.strip().splitlines()
    assert len(lines) == 2
    assert lines[0] == "✗ shards/crawl/00001.bin is missing" and lines[1].startswith(
        "✗ tokenizer.json has 2 bytes, not"
    )


def test_a_changed_ledger_with_a_changed_manifest_still_does_not_balance(copy: Path) -> None:
    """Whoever writes hashes anew cannot hide a document that is gone: the ledger is counted again."""
    import hashlib

    import pyarrow.parquet as pq

    path = "ledger/refine/crawl/00001.warc.gz.parquet"
    table = pq.read_table(copy / path)
    pq.write_table(table.slice(1), copy / path)
    content = (copy / path).read_bytes()
    for file in (copy / "manifest.json", copy / "receipts/refine/crawl/00001.warc.gz.json"):
        stored = json.loads(file.read_text())
        stored["files" if "files" in stored else "outputs"][path] = {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        file.write_text(json.dumps(stored))
    problems = verify(str(copy))
    assert any("records and" in problem and "fates" in problem for problem in problems), problems
