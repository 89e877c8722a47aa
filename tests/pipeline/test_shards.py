"""Shards: the tokens of the documents that are kept, in the order and the part that keyed hashes say, and where they stand."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer

from connectors.errors import UserError
from connectors.megatron import ShardReader
from curation.audit.verify import verify
from curation.engines.local import LocalEngine
from curation.pipeline import finish
from curation.pipeline.segments import Segment, Segmenting, parts
from curation.recipes.load import parse_recipe
from curation.recipes.shards import HeldOut
from curation.recipes.tokenize import Tokenize
from curation.run.parquet_output import ROWS
from curation.tokenize.document_keys import KEYS, ORDER, document_keys
from tests.dedup.runs import Here
from tests.pipeline import ledger_of
from tests.pipeline.prepared import content
from tests.pipeline.sharded import BY_WORDS, FILES, HELD_OUT, Ends, curated, held, recipe, shards, write_pages

ORDERS: dict[str, dict[str, Any]] = {
    "split": {},
    "global": {"order": "global"},
    "groups": {"held_out": HELD_OUT, "groups": BY_WORDS},
    "global groups": {"order": "global", "held_out": HELD_OUT, "groups": BY_WORDS, "seed": 7},
}
EVERYTHING = ORDERS["global groups"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of two sources; the second is one file."""
    folder = tmp_path_factory.mktemp("sharded")
    write_pages(folder / "a")
    write_pages(folder / "b", first_file=FILES, files=1)
    return folder


@pytest.fixture(scope="module")
def runs(pages: Path) -> dict[str, Path]:
    """A finished run in each order; not to be changed."""
    return {name: curated(pages / name, inputs(pages), **told) for name, told in ORDERS.items()}


@pytest.fixture(params=list(ORDERS))
def any_run(request: pytest.FixtureRequest, runs: dict[str, Path]) -> Path:
    return runs[request.param]


def inputs(pages: Path) -> list[str]:
    return [str(pages / "a"), str(pages / "b")]


def keys(ids: Sequence[bytes], seed: int) -> list[int]:
    return document_keys(np.array([np.void(doc_id) for doc_id in ids], "V16"), seed, ORDER).tolist()


def test_a_shard_holds_the_tokens_of_its_documents(any_run: Path) -> None:
    """Encoded again by `tokenizers`, from the curated text; and no document is lost or there twice."""
    tokenizer = Tokenizer.from_file(str(any_run / "tokenizer.json"))
    paths = sorted((any_run / "documents").rglob("*.parquet"))
    texts = {row["doc_id"]: row["text"] for path in paths for row in pq.read_table(path).to_pylist()}
    found = held(any_run)
    assert sorted(document.doc_id for document in found) == sorted(texts) and len(texts) > 150
    end = tokenizer.token_to_id("<|endoftext|>")
    for document in found:
        assert list(document.tokens) == [*tokenizer.encode(texts[document.doc_id]).ids, end]


def test_a_shards_files_and_its_row_agree(any_run: Path) -> None:
    for row in shards(any_run):
        reader = ShardReader(any_run / "shards" / row["shard"])
        reader.check()
        index = pq.read_table(any_run / "shards" / f"{row['shard']}.docs.parquet")
        assert (len(reader), reader.tokens) == (row["documents"], row["tokens"])
        assert index["first_token"].to_pylist() == reader.starts.tolist()
        assert index["tokens"].to_pylist() == reader.lengths.tolist()
    assert verify(str(any_run)) == []


def test_documents_lie_in_the_order_of_their_keys(runs: dict[str, Path]) -> None:
    for name, run in runs.items():
        of_folder = defaultdict(list)
        for document in held(run):
            of_folder[document.shard if "global" not in name else document.shard.rpartition("/")[0]].append(document)
        for documents in of_folder.values():
            in_order = keys([document.doc_id for document in documents], ORDERS[name].get("seed", 0))
            assert in_order == sorted(in_order) and len(documents) > 0


def test_a_shard_of_the_default_order_is_a_group_of_splits(runs: dict[str, Path]) -> None:
    of_shard = defaultdict(set)
    for document in held(runs["split"]):
        of_shard[document.shard].add(document.split)
    assert sum(map(len, of_shard.values())) == len({split for splits in of_shard.values() for split in splits}) == 7
    assert list(of_shard) == [f"a/{n:05d}" for n in range(len(of_shard) - 1)] + ["b/00000"]


