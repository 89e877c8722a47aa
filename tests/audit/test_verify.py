"""`verify` says of each file that is not what it was which it is, and nothing else."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer

from connectors.errors import UserError
from curation.audit import verify as audit
from curation.audit.finding import Finding
from curation.audit.verify import prove_file
from curation.run.merkle import proven_root
from tests.pipeline.prepared import command


def verify(run: str) -> list[str]:
    """What is wrong, a line each."""
    return [str(finding) for finding in audit.verify(run)]


@pytest.fixture
def copy(light_run: Path, tmp_path: Path) -> Path:
    """A copy of a run, to be damaged."""
    shutil.copytree(light_run, tmp_path / "run")
    return tmp_path / "run"


def test_a_whole_run_has_nothing_wrong(run: Path, light_run: Path) -> None:
    heard: Counter[str] = Counter()
    assert audit.verify(str(run), lambda path, count: heard.update({path: count})) == []
    files = json.loads((run / "manifest.json").read_text())["files"]
    tokens = {path for path in files if path.endswith(".bin")}  # are looked at twice: for their hash, and one by one
    assert heard == {path: file["bytes"] * (1 + (path in tokens)) for path, file in files.items()}
    done = command("verify", light_run)
    assert done.returncode == 0 and "every file, count and fate is as the manifest says" in done.stdout
    assert json.loads((light_run / "manifest.json").read_text())["merkle_root"] in done.stdout


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


def test_exchanged_files_are_both_named(copy: Path) -> None:
    names = ["shards/crawl/00000.bin", "shards/crawl/00002.bin"]
    first, second = (copy / name for name in names)
    first.rename(copy / "aside")
    second.rename(first)
    (copy / "aside").rename(second)
    assert verify(str(copy)) == [
        f"{names[0]} was exchanged with {names[1]}",
        f"{names[1]} was exchanged with {names[0]}",
    ]


def test_a_copy_in_another_files_place_is_told_of_as_that(copy: Path) -> None:
    shutil.copy(copy / "documents/crawl/00002.parquet", copy / "documents/crawl/00003.parquet")
    assert verify(str(copy)) == ["documents/crawl/00003.parquet holds what belongs in documents/crawl/00002.parquet"]


def test_a_file_that_is_none_of_the_run_is_named(copy: Path) -> None:
    shutil.copy(copy / "shards/crawl/00002.bin", copy / "shards/crawl/00077.bin")
    assert verify(str(copy)) == ["shards/crawl/00077.bin is no file of this run: the manifest does not name it"]


def damaged(copy: Path, shard: str, tokens: dict[int, int]) -> Finding:
    """What is found where some tokens of a shard are others."""
    path = copy / "shards" / f"{shard}.bin"
    content = np.fromfile(path, "<u2")
    content[list(tokens)] = list(tokens.values())
    content.tofile(path)
    (finding,) = audit.verify(str(copy))
    assert finding.place == f"shards/{shard}.bin"
    return finding


def test_the_document_that_a_changed_token_belongs_to_is_named(copy: Path) -> None:
    """Oracle: the document index, and the ids that `tokenizers` gives its text."""
    index = pq.read_table(copy / "shards/crawl/00001.docs.parquet").to_pylist()
    documents = {row["doc_id"]: row for row in pq.read_table(copy / "documents/crawl/00001.parquet").to_pylist()}
    document = index[len(index) // 2]
    url, text = (documents[document["doc_id"]][name] for name in ("url", "text"))
    place = 7
    was = Tokenizer.from_file(str(copy / "tokenizer.json")).encode(text, add_special_tokens=False).ids[place]
    (hit,) = damaged(copy, "crawl/00001", {document["first_token"] + place: was ^ 1}).documents
    assert (hit.doc_id, hit.url) == (document["doc_id"].hex(), url)
    assert hit.told == f"token {document['first_token'] + place:,} is {was ^ 1}, its text makes {was}"


def test_the_end_of_a_document_counts_among_its_tokens(copy: Path) -> None:
    index = pq.read_table(copy / "shards/crawl/00001.docs.parquet").to_pylist()
    ends = {row["first_token"] + row["tokens"] - 1: 5 for row in index[1:3]}
    hits = damaged(copy, "crawl/00001", ends).documents
    assert {hit.doc_id for hit in hits} == {row["doc_id"].hex() for row in index[1:3]}
    assert all(" is 5, its text makes " in hit.told for hit in hits)


def test_where_tokens_are_cut_off_the_last_documents_are_named(copy: Path) -> None:
    path = copy / "shards/crawl/00001.bin"
    path.write_bytes(path.read_bytes()[:-11])
    (finding,) = audit.verify(str(copy))
    last = pq.read_table(copy / "shards/crawl/00001.docs.parquet").to_pylist()[-1]
    stop = last["first_token"] + last["tokens"] - 1
    assert [(hit.doc_id, hit.told) for hit in finding.documents] == [
        (last["doc_id"].hex(), f"tokens {stop - 5:,} to {stop:,} are cut off")
    ]


def test_tokens_of_another_run_are_told_of_as_none_of_this(run: Path, copy: Path) -> None:
    shutil.copy(run / "shards/crawl/00001.bin", copy / "shards/crawl/00001.bin")
    (finding,) = audit.verify(str(copy))
    assert finding.documents == () and "is what the run made: of another shard or run?" in finding.problem


def test_without_the_text_the_file_is_named_alone(copy: Path) -> None:
    (copy / "documents/crawl/00001.parquet").unlink()
    path = copy / "shards/crawl/00001.bin"
    path.write_bytes(path.read_bytes()[::-1])
    gone, changed = audit.verify(str(copy))
    assert str(gone).endswith("is missing") and changed.place == "shards/crawl/00001.bin" and not changed.documents


@pytest.mark.parametrize(
    ("stage", "unit"),
    [
        ("refine", "crawl/00003.warc.gz"),
        ("finish", "crawl/00001"),
        ("dedup", "duplicates"),
        ("removal_rates", "removal_rates"),
        ("vocabulary", "vocabulary"),
        ("shards", "crawl/00001"),
        ("places", "crawl/00001"),
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
    root, unnamed, missed = verify(str(copy))
    assert root.endswith("its files have another") and unnamed.startswith("documents/crawl/00001.parquet is no file of")
    assert missed == "manifest.json and the receipts disagree about documents/crawl/00001.parquet"


def test_the_command_shows_one_table_and_ends_with_1(copy: Path) -> None:
    path = copy / "shards/crawl/00001.bin"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    (copy / "tokenizer.json").rename(copy / "aside.json")
    (copy / "shards/crawl/00002.bin").unlink()
    done = command("verify", copy)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    title, _, *rows = done.stdout.strip().splitlines()
    assert title.strip() == "3 things are wrong"
    assert [row.split()[:2] for row in rows] == [
        ["✗", "shards/crawl/00001.bin"],
        ["✗", "shards/crawl/00002.bin"],
        ["✗", "tokenizer.json"],
    ]
    (copy / "aside.json").rename(copy / "tokenizer.json")
    first = pq.read_table(copy / "shards/crawl/00001.docs.parquet").to_pylist()[0]
    shown = command("verify", copy).stdout
    assert f"token 50 is {int(np.frombuffer(bytes(content), '<u2')[50])}, its text makes" in shown
    assert first["doc_id"].hex() in shown


def rewritten(copy: Path, path: str, change: Callable[[pa.Table], pa.Table], *receipts: str) -> list[str]:
    """What is found where a Parquet file is another and all hashes were written anew."""
    options = {"use_dictionary": False} if path.startswith("ledger") else {}
    pq.write_table(change(pq.read_table(copy / path)), copy / path, **options)
    return with_new_hashes(copy, path, *receipts)


def with_new_hashes(copy: Path, path: str, *receipts: str) -> list[str]:
    content = (copy / path).read_bytes()
    for file in (copy / "manifest.json", *(copy / "receipts" / f"{receipt}.json" for receipt in receipts)):
        stored = json.loads(file.read_text())
        stored["files" if "files" in stored else "outputs"][path] = {
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        if "merkle_root" in stored:
            stored["merkle_root"] = audit.merkle_root(audit.files_of(stored))
        file.write_text(json.dumps(stored, indent=1))
    return verify(str(copy))


def test_a_changed_ledger_with_changed_hashes_still_does_not_balance(copy: Path) -> None:
    """Whoever writes hashes anew cannot hide a document that is gone: the ledger is counted again."""
    path = "ledger/refine/crawl/00001.warc.gz.parquet"
    problems = rewritten(copy, path, lambda table: table.slice(1), "refine/crawl/00001.warc.gz")
    assert any("records have no fate" in problem for problem in problems), problems
    assert any("does not balance" in problem for problem in problems), problems


def shifted(table: pa.Table, column: str, row: int, by: int) -> pa.Table:
    """The table with one number changed."""
    place = table.schema.get_field_index(column)
    values = table[column].to_pylist()
    values[row] += by
    return table.set_column(place, table.schema.field(place), pa.array(values, table.schema.field(place).type))


def test_entries_of_a_document_index_that_are_wrong(copy: Path) -> None:
    path, receipt = "shards/crawl/00001.docs.parquet", "shards/crawl/00001"
    whole = (copy / path).read_bytes()
    for column, told in (("first_token", "and .idx disagree on 1"), ("tokens", "and .idx disagree on 1")):
        problems = rewritten(copy, path, lambda table, column=column: shifted(table, column, 2, 1), receipt)
        assert problems and problems[0].startswith(f"{path} {told}"), problems
        (copy / path).write_bytes(whole)

    def exchanged(table: pa.Table) -> pa.Table:
        ids = table["doc_id"].to_pylist()
        ids[0], ids[1] = ids[1], ids[0]
        return table.set_column(0, table.schema.field(0), pa.array(ids, pa.binary(16)))

    first = pq.read_table(copy / path).to_pylist()[0]
    rewritten(copy, path, exchanged, receipt)
    findings = audit.verify(str(copy))
    assert str(findings[0]) == f"{path} and the ledger disagree on where documents stand"
    assert first["doc_id"].hex() in [hit.doc_id for hit in findings[0].documents]
    assert len(findings) == 2 and "which of its records stand in shards" in str(findings[1])


def test_a_token_that_cannot_be_and_a_document_without_its_end(copy: Path) -> None:
    path, receipt = "shards/crawl/00001.bin", "shards/crawl/00001"
    index = pq.read_table(copy / "shards/crawl/00001.docs.parquet").to_pylist()
    tokens = np.fromfile(copy / path, "<u2")
    end = index[1]["first_token"] + index[1]["tokens"] - 1
    tokens[end] = 7
    tokens[3] = 60_000
    tokens.tofile(copy / path)
    with_new_hashes(copy, path, receipt)
    outside, unended = audit.verify(str(copy))
    assert "has 1 tokens outside the vocabulary of 600" in str(outside)
    assert [hit.doc_id for hit in outside.documents] == [index[0]["doc_id"].hex()]
    assert "has 1 documents that do not end with token" in str(unended)
    assert [hit.doc_id for hit in unended.documents] == [index[1]["doc_id"].hex()] and unended.documents[0].url


def test_a_place_in_the_ledger_that_is_wrong(copy: Path) -> None:
    path = "ledger/finish/crawl/00001.parquet"
    rows = pq.read_table(copy / path).to_pylist()
    kept = next(number for number, row in enumerate(rows) if row["fate"] == "kept")
    change = lambda table: shifted(table, "position", kept, 1)  # noqa: E731
    problems = rewritten(copy, path, change, "places/crawl/00001")
    assert problems == ["shards/crawl/00001.docs.parquet and the ledger disagree on where documents stand"]
    (finding,) = audit.verify(str(copy))
    (hit,) = finding.documents
    assert hit.doc_id == rows[kept]["doc_id"].hex() and f"by the ledger at {rows[kept]['position'] + 1} of" in hit.told


def test_a_text_that_is_gone_from_the_documents(copy: Path) -> None:
    path = "documents/crawl/00001.parquet"
    problems = rewritten(copy, path, lambda table: table.slice(1), "finish/crawl/00001")
    assert len(problems) == 1 and problems[0].startswith(f"{path} has "), problems


def test_a_file_is_proven_by_itself_with_the_root_that_was_published(copy: Path) -> None:
    published = json.loads((copy / "manifest.json").read_text())["merkle_root"]
    name = "shards/crawl/00001.bin"
    shutil.rmtree(copy / "documents")  # of no matter here
    line, proof, findings = prove_file(str(copy), name)
    written = audit.files_of(json.loads((copy / "manifest.json").read_text()))[name]
    assert findings == [] and line == f"{written.sha256} {written.bytes} {name}"
    assert proven_root(name, written, proof) == published
    shown = command("verify", copy, "--file", name, "--root", published)
    assert shown.returncode == 0 and shown.stdout.splitlines()[0] == f"leaf  {line}"
    assert shown.stdout.splitlines()[-1] == f"root  {published}"
    (copy / name).write_bytes(b"")
    assert [str(finding) for finding in prove_file(str(copy), name)[2]] == [f"{name} was changed"]
    with pytest.raises(UserError, match="is no file of this run's manifest. Did you mean 'shards/crawl/00001.bin'"):
        prove_file(str(copy), "shards/crawl/0001.bin")
    other = command("verify", copy, "--root", "0" * 64)
    assert other.returncode == 2 and f"has the Merkle root {published}, not 000" in other.stderr


def test_a_manifest_whose_files_were_exchanged_has_another_root(copy: Path) -> None:
    manifest: dict[str, Any] = json.loads((copy / "manifest.json").read_text())
    manifest["files"]["recipe.yaml"] = {"bytes": 0, "sha256": hashlib.sha256(b"").hexdigest()}
    (copy / "manifest.json").write_text(json.dumps(manifest))
    (copy / "recipe.yaml").write_bytes(b"")
    (problem,) = verify(str(copy))
    assert problem == f"manifest.json names the Merkle root {manifest['merkle_root']}, its files have another"
