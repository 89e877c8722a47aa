"""A hundred planted persons erased from a run of the real pipeline: nothing of them is left, and nothing else has changed."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from connectors.errors import UserError
from connectors.megatron import ShardReader
from curation.audit.erase import journal
from curation.audit.erase.compaction import compact
from curation.audit.erase.erasing import erasing
from curation.audit.erase.places import place_of
from curation.audit.erase.proof import prove
from curation.audit.erase.requests import Request, settled
from curation.audit.find import why
from curation.audit.verify import verify
from curation.engines.local import LocalEngine
from curation.pipeline.curate import curate
from curation.run.folder import RunFolder
from tests.audit.planted_persons import Planted, curated, erase, everything_written, ids_of, planted_run
from tests.pipeline.prepared import ENVIRONMENT, ROOT, content


@pytest.fixture(scope="module")
def planted(base: Path, engine: LocalEngine) -> tuple[Planted, Path]:
    """The corpus and its run; not to be changed."""
    return planted_run(base)


@pytest.fixture(scope="module")
def erased(planted: tuple[Planted, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run with all persons erased; not to be changed."""
    corpus, run = planted
    target = tmp_path_factory.mktemp("erased") / "run"
    shutil.copytree(run, target)
    number, proof = erase(target, corpus.requests())
    assert number == "00001" and proof.holds, proof.hits
    return target


@pytest.fixture
def copy(planted: tuple[Planted, Path], tmp_path: Path) -> Path:
    """A copy of the run, to be changed."""
    shutil.copytree(planted[1], tmp_path / "run")
    return tmp_path / "run"