def test_global_shards_are_equal_ranges_of_keys_of_all_splits(runs: dict[str, Path]) -> None:
    of_source = [row for row in shards(runs["global"]) if row["source"] == "a"]
    count = math.ceil(sum(row["tokens"] for row in of_source) / 3000)
    assert [row["shard"] for row in of_source] == [f"a/{n:05d}" for n in range(count)] and count > 5
    documents = [document for document in held(runs["global"]) if document.shard.startswith("a/")]
    for document, key in zip(documents, keys([document.doc_id for document in documents], 0), strict=True):
        assert document.shard == f"a/{key * count // KEYS:05d}"
    assert all(len({d.split for d in documents if d.shard == row["shard"]}) >= 3 for row in of_source)


def test_every_order_has_the_same_documents(runs: dict[str, Path]) -> None:
    """And the same tokens, where the same documents are held out: what is, teaches no vocabulary."""
    everywhere = [sorted((d.doc_id, d.split, d.row) for d in held(run)) for run in runs.values()]
    assert all(documents == everywhere[0] for documents in everywhere)
    split, by_key = (sorted((d.doc_id, d.tokens) for d in held(runs[name])) for name in ("split", "global"))
    assert split == by_key
    orders = [[document.doc_id for document in held(run)] for run in runs.values()]
    assert orders[0] != orders[1]


def test_the_ledger_says_where_each_document_stands(any_run: Path) -> None:
    """Shard and position by an index of its own; rows of the finish table in the order of the records."""
    places = {document.doc_id: (document.shard, document.first_token) for document in held(any_run)}
    units = json.loads((any_run / "manifest.json").read_text())["units"]
    rows_seen = 0
    for unit in units:
        rows = pq.read_table(any_run / "ledger" / "finish" / f"{unit['unit']}.parquet").to_pylist()
        ids = [row["doc_id"] for row in rows]
        split_of = {}
        for number, split in enumerate(unit["splits"]):
            records = pq.read_table(any_run / "ledger" / "records" / f"{split}.parquet").to_pylist()
            split_of |= {record["doc_id"]: (number, record["row"]) for record in records}
        assert [split_of[doc_id] for doc_id in ids] == sorted(split_of[doc_id] for doc_id in ids)
        for row in rows:
            expected = places.get(row["doc_id"], (None, None))
            assert (row["shard"], row["position"]) == expected and (row["fate"] == "kept") == (expected[0] is not None)
        rows_seen += len(rows)
    assert rows_seen >= len(places) == sum(unit["documents"] for unit in units)


def test_the_index_names_the_record_and_can_be_searched_by_its_statistics(any_run: Path) -> None:
    records = {}
    for document in held(any_run):
        if document.split not in records:
            path = any_run / "ledger" / "records" / f"{document.split}.parquet"
            records[document.split] = pq.read_table(path)["doc_id"].to_pylist()
        assert records[document.split][document.row] == document.doc_id
    for path in (any_run / "shards").rglob("*.docs.parquet"):
        footer = pq.ParquetFile(path).metadata
        assert ROWS <= 65_536 and all(footer.row_group(n).num_rows <= ROWS for n in range(footer.num_row_groups))
        assert all(footer.row_group(n).column(1).statistics.has_min_max for n in range(footer.num_row_groups))


def test_groups_are_folders_of_their_own(runs: dict[str, Path]) -> None:
    words = ledger_of.table(runs["groups"], "measures")
    of_document = dict(zip(words["doc_id"].to_pylist(), words["words"].to_pylist(), strict=True))
    rows = {row["shard"]: row for row in shards(runs["groups"])}
    for document in held(runs["groups"]):
        bucket = f"q{int(np.digitize(of_document[document.doc_id], [30, 45]))}"
        row = rows[document.shard]
        assert row["quality"] == bucket and "language" not in row
        held_out = "" if row["part"] == "train" else f"{row['part']}/"
        assert document.shard.rpartition("/")[0] == f"{held_out}{row['source']}/{bucket}"
    listed = [row["part"] for row in rows.values()]
    assert listed == sorted(listed, key=["train", "validation", "test"].index) and len(set(listed)) == 3


