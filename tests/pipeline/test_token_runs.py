"""Any Arrow batches of documents become a sorted run, and the run a shard, without a pass or an engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from connectors import storage
from connectors.megatron import ShardReader, ShardWriter
from curation.pipeline.segments import Segment
from curation.pipeline.shard_plan import Stretch, by_keys, by_units, placings, plan_shards
from curation.pipeline.shards import MakeShard
from curation.pipeline.token_runs import TokenRun, with_ends
from curation.recipes.tokenize import Tokenize
from curation.run.folder import RunFolder
from curation.run.receipt import Receipt
from curation.tokenize.document_keys import KEYS, ORDER, document_keys, ids_of
from curation.tokenize.tokenizer import Lengths, Tokens

END = 7


class Numbers:
    """A tokenizer of texts that are numbers."""

    name, end_of_document, digest = "numbers", END, "0" * 64

    def __init__(self, vocabulary_size: int) -> None:
        self.vocabulary_size = vocabulary_size

    def encode_batch(self, strings: Sequence[str]) -> tuple[Tokens, Lengths]:
        ids = [[int(word) for word in string.split()] for string in strings]
        return np.array([i for each in ids for i in each], np.int32), np.array([len(each) for each in ids], np.int64)


def documents(count: int, largest: int) -> list[list[int]]:
    draw = np.random.default_rng(1)
    return [draw.integers(0, largest, draw.integers(0, 9)).tolist() for _ in range(count)]


@pytest.mark.parametrize(("vocabulary", "dtype"), [(50_257, "uint16"), (70_000, "int32")])
def test_batches_become_a_shard(tmp_path: Path, vocabulary: int, dtype: str) -> None:
    run, given = RunFolder(str(tmp_path / "run")), documents(40, vocabulary)
    ids = pa.array([n.to_bytes(16, "big") for n in range(40)], pa.binary(16))
    texts = pa.array([" ".join(map(str, each)) for each in given], pa.string())
    batch = pa.RecordBatch.from_pydict(
        {"doc_id": ids, "row": pa.array(range(40), pa.uint32()), "url": pa.array([""] * 40), "text": texts}
    )
    settings = Tokenize(seed=3)
    with TokenRun(run, "web/00000", Numbers(vocabulary), settings) as tokens:
        lengths = [tokens.add(batch.slice(first, 15), split=0) for first in (0, 15, 30)]
        facts = {**tokens.finish(), "splits": ["web/a"], "documents": tokens.documents, "tokens": tokens.tokens}
    assert np.concatenate(lengths).tolist() == [len(each) + 1 for each in given]
    receipt = Receipt("web/00000", "plan", "web", 40, 0, {}, tokens.written, facts, {})
    storage.write_bytes(run.uri(run.receipt("finish", "web/00000")), receipt.to_json())
    (shard,) = plan_shards([receipt], settings)
    made = MakeShard(run, "plan")(shard)
    order = np.argsort(document_keys(ids_of(ids), 3, ORDER))
    reader = ShardReader(tmp_path / "run" / "shards" / "web" / "00000")
    assert [reader.document(n).tolist() for n in range(40)] == [[*given[at], END] for at in order]
    assert reader.dtype.name == dtype == made.facts["dtype"] and made.facts["documents"] == 40
    with ShardWriter(tmp_path / "bin", tmp_path / "idx", reader.dtype) as writer:
        for at in order:
            writer.add_documents(np.array([*given[at], END]), np.array([len(given[at]) + 1]))
        writer.finish()
    for suffix in ("bin", "idx"):
        assert (tmp_path / suffix).read_bytes() == Path(f"{reader.bin_path.with_suffix('')}.{suffix}").read_bytes()
    assert not [path for path in (tmp_path / "run").rglob("*") if path.name.endswith(storage.PARTIAL)]


def test_a_token_that_does_not_fit_is_refused() -> None:
    ids, lengths = np.array([1, 2, 65_535], np.int32), np.array([3, 1, 2])
    assert with_ends(ids, lengths, 9, "<u2").tolist() == [1, 2, 9, 9, 65_535, 9]
    with pytest.raises(ValueError, match="do not fit uint16"):
        with_ends(np.array([65_536], np.int32), np.array([2]), 9, "<u2")


def stretches(*tokens: int) -> list[Stretch]:
    return [Stretch(f"w/{n:05d}", 0, 1, count) for n, count in enumerate(tokens)]


def test_whole_units_go_into_a_shard_until_it_is_full() -> None:
    made = list(by_units("w", Segment("train"), stretches(40, 60, 1, 200, 10, 10), 100))
    assert [[stretch.tokens for stretch in shard.stretches] for shard in made] == [[40, 60], [1], [200], [10, 10]]
    assert [shard.name for shard in made] == [f"w/{n:05d}" for n in range(4)]
    where = placings(made)
    assert [(placing.folder, placing.first, placing.shards, placing.stretch) for placing in where["w/00001"]] == [
        ("w", 0, 1, 1)
    ]


def test_ranges_of_keys_leave_nothing_out() -> None:
    made = list(by_keys("w", Segment("test"), stretches(300, 1), 100))
    assert [(shard.low, shard.high) for shard in made] == [
        (-(-n * KEYS // 4), -(-(n + 1) * KEYS // 4)) for n in range(4)
    ]
    assert made[0].low == 0 and made[-1].high == KEYS and made[2].name == "test/w/00002"
    ((placing,),) = (placings(made)[unit] for unit in ("w/00001",))
    assert (placing.folder, placing.first, placing.shards, placing.stretch) == ("test/w", 0, 4, 1)
