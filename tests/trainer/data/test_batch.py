"""Micro-batches: tokens, weights, positions, segments and spans of every row, against a loop over tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from connectors.megatron import ShardWriter
from trainer.config import Training
from trainer.data.batch import all_batches, micro_batch, step_batches
from trainer.data.micro_batch import SPANS
from trainer.data.plan import DataPlan
from trainer.prove.obvious_plan import ObviousPlan
from trainer.prove.toy_run import STEPS, toy_training


@pytest.mark.parametrize("documents", ["continuous", "isolated"])
def test_rows_are_the_obvious_ones(toy: Path, documents: str) -> None:
    plan, obvious = DataPlan(toy_training(documents), toy), ObviousPlan(toy_training(documents), toy)
    for step in range(STEPS):
        expected = obvious.step(step)
        for batch, first in zip(step_batches(plan, step).batches, range(0, 24, 4)):
            assert batch.isolated == (documents == "isolated")
            for row, obviously in enumerate(expected[first : first + 4]):
                assert batch.tokens_BS[row].tolist() == obviously["tokens"][:-1]
                assert batch.labels_BS[row].tolist() == obviously["tokens"][1:]
                assert batch.weights_BS[row].tolist() == obviously["weights"]
                assert batch.positions_BS[row].tolist() == obviously["positions"]


@pytest.mark.parametrize("documents", ["continuous", "isolated"])
def test_spans_own_the_labels(toy: Path, documents: str) -> None:
    plan, obvious = DataPlan(toy_training(documents), toy), ObviousPlan(toy_training(documents), toy)
    for step in (0, 17, 39):
        for batch, first in zip(step_batches(plan, step).batches, range(0, 24, 4)):
            covered = np.full((4, 16), -1)
            for number, (sample, row, source, document, start, tokens) in enumerate(batch.spans.tolist()):
                expected = obvious.step(step)[first + row]
                assert (sample, plan.source_names[source]) == (expected["sample"], expected["source"])
                assert tokens > 0 and set(expected["documents"][start : start + tokens]) == {document}
                assert (covered[row, start : start + tokens] == -1).all()
                covered[row, start : start + tokens] = number
            assert (covered == batch.segments_BS).all()
            owners = batch.spans["document"][batch.segments_BS]
            assert owners.tolist() == [row["documents"] for row in obvious.step(step)[first : first + 4]]


def test_types_and_shapes(toy: Path) -> None:
    (batch, *others) = step_batches(DataPlan(toy_training("isolated"), toy), 3).batches
    assert len(others) == 5 and batch.spans.dtype == SPANS
    types = {"tokens": np.int64, "labels": np.int64, "weights": np.float32, "positions": np.int64, "segments": np.int32}
    for name, kind in types.items():
        array: npt.NDArray[Any] = getattr(batch, f"{name}_BS")
        assert (array.shape, array.dtype, array.flags.c_contiguous, array.flags.writeable) == (
            (4, 16),
            kind,
            True,
            True,
        )


def one_row(folder: Path, lengths: list[int], tokens: list[int], documents: str, start: int) -> Any:
    """The row of 8 labels that begins at a position of one shard."""
    (folder / "shards" / "s").mkdir(parents=True)
    prefix = folder / "shards" / "s" / "00000"
    with ShardWriter(f"{prefix}.bin", f"{prefix}.idx", "<u2") as shard:
        shard.add_documents(np.array(tokens), np.array(lengths))
        shard.finish()
    row = {"shard": "s/00000", "documents": len(lengths), "tokens": len(tokens), "dtype": "uint16"}
    row |= {"vocabulary_size": 512, "end_of_document": 0, "tokenizer_sha256": ""}
    files = {f"shards/s/00000.{suffix}": {"sha256": suffix} for suffix in ("bin", "idx")}
    (folder / "manifest.json").write_text(json.dumps({"status": "complete", "shards": [row], "files": files}))
    training = Training.model_validate({"data": {"sequence_length": 8, "documents": documents}})
    plan = DataPlan(training, folder)
    samples = plan.samples(range(100))
    (at, *_) = np.flatnonzero(samples.start == start)
    return micro_batch(plan, samples.take(np.array([at])))


LENGTHS, TOKENS = [4, 1, 0, 3, 20], [5, 6, 7, 0, 0, 8, 9, 0, *range(100, 120)]


def test_isolated_documents_by_hand(tmp_path: Path) -> None:
    """Labels at positions 1 to 8: document 0 goes on, then 1 (one token), 3, and 4 begin; 2 has no tokens."""
    batch = one_row(tmp_path, LENGTHS, TOKENS, "isolated", 0)
    assert batch.tokens_BS.tolist() == [[5, 6, 7, 0, 0, 8, 9, 0]]
    assert batch.labels_BS.tolist() == [[6, 7, 0, 0, 8, 9, 0, 100]]
    assert batch.weights_BS.tolist() == [[1, 1, 1, 0, 0, 1, 1, 0]]
    assert batch.positions_BS.tolist() == [[0, 1, 2, 3, 0, 0, 1, 2]]
    assert batch.segments_BS.tolist() == [[0, 0, 0, 1, 2, 2, 2, 3]]
    assert batch.spans[["document", "first", "tokens"]].tolist() == [(0, 0, 3), (1, 3, 1), (3, 4, 3), (4, 7, 1)]


def test_a_row_whose_first_input_is_a_documents_last_token(tmp_path: Path) -> None:
    """The input at position 0 belongs to no span of the row; label 0 begins a document and is not trained."""
    batch = one_row(tmp_path, LENGTHS, TOKENS, "isolated", 7)
    assert batch.tokens_BS.tolist() == [[0, 100, 101, 102, 103, 104, 105, 106]]
    assert batch.weights_BS.tolist() == [[0, 1, 1, 1, 1, 1, 1, 1]]
    assert batch.positions_BS.tolist() == [[0, 0, 1, 2, 3, 4, 5, 6]]
    assert batch.spans[["document", "first", "tokens"]].tolist() == [(4, 0, 8)]


def test_continuous_documents_by_hand(tmp_path: Path) -> None:
    batch = one_row(tmp_path, LENGTHS, TOKENS, "continuous", 0)
    assert batch.weights_BS.tolist() == [[1] * 8]
    assert batch.positions_BS.tolist() == [list(range(8))]
    assert batch.segments_BS.tolist() == [[0, 0, 0, 1, 2, 2, 2, 3]]


def test_weights_do_not_come_from_token_values(tmp_path: Path) -> None:
    """Tokens that are all end-of-document change nothing."""
    first = one_row(tmp_path / "one", LENGTHS, TOKENS, "isolated", 0)
    second = one_row(tmp_path / "two", LENGTHS, [0] * len(TOKENS), "isolated", 0)
    for field in ("weights_BS", "positions_BS", "segments_BS", "spans"):
        assert getattr(first, field).tolist() == getattr(second, field).tolist()


@pytest.mark.parametrize("documents", ["continuous", "isolated"])
@pytest.mark.parametrize("data_size", [1, 2, 3, 6])
def test_ranks_together_are_the_step(toy: Path, documents: str, data_size: int) -> None:
    plan = DataPlan(toy_training(documents), toy)
    for step in (2, 20):
        ranks = [step_batches(plan, step, rank, data_size) for rank in range(data_size)]
        batches = [batch for rank in ranks for batch in rank.batches]
        rows = {int(span["sample"]): batch.tokens_BS[span["row"]].tolist() for batch in batches for span in batch.spans}
        alone = step_batches(plan, step).batches
        assert rows == {int(s["sample"]): batch.tokens_BS[s["row"]].tolist() for batch in alone for s in batch.spans}
        assert sorted(rows) == plan.numbers(step).tolist()
        weights = sum(float(batch.weights_BS.sum()) for batch in batches)
        assert {rank.trained_tokens for rank in ranks} == {int(weights)} == {plan.trained_tokens(step)}


def test_all_batches_go_from_step_to_step(toy: Path) -> None:
    plan = DataPlan(toy_training("isolated"), toy)
    assert [one.step for one in all_batches(plan, 5, 9)] == [5, 6, 7, 8]
    (step,) = all_batches(plan, 5, 6, 1, 2)
    assert step.batches[0].tokens_BS.tolist() == step_batches(plan, 5, 1, 2).batches[0].tokens_BS.tolist()