@pytest.mark.parametrize(("batch", "backwards"), [(1, True), (7, False)])
def test_the_same_bytes_in_batches_of_any_size_and_in_any_order(
    runs: dict[str, Path], pages: Path, tmp_path: Path, batch: int, backwards: bool
) -> None:
    again = curated(tmp_path / "again", inputs(pages), Here(backwards), batch, **EVERYTHING)
    assert content(again) == content(runs["global groups"])


def test_the_same_bytes_by_workers(runs: dict[str, Path], pages: Path, engine: LocalEngine, tmp_path: Path) -> None:
    assert content(curated(tmp_path / "r", inputs(pages), engine, **EVERYTHING)) == content(runs["global groups"])


def part_of(run: Path) -> dict[str, str]:
    """The part of each address that is kept."""
    urls = ledger_of.urls(run)
    return {url: document.part for document in held(run) if (url := urls[document.doc_id])}


def test_what_is_held_out_stays_so_when_more_is_read(runs: dict[str, Path], pages: Path, tmp_path: Path) -> None:
    earlier = tmp_path / "a"
    earlier.mkdir()
    for path in sorted((pages / "a").iterdir())[:3]:
        (earlier / path.name).write_bytes(path.read_bytes())
    before, after = part_of(curated(tmp_path / "run", str(earlier), **ORDERS["groups"])), part_of(runs["groups"])
    assert len(before) > 60 and before.items() < after.items()
    shares = {part: sum(one == part for one in after.values()) / len(after) for part in ("validation", "test")}
    assert 0.05 < shares["validation"] < 0.16 and 0.12 < shares["test"] < 0.28


def test_a_page_that_is_crawled_again_is_on_the_same_side(tmp_path: Path) -> None:
    """Another scheme, `www.`, tracking parameters, a closing slash; another text, so that both are kept."""
    write_pages(tmp_path / "old", files=3, address="http://www.site.example/{n}/?utm_source=x")
    write_pages(tmp_path / "new", files=3, address="https://site.example/{n}")
    for path in (tmp_path / "new").iterdir():
        path.write_text(path.read_text().replace('"}', ' and something more"}'))
    run = curated(tmp_path / "run", [str(tmp_path / "old"), str(tmp_path / "new")], held_out=HELD_OUT)
    both = defaultdict(set)
    for url, part in part_of(run).items():
        both[url.split("/")[3]].add((part, url.partition(":")[0]))
    assert sum({scheme for _, scheme in found} == {"http", "https"} for found in both.values()) > 60
    assert all(len({part for part, _ in found}) == 1 for found in both.values())
    assert {part for found in both.values() for part, _ in found} == {"train", "validation", "test"}


def batch_of(urls: list[str], langs: list[str | None] | None = None) -> pa.RecordBatch:
    ids = pa.array([n.to_bytes(16, "big") for n in range(len(urls))], pa.binary(16))
    return pa.RecordBatch.from_pydict(
        {"doc_id": ids, "url": pa.array(urls, pa.string()), "lang": pa.array(langs or [None] * len(urls), pa.string())}
    )


def test_a_larger_share_takes_nothing_from_the_other_part_nor_from_itself() -> None:
    batch = batch_of([f"http://s.example/{n}" for n in range(4000)])
    small = parts(batch, HeldOut(validation=0.05, test=0.1), 0)
    large = parts(batch, HeldOut(validation=0.5, test=0.2), 0)
    for part, share in ((1, 0.05), (2, 0.1)):
        assert np.all(large[small == part] == part) and abs(np.mean(small == part) - share) < 0.02
    assert parts(batch, HeldOut(), 0).sum() == 0
    assert np.any(parts(batch, HeldOut(validation=0.5, test=0.2), 1) != large)


def test_languages_and_buckets_make_groups() -> None:
    settings = Tokenize.model_validate({"groups": {"language": True, "quality": {"measure": "m", "edges": [0.3, 0.6]}}})
    segmenting = Segmenting(settings)
    langs = ["en", None, "../x", "zh-cn", "en", "en"]
    numbers = segmenting(batch_of([""] * 6, langs), np.array([0.1, 0.3, 0.6, 0.59, np.nan, 0.1]))
    named = [segmenting.named(number) for number in numbers.tolist()]
    assert [each.group for each in named] == ["en-q0", "und-q1", "und-q2", "zh-cn-q1", "en-unmeasured", "en-q0"]
    assert named[0].folder("web") == "web/en-q0" and numbers[0] == numbers[5]
    assert Segment("validation", "en").folder("web") == "validation/web/en" and Segment("train").folder("w") == "w"


