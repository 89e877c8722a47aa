"""Erased spans in a training's data: weight 0 in their places, every other sample as it was; and which steps held them."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.erased_spans import of_lengths, table_of
from connectors.errors import UserError
from connectors.megatron import ShardReader
from trainer.data.batch import micro_batch, step_batches
from trainer.data.erased import checkpoints, first_step, only_erased, same_places
from trainer.data.plan import DataPlan
from trainer.data.trace import documents_of_step, steps_of_document
from trainer.prove.toy_run import STEPS, toy_training

Places = list[tuple[str, int, int]]
STEPS_LOOKED_AT = (0, 3, 16, 17, 18, 39)


def erase(run: Path, documents: dict[str, list[int]]) -> Places:
    """Erases documents of shards by hand: tokens, spans, manifest."""
    manifest = json.loads((run / "manifest.json").read_text())
    places: Places = []
    row: dict[str, Any] = {"erasure": "00001", "kind": "erasure", "files": {}, "shards": {}}
    for shard, numbers in documents.items():
        reader = ShardReader(run / "shards" / shard)
        first, tokens = reader.starts[numbers], reader.lengths[numbers]
        spans = of_lengths(first, tokens)
        content = np.fromfile(run / "shards" / f"{shard}.bin", reader.dtype)
        for start, stop in zip(spans.first, spans.stop):
            content[start:stop] = 0
        content.tofile(run / "shards" / f"{shard}.bin")
        pq.write_table(pa.Table.from_batches([table_of(spans)]), run / "shards" / f"{shard}.erased.parquet")
        before = manifest["files"][f"shards/{shard}.bin"]["sha256"]
        manifest["files"][f"shards/{shard}.bin"]["sha256"] = f"erased {before}"
        manifest["files"][f"shards/{shard}.erased.parquet"] = {"bytes": 1, "sha256": "spans"}
        row["shards"][shard] = [before, f"erased {before}"]
        places += zip([shard] * len(numbers), first.tolist(), tokens.tolist())
    manifest["erasures"] = [row]
    (run / "manifest.json").write_text(json.dumps(manifest))
    return places


@pytest.fixture(scope="module")
def erased(toy: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Places]:
    """The toy run with a third of its documents erased: first ones, long ones, neighbours, one without tokens."""
    run = tmp_path_factory.mktemp("erased") / "run"
    shutil.copytree(toy, run)
    draw = random.Random(1)
    documents = {}
    for shard in ("a/00000", "a/00002", "b/c/00000", "b/c/00002", "d/00000"):
        count = len(ShardReader(run / "shards" / shard))
        documents[shard] = sorted({0, *draw.sample(range(count), count // 3)})
    return run, erase(run, documents)


@pytest.mark.parametrize("documents", ["continuous", "isolated"])
def test_weights_are_zero_in_the_spans_and_all_else_is_as_it_was(
    toy: Path, erased: tuple[Path, Places], documents: str
) -> None:
    """Oracle: the plan of the run before, and for each label its place in its shard."""
    run, places = erased
    gone = {(shard, token) for shard, first, tokens in places for token in range(first, first + tokens)}
    before, after = DataPlan(toy_training(documents), toy), DataPlan(toy_training(documents), run)
    seen = 0
    for step in STEPS_LOOKED_AT:
        old, new = step_batches(before, step), step_batches(after, step)
        samples = before.samples(before.numbers(step))
        numbers = iter(zip(samples.source.tolist(), samples.start.tolist()))
        for one, other in zip(old.batches, new.batches):
            for row in range(len(one.tokens_BS)):
                number, start = next(numbers)
                source = before.sources[number]
                stream = [(s, t) for s, reader in zip(source.shards, source._readers) for t in range(reader.tokens)]
                inside = np.array([place in gone for place in stream[start : start + 17]])
                assert (other.weights_BS[row] == np.where(inside[1:], 0, one.weights_BS[row])).all()
                assert (other.tokens_BS[row] == np.where(inside[:-1], 0, one.tokens_BS[row])).all()
                assert (other.labels_BS[row] == np.where(inside[1:], 0, one.labels_BS[row])).all()
                seen += int(inside.sum())
            for name in ("positions_BS", "segments_BS", "spans"):
                assert (getattr(one, name) == getattr(other, name)).all(), name
        assert new.trained_tokens == sum(int(batch.weights_BS.sum()) for batch in new.batches)
        assert new.trained_tokens == after.trained_tokens(step) < old.trained_tokens
        assert step_batches(after, step, 1, 2).trained_tokens == new.trained_tokens
    assert seen > 500


@pytest.mark.parametrize("documents", ["continuous", "isolated"])
def test_traces_count_what_is_trained(erased: tuple[Path, Places], documents: str) -> None:
    plan = DataPlan(toy_training(documents), erased[0])
    counted: dict[tuple[str, int, int], int] = {}
    for step in range(STEPS):
        batch = micro_batch(plan, plan.samples(plan.numbers(step)))
        parts = list(documents_of_step(plan, step))
        assert sum(part.trained for part in parts) == plan.trained_tokens(step) == int(batch.weights_BS.sum())
        for part in parts:
            row = part.sample - plan.first_sample(step)
            assert part.trained == batch.weights_BS[row, part.first : part.first + part.tokens].sum()
            key = part.source, part.document, step
            counted[key] = counted.get(key, 0) + part.trained
    for number, source in enumerate(plan.sources):
        for document in range(0, source.documents, 3):
            found: dict[int, int] = {}
            for one in steps_of_document(plan, number, document):
                found[one.step] = found.get(one.step, 0) + one.trained
            assert found == {
                step: trained
                for (name, of, step), trained in counted.items()
                if (name, of) == (source.name, document) and trained
            }


def test_the_first_step_that_held_a_token(erased: tuple[Path, Places]) -> None:
    """Oracle: every token of every step, inputs and labels, looked up."""
    run, places = erased
    plan = DataPlan(toy_training("continuous"), run)
    first: dict[tuple[str, int], int] = {}
    for step in range(STEPS):
        samples = plan.samples(plan.numbers(step))
        for number, start in zip(samples.source.tolist(), samples.start.tolist()):
            source = plan.sources[number]
            for position in range(start, start + 17):
                shard = int(np.searchsorted(source._first_tokens, position, side="right")) - 1
                first.setdefault((source.shards[shard], position - source._first_tokens[shard]), step)
    for shard, token, tokens in places:
        steps = [first[shard, place] for place in range(token, token + tokens) if (shard, place) in first]
        assert first_step(plan, [(shard, token, tokens)]) == min(steps, default=None)
        for stop in (1, 18):
            before = [step for step in steps if step < stop]
            assert first_step(plan, [(shard, token, tokens)], stop) == min(before, default=None)
    alone = [first_step(plan, [place]) for place in places]
    assert first_step(plan, places) == min(step for step in alone if step is not None)
    assert first_step(plan, []) is None and first_step(plan, [("elsewhere/00000", 0, 5)]) is None


def test_a_training_goes_on_over_an_erasure_and_over_nothing_else(toy: Path, erased: tuple[Path, Places]) -> None:
    before, after = (DataPlan(toy_training("isolated"), run) for run in (toy, erased[0]))
    old = json.loads(json.dumps(before.description()))
    assert before.digest() != after.digest()
    assert only_erased(old, after) and same_places(old, after) and only_erased(after.description(), after)
    assert not only_erased(after.description(), before)  # what was erased does not come back
    for number, value in ((0, "a/00009"), (1, 7), (2, "another"), (3, "another")):
        changed = json.loads(json.dumps(old))
        changed["shards"][1][number] = value
        assert not only_erased(changed, after)
    assert not only_erased({**old, "seed": 4}, after) and not same_places({**old, "seed": 4}, after)
    assert not only_erased({**old, "shards": old["shards"][1:]}, after)


def test_compaction_ends_what_may_go_on(toy: Path, erased: tuple[Path, Places], tmp_path: Path) -> None:
    old = DataPlan(toy_training("isolated"), toy).description()
    run = tmp_path / "run"
    shutil.copytree(erased[0], run)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["erasures"].append({"kind": "compaction", "shards": {"a/00000": ["x", "y"]}, "files": {}})
    (run / "manifest.json").write_text(json.dumps(manifest))
    assert not only_erased(old, DataPlan(toy_training("isolated"), run))


def test_spans_that_are_gone_or_an_erasure_that_was_interrupted_stop_a_training(
    erased: tuple[Path, Places], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(erased[0], run)
    (run / "shards/a/00000.erased.parquet").unlink()
    with pytest.raises(UserError, match="is missing: it says which tokens of the shard were erased"):
        DataPlan(toy_training("isolated"), run)
    (run / "erasures").mkdir()
    (run / "erasures/journal.json").write_text("{}")
    with pytest.raises(UserError, match="was interrupted. Finish it first: run the same corpusmill erase again"):
        DataPlan(toy_training("isolated"), run)


def test_checkpoints_by_their_names(tmp_path: Path) -> None:
    for name in ("step-00000020", "step-00000005", ".step-00000030.partial", "step-x"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    assert [step for step, _ in checkpoints(tmp_path)] == [5, 20] and checkpoints(tmp_path / "none") == []