def rows(run: Path, part: str) -> list[dict[str, Any]]:
    return [
        row for path in sorted((run / "ledger" / part).rglob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]


def test_nothing_of_the_persons_is_left_anywhere(planted: tuple[Planted, Path], erased: Path) -> None:
    """Oracle: every file of the run read without the project, and searched for names, sites and the copies' addresses."""
    corpus, run = planted
    secrets = [*(person.name for person in corpus.persons), *(person.domain for person in corpus.persons)]
    secrets += [f"quoted{number}.example" for number in range(100)] + [
        f"copy{number}.example" for number in range(0, 100, 2)
    ]
    before = " ".join(text for _, text in everything_written(run))
    assert all(secret in before for secret in secrets)
    for name, text in everything_written(erased):
        assert not [secret for secret in secrets if secret in text], name


def test_just_the_planted_pages_are_gone(planted: tuple[Planted, Path], erased: Path) -> None:
    corpus, run = planted
    kept = ids_of(run)
    assert len(kept & corpus.ids) == 200 and kept - corpus.ids == set(corpus.ordinary)
    assert ids_of(erased) == set(corpus.ordinary)
    fates = {row["doc_id"]: row for row in rows(erased, "finish")}
    for page in corpus.ids & kept:
        assert [fates[page][key] for key in ("fate", "step", "reason")] == ["removed", "erase", "erased"]
    for page in corpus.ids - kept:
        assert fates[page]["fate"] == "duplicate"
    before = {row["doc_id"]: row for row in rows(run, "finish")}
    for page, row in fates.items():
        assert [row[key] for key in ("row", "tokens", "shard", "position")] == [
            before[page][key] for key in ("row", "tokens", "shard", "position")
        ]


def test_no_other_file_is_touched_and_in_shards_no_other_token(planted: tuple[Planted, Path], erased: Path) -> None:
    _, run = planted
    before, after = content(run), content(erased)
    changed = {path for path in before if after.get(path) != before[path]}
    assert changed <= {path for path in before if (place := place_of(path)) and place.fate in ("rewritten", "blanked")}
    untouched = {path for path in before if "web/00002" in path or "web/2.jsonl" in path or "/books/" in path}
    assert {f"shards/{name}.bin" for name in ("web/00002", "books/00000")} <= untouched and not untouched & changed
    assert not [path for path in changed if path.endswith((".idx", ".docs.parquet"))]
    end = json.loads((run / "manifest.json").read_text())["shards"][0]["end_of_document"]
    for name in ("web/00000", "web/00001"):
        old, new = ShardReader(run / "shards" / name), ShardReader(erased / "shards" / name)
        gone = np.zeros(old.tokens, np.bool_)
        for span in pq.read_table(erased / "shards" / f"{name}.erased.parquet").to_pylist():
            gone[span["first_token"] : span["first_token"] + span["tokens"]] = True
        first, second = old.range(0, old.tokens), new.range(0, new.tokens)
        assert (second[gone] == end).all() and (second[~gone] == first[~gone]).all()
        places = [row for row in rows(erased, "finish") if row["shard"] == name and row["step"] == "erase"]
        assert gone.sum() == sum(row["tokens"] for row in places) > 0


def test_the_run_still_balances_and_verifies(erased: Path) -> None:
    assert verify(str(erased)) == []
    manifest = json.loads((erased / "manifest.json").read_text())
    assert [step for step in manifest["steps"] if step["step"] == "erase"] == [
        {"step": "erase", "entered": 200, "went_on": 0, "ended": {"removed": {"erased": 200}}}
    ]
    assert manifest["sources"]["web"]["removed"] == 200
    stray = [
        path for path in erased.rglob("*") if path.is_file() and place_of(path.relative_to(erased).as_posix()) is None
    ]
    assert stray == []


def test_the_account_has_the_hashes_before_and_after_and_no_secret(planted: tuple[Planted, Path], erased: Path) -> None:
    _, run = planted
    account = json.loads((erased / "erasures/00001.json").read_text())
    assert (account["documents"], account["duplicates"], account["date"]) == (200, 84, "2026-01-02")
    assert sum(request["asked"] + request["similar"] for request in account["requests"]) == 200
    for path, each in account["files"].items():
        for folder, side in ((run, "before"), (erased, "after")):
            whole = (folder / path).read_bytes() if (folder / path).exists() else None
            found = whole and {"bytes": len(whole), "sha256": hashlib.sha256(whole).hexdigest()}
            assert found == each[side], path
    told = pq.read_table(erased / "erasures/00001.parquet").to_pylist()
    assert {row["doc_id"] for row in told} == planted[0].ids
    listed = json.loads((erased / "manifest.json").read_text())["erasures"]
    for path, written in listed[0]["files"].items():
        assert hashlib.sha256((erased / path).read_bytes()).hexdigest() == written["sha256"], path


def test_asked_again_nothing_changes(planted: tuple[Planted, Path], erased: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(erased, run)
    number, proof = erase(run, planted[0].requests(), date="2027-07-07")
    assert number is None and proof.holds and content(run) == content(erased)


def test_the_same_curate_command_brings_nothing_back(planted: tuple[Planted, Path], base: Path, erased: Path) -> None:
    before = content(erased)
    shutil.copy(planted[1].with_suffix(".yaml"), erased.with_suffix(".yaml"))
    curated(base, planted[0], erased)
    assert content(erased) == before


# ---- the proof


BROUGHT_BACK = {
    "documents": ["documents/web/00001.parquet"],
    "erased spans": ["shards/web/00001.bin"],
    "addresses of records": ["ledger/records/web/1.jsonl.parquet"],
    "beginnings of texts": ["ledger/near_duplicates/web/00000.parquet"],
}


@pytest.mark.parametrize("place", BROUGHT_BACK)
def test_the_proof_finds_what_is_brought_back(
    planted: tuple[Planted, Path], erased: Path, tmp_path: Path, place: str
) -> None:
    run = tmp_path / "run"
    shutil.copytree(erased, run)
    for path in BROUGHT_BACK[place]:
        shutil.copy(planted[1] / path, run / path)
    with erasing(str(run), ()) as erasure:
        by_tombstones = prove(erasure).hits
    assert place in ("addresses of records", "beginnings of texts") or by_tombstones[place] > 0
    hits = hits_of(run, planted[0].requests())
    assert hits[place] > 0 and hits.total() == hits[place]


def hits_of(run: Path, requests: list[dict[str, str]]) -> Any:
    """What the proof finds."""
    asked = settled(Request(kind, value) for one in requests for kind, value in one.items())  # type: ignore[arg-type]
    with erasing(str(run), asked) as erasure:
        return prove(erasure).hits


def test_the_proof_reads_the_tokens_of_shards(planted: tuple[Planted, Path], erased: Path, tmp_path: Path) -> None:
    """A shard that is whole again, with a manifest that says so: found by its decoded text, and by ids."""
    run = tmp_path / "run"
    shutil.copytree(erased, run)
    shutil.copy(planted[1] / "shards/web/00000.bin", run / "shards/web/00000.bin")
    manifest = json.loads((run / "manifest.json").read_text())
    del manifest["files"]["shards/web/00000.erased.parquet"]
    (run / "manifest.json").write_text(json.dumps(manifest))
    hits = hits_of(run, planted[0].requests())
    assert hits["shards"] > 20 and hits["ids in shards"] == 117 and hits["documents"] == 0


# ---- kills


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


FEW = 7


def killed_at(monkeypatch: pytest.MonkeyPatch, moment: int) -> list[str]:
    """Ends the process, as it were, instead of the rename of that number, from 1; gives what was renamed before."""
    renamed, replace = list[str](), Path.replace

    def counted(self: Path, target: Path) -> Path:
        renamed.append(target.name)
        if len(renamed) == moment:
            raise Killed
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", counted)
    return renamed


def test_killed_at_any_rename_the_same_command_ends_with_the_same_bytes(
    planted: tuple[Planted, Path], copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = planted[0].requests()[:FEW]
    whole = tmp_path / "whole"
    shutil.copytree(copy, whole)
    with monkeypatch.context() as patched:
        renamed = killed_at(patched, 0)
        erase(whole, requests)
    decided, last = renamed.index("journal.json") + 1, len(renamed)
    assert renamed[-1] == "manifest.json" and last - decided > 10
    for moment in (decided, (decided + last) // 2, last):
        run = tmp_path / f"killed-{moment}"
        shutil.copytree(copy, run)
        with monkeypatch.context() as patched:
            killed_at(patched, moment)
            with pytest.raises(Killed):
                erase(run, requests)
        assert journal.is_open(RunFolder(str(run))) == (moment > decided)
        if moment <= decided:
            assert all(content(run)[path] == sha for path, sha in content(copy).items())
        else:
            with pytest.raises(UserError, match="was interrupted"), erasing(str(run), (), dry=True):
                pass
        assert erase(run, requests)[1].holds
        assert content(run) == content(whole) and verify(str(run)) == []


def test_killed_for_real(planted: tuple[Planted, Path], copy: Path, tmp_path: Path) -> None:
    requests = tmp_path / "requests.jsonl"
    requests.write_text("".join(json.dumps(request) + "\n" for request in planted[0].requests()[:FEW]))
    words = ["erase", str(copy), "--requests", str(requests), "--yes", "--date", "2026-01-02"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs.cli", *words],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 120
    while not list((copy / journal.NEW).rglob("*.parquet")):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    whole = tmp_path / "whole"
    shutil.copytree(planted[1], whole)
    for run in (copy, whole):
        assert erase(run, planted[0].requests()[:FEW])[1].holds
    assert content(copy) == content(whole)


# ---- later runs, and compaction


def test_a_later_run_does_not_bring_them_back_and_compaction_gives_its_shards(
    planted: tuple[Planted, Path], base: Path, erased: Path, tmp_path: Path
) -> None:
    """Two ways to the same bytes: spans taken out of shards, and a run by the same vocabulary that never kept them."""
    corpus, run = planted
    later = tmp_path / "later"
    curated(base, corpus, later, str(run / "tokenizer.json"), str(erased))
    assert ids_of(later) == set(corpus.ordinary) and verify(str(later)) == []
    fates = {row["doc_id"]: (row["fate"], row["step"], row["reason"]) for row in rows(later, "refine")}
    assert fates == dict.fromkeys(corpus.ids, ("removed", "erased", "erased"))
    compacted = tmp_path / "compacted"
    shutil.copytree(erased, compacted)
    with erasing(str(compacted), ()) as erasure:
        assert compact(erasure, "2026-02-03") == "00002"
    for name in ("web/00000", "web/00001", "web/00002", "books/00000"):
        for suffix in ("bin", "idx"):
            path = f"shards/{name}.{suffix}"
            assert (compacted / path).read_bytes() == (later / path).read_bytes(), path
        index = f"shards/{name}.docs.parquet"
        assert pq.read_table(compacted / index).to_pylist() == pq.read_table(later / index).to_pylist()
        assert not (compacted / f"shards/{name}.erased.parquet").exists()
    assert verify(str(compacted)) == []
    places = {row["doc_id"]: row["position"] for row in rows(later, "finish") if row["fate"] == "kept"}
    assert {row["doc_id"]: row["position"] for row in rows(compacted, "finish") if row["fate"] == "kept"} == places
    assert all(row["shard"] is None for row in rows(compacted, "finish") if row["step"] == "erase")
    with erasing(str(compacted), ()) as erasure:
        assert compact(erasure, "2026-02-03") is None and prove(erasure).holds


def test_a_second_erasure_adds_to_the_first(planted: tuple[Planted, Path], copy: Path) -> None:
    corpus, _ = planted
    first, second = corpus.requests()[:3], [{"doc_id": corpus.ordinary[0].hex()}]
    assert erase(copy, first)[0] == "00001" and erase(copy, second)[0] == "00002"
    assert verify(str(copy)) == []
    gone = {page for person in corpus.persons[:3] for page in person.pages} | {corpus.ordinary[0]}
    assert ids_of(copy) == (corpus.ids | set(corpus.ordinary)) & ids_of(planted[1]) - gone
    manifest = json.loads((copy / "manifest.json").read_text())
    assert [row["erasure"] for row in manifest["erasures"]] == ["00001", "00002"]
    shards = [row["shards"] for row in manifest["erasures"]]
    assert [shards[1][name][0] for name in shards[1]] == [shards[0][name][1] for name in shards[1]]
    (story,) = why(str(copy), doc_id=corpus.ordinary[0].hex())
    assert story.fate["step"] == "erase" and "tokenize" in story.passed and story.record["url"] == ""


def test_a_file_that_was_changed_stops_the_erasure(planted: tuple[Planted, Path], copy: Path) -> None:
    before = content(copy)
    path = copy / "shards/web/00000.bin"
    whole = bytearray(path.read_bytes())
    whole[0] ^= 1
    path.write_bytes(whole)
    with pytest.raises(UserError, match="shards/web/00000.bin is not what the manifest says: nothing was erased"):
        erase(copy, planted[0].requests()[:1])
    path.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    assert content(copy) == before


def test_what_the_run_does_not_have_is_kept_out_all_the_same(copy: Path) -> None:
    """A page that is in no archive yet leaves a tombstone, once."""
    request = [{"url": "https://never.seen.example/x"}]
    assert erase(copy, request)[0] == "00001" and erase(copy, request)[0] is None
    assert len(pq.read_table(copy / "erasures/tombstones.parquet")) == 1 and verify(str(copy)) == []


def test_what_was_removed_for_a_document_of_an_earlier_run_is_hidden_with_its_like(
    planted: tuple[Planted, Path], base: Path, engine: LocalEngine, tmp_path: Path
) -> None:
    """A run that keeps nothing, since an earlier one has it all: its ledger still shows addresses and beginnings."""
    corpus, run = planted
    recipe = tmp_path / "later.yaml"
    recipe.write_text(
        f"recipe: later\nfilters: []\ntokenize: null\ndedup: {{minhash: {{target: 0.95}}, against: [{run}]}}\n"
    )
    later = tmp_path / "later"
    curate(str(recipe), corpus.inputs, str(later), engine=engine)
    person = corpus.persons[0]  # with an exact copy, and a near one, both removed there for the page itself
    number, proof = erase(later, [{"url": person.requests["url"]}])
    assert number == "00001" and proof.holds and verify(str(later)) == []
    account = json.loads((later / "erasures/00001.json").read_text())
    assert (account["documents"], account["duplicates"], account["elsewhere"]) == (0, 3, 3)
    hidden = {row["doc_id"] for row in rows(later, "records") if not row["url"]}
    assert hidden == set(person.pages[:3])
    shown = " ".join(str(row) for part in ("elsewhere", "near_duplicates", "records") for row in rows(later, part))
    assert person.name not in shown and person.domain not in shown and corpus.persons[1].domain in shown