@pytest.mark.parametrize(("task", "after"), [("MakeShard", 4), ("FillPlaces", 1)])
def test_a_run_that_ended_within_the_stage_goes_on(
    runs: dict[str, Path], pages: Path, tmp_path: Path, task: str, after: int
) -> None:
    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        curated(run, inputs(pages), Ends(task, after), **EVERYTHING)
    before = {path: path.stat().st_mtime_ns for path in (run / "receipts").rglob("*.json")}
    (run / "shards" / "a" / ".00000.bin.0123.part").write_bytes(b"half of one")
    curated(run, inputs(pages), **EVERYTHING)
    assert content(run) == content(runs["global groups"])
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())


def test_a_shard_that_lost_a_file_is_made_again(runs: dict[str, Path], pages: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        curated(run, inputs(pages), Ends("FillPlaces", 0), **EVERYTHING)
    (run / "shards/a/q0/00000.bin").unlink()
    (run / "work/places/a/q1/00000.sections").unlink()
    curated(run, inputs(pages), **EVERYTHING)
    assert content(run) == content(runs["global groups"])


@pytest.mark.parametrize("change", [{"seed": 8}, {"order": "split"}, {"held_out": {"test": 0.2}}, {"groups": {}}])
def test_another_order_is_another_plan(runs: dict[str, Path], pages: Path, change: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=f"holds a run of another plan: recipe.tokenize.{next(iter(change))}"):
        curated(runs["global groups"], inputs(pages), **{**EVERYTHING, **change})


def test_a_source_of_which_nothing_is_kept_has_no_shard(pages: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "0.jsonl").write_text('{"url": "http://x.example/", "text": "too short"}\n')
    for order in ("split", "global"):
        alone = curated(tmp_path / f"alone-{order}", str(tmp_path / "empty"), order=order)
        assert shards(alone) == [] and verify(str(alone)) == []
        beside = curated(tmp_path / f"beside-{order}", [str(tmp_path / "empty"), str(pages / "b")], order=order)
        assert {row["source"] for row in shards(beside)} == {"b"} and verify(str(beside)) == []
        units = json.loads((beside / "manifest.json").read_text())["units"]
        assert [(unit["unit"], unit["documents"]) for unit in units] == [("empty/00000", 0), ("b/00000", 28)]


@pytest.mark.parametrize(
    ("tokenize", "told"),
    [
        ({"groups": {"quality": {"measure": "wrds", "edges": [1]}}}, "no step of the recipe computes 'wrds'.*'words'"),
        ({"groups": {"quality": {"measure": "words", "edges": [2, 2]}}}, "each must be above the one before"),
        ({"groups": {"quality": {"measure": "words", "edges": []}}}, "edges"),
        ({"groups": {"language": True}}, "the recipe has no language step"),
        ({"groups": {"langauge": True}}, "unknown key 'langauge' in tokenize.groups. Did you mean 'language'"),
        ({"held_out": {"validation": 0.6}}, "held_out.validation"),
        ({"order": "sorted"}, "tokenize.order"),
        ({"seed": -1}, "tokenize.seed"),
    ],
)
def test_a_mistake_is_one_line(tokenize: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told) as raised:
        recipe(**tokenize)
    assert "\n" not in str(raised.value)


def test_a_source_that_is_called_as_a_part_is_refused(tmp_path: Path) -> None:
    write_pages(tmp_path / "validation", files=1)
    with pytest.raises(UserError, match="A source can't be called 'validation'"):
        curated(tmp_path / "run", str(tmp_path / "validation"), held_out=HELD_OUT)
    curated(tmp_path / "run", str(tmp_path / "validation"))


def test_a_recipe_without_tokens_has_documents_and_no_shards(pages: Path, tmp_path: Path) -> None:
    from curation.pipeline.curate import curate

    told = {"recipe": "r", "dedup": {"exact": True}, "tokenize": None}
    curate(parse_recipe(told, "r"), str(pages / "b"), str(tmp_path / "run"), engine=Here())
    assert shards(tmp_path / "run") == [] and verify(str(tmp_path / "run")) == []
    assert not (tmp_path / "run" / "shards").exists()
    assert len(pq.read_table(tmp_path / "run/documents/b/00000.parquet", schema=finish.DOCUMENTS)) == 30
