"""Where nothing lies between the passes they are one: the same files as of two, and a run that may keep no text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.errors import UserError
from curation.audit.erase.erasing import erasing
from curation.audit.find import text_of, trace
from curation.audit.story import Ledger
from curation.audit.verify import verify
from curation.pipeline import curate as curating
from curation.pipeline.curate import curate
from curation.pipeline.one_pass import is_one_pass, units_of_splits
from curation.recipes.load import load_recipe, parse_recipe
from curation.report.page import write_report
from curation.run.split import plan_splits
from curation.tokenize.train import train_bpe
from jobs import why
from tests.dedup.runs import Here
from tests.pipeline.prepared import content
from tests.pipeline.sharded import BY_WORDS, FILES, HELD_OUT, Ends, held, write_pages
from tests.pipeline.sharded import text_of as page_text

FERTILITY = "ledger/vocabulary/fertility.parquet"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages, two of them as Parquet with a document that is none, and a tokenizer."""
    folder = tmp_path_factory.mktemp("one_pass")
    write_pages(folder / "pages")
    for number in (1, 4):
        path = folder / "pages" / f"{number:02d}.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        rows[7]["text"] = "\n"
        pq.write_table(pa.Table.from_pylist(rows), path.with_suffix(".parquet"), row_group_size=11)
        path.unlink()
    (folder / "tokenizer.json").write_bytes(train_bpe([page_text(n) for n in range(60)], 300, "<|endoftext|>"))
    return folder


def made(base: Path, run: Path, engine: Any = None, batch_documents: int = 256, **recipe: Any) -> Path:
    """A run over the pages, filtered, grouped and with parts held out."""
    rules = [{"measure": "words", "min": 22, "reason": "short"}]
    told = {"tokenizer": str(base / "tokenizer.json"), "shard_tokens": 3000, "held_out": HELD_OUT, "groups": BY_WORDS}
    plain = {"recipe": "r", "filters": [{"length": rules}], "dedup": None, "tokenize": told, **recipe}
    inputs = f"{base}/pages"
    curate(parse_recipe(plain, "r"), inputs, str(run), engine=engine or Here(), batch_documents=batch_documents)
    return run


@pytest.fixture(scope="module")
def one(base: Path) -> Path:
    return made(base, base / "one")


def test_one_pass_writes_what_two_write(base: Path, one: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All files of both: ledger, documents, shards; the oracle is the pass `finish` over the survivors of `refine`."""

    def of_splits(refined: Sequence[Any], tokens: float) -> list[Any]:
        return units_of_splits(plan_splits([f"{base}/pages"]))

    monkeypatch.setattr(curating, "is_one_pass", lambda recipe: False)
    monkeypatch.setattr(curating, "plan_units", of_splits)
    two, mine = content(made(base, base / "two")), content(one)
    assert sorted(two) == sorted([*mine, FERTILITY])
    differing = [path for path in mine if mine[path] != two[path]]
    assert differing == ["manifest.json"]
    manifests = [json.loads((base / name / "manifest.json").read_text()) for name in ("one", "two")]
    for manifest in manifests:
        manifest["files"].pop(FERTILITY, None)
        del manifest["merkle_root"]
    assert manifests[0] == manifests[1]
    assert len(held(one)) > 100 and len(manifests[0]["units"]) == FILES
    assert {shard["part"] for shard in manifests[0]["shards"]} == {"train", "validation", "test"}


@pytest.mark.parametrize("batch_documents", [1, 7])
def test_batches_do_not_show(base: Path, one: Path, tmp_path: Path, batch_documents: int) -> None:
    assert content(made(base, tmp_path / "run", batch_documents=batch_documents)) == content(one)


@pytest.mark.parametrize("after", [0, 3])
def test_a_run_that_ends_early_goes_on(base: Path, one: Path, tmp_path: Path, after: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        made(base, tmp_path / "run", engine=Ends("OnePass", after))
    receipts = sorted((tmp_path / "run" / "receipts").rglob("*.json"))
    (
        tmp_path / "run" / "receipts" / "refine" / "pages" / "00.jsonl.json"
    ).unlink()  # as if it had ended between the two
    times = {path: path.stat().st_mtime_ns for path in receipts if "00" not in path.name}
    assert content(made(base, tmp_path / "run")) == content(one)
    assert times == {path: path.stat().st_mtime_ns for path in times}


def test_a_run_may_keep_no_text(base: Path, one: Path) -> None:
    run = made(base, base / "no_text", documents=False)
    mine, expected = content(run), content(one)
    left_out = {path for path in expected if path.startswith("documents/")}
    changed = {"manifest.json", "recipe.yaml"}
    assert left_out and set(mine) == set(expected) - left_out
    assert {path for path in mine if mine[path] != expected[path]} == changed
    assert verify(str(run)) == [] == verify(str(one))
    shard = held(run)[0].shard
    assert text_of(str(one), trace(str(one), shard, 0)) and text_of(str(run), trace(str(run), shard, 0)) == ""
    assert not Ledger(str(run)).keeps_text and Ledger(str(one)).keeps_text
    write_report(str(run))
    with pytest.raises(UserError, match="keeps no text"), erasing(str(run), ()):
        pass


def test_a_damaged_shard_of_a_run_without_text_is_found(base: Path, tmp_path: Path) -> None:
    run = made(base, tmp_path / "run", documents=False)
    shard = next((run / "shards").rglob("*.bin"))
    data = bytearray(shard.read_bytes())
    data[0] ^= 1
    shard.write_bytes(data)
    (finding, *_) = verify(str(run))
    assert finding.place == str(shard.relative_to(run))


def test_the_shipped_recipe_over_the_documents_of_a_run(
    base: Path, one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another tokenizer for the same documents; and a question about one says that the run keeps no text."""
    run = tmp_path / "run"
    changes = [f"tokenize.tokenizer={base}/tokenizer.json"]
    curate("tokenize", f"{one}/documents", str(run), engine=Here(), changes=changes)
    assert sorted(each.tokens for each in held(run)) == sorted(each.tokens for each in held(one))
    assert not (run / "documents").exists() and verify(str(run)) == []
    why.main(str(run), "", held(run)[0].doc_id.hex())
    assert "keeps no text" in capsys.readouterr().out


def test_which_recipes_are_done_in_one_pass(base: Path) -> None:
    given = ["tokenize.tokenizer=x.json"]
    assert is_one_pass(load_recipe("tokenize", given).resolved())
    assert not is_one_pass(load_recipe("tokenize", ["tokenize.tokenizer=train"]).resolved())
    assert not is_one_pass(load_recipe("tokenize", [*given, "dedup={exact: true}"]).resolved())
    assert not is_one_pass(load_recipe("fineweb", given).resolved())
    earlier = load_recipe("tokenize", given).resolved()
    del earlier["documents"]
    assert not is_one_pass(earlier)
