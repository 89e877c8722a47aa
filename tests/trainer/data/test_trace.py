"""From a step to its documents and from a document to its steps, against a search through every label of the run."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from connectors.megatron import ShardReader
from trainer.data.plan import DataPlan
from trainer.data.trace import documents_of_step, steps_of_document
from trainer.prove.obvious_plan import ObviousPlan
from trainer.prove.toy_run import STEPS, toy_training

Found = dict[tuple[str, int], list[tuple[int, int, int, int]]]  # (step, sample, label, trained labels) of each document


def search(obvious: ObviousPlan) -> Found:
    """All places of all documents with a trained label, by looking at each label of the run."""
    found: Found = defaultdict(list)
    for step in range(STEPS):
        for row in obvious.step(step):
            for document in sorted(set(row["documents"])):
                at = [place for place, owner in enumerate(row["documents"]) if owner == document]
                trained = int(sum(row["weights"][place] for place in at))
                if trained:
                    found[row["source"], document].append((step, row["sample"], at[0], trained))
    return found


@pytest.mark.parametrize("documents", ["continuous", "isolated"])
def test_document_to_steps(toy: Path, documents: str) -> None:
    plan, obvious = DataPlan(toy_training(documents), toy), ObviousPlan(toy_training(documents), toy)
    found = search(obvious)
    for number, name in enumerate(plan.source_names):
        for document in range(plan.sources[number].documents):
            seen = steps_of_document(plan, number, document)
            assert [(one.step, one.sample, one.first, one.trained) for one in seen] == found[name, document]
            for one in seen:
                assert one.epoch == plan.sample(one.sample).epoch[0]
                assert one.tokens - one.trained in ((0, 1) if plan.isolated else (0,))
            before = steps_of_document(plan, number, document, stop=20)
            assert before == [one for one in seen if one.step < 20]


def test_the_run_has_several_epochs_to_find(toy: Path) -> None:
    plan = DataPlan(toy_training("isolated"), toy)
    assert {one.epoch for one in steps_of_document(plan, 0, 5)} == set(range(7))


@pytest.mark.parametrize("documents", ["continuous", "isolated"])
def test_step_to_documents(toy: Path, documents: str) -> None:
    plan, obvious = DataPlan(toy_training(documents), toy), ObviousPlan(toy_training(documents), toy)
    for step in (0, 16, 17, 39):
        parts = list(documents_of_step(plan, step))
        rows = {row["sample"]: row for row in obvious.step(step)}
        assert {part.step for part in parts} == {step} and list(dict.fromkeys(part.sample for part in parts)) == list(
            rows
        )
        for part in parts:
            row = rows[part.sample]
            assert part.source == row["source"]
            assert row["documents"][part.first : part.first + part.tokens] == [part.document] * part.tokens
            assert part.trained == sum(row["weights"][part.first : part.first + part.tokens])
            text = ShardReader(toy / "shards" / part.shard).document(part.index).tolist()
            labels = row["labels"][part.first : part.first + part.tokens]
            assert any(text[at : at + part.tokens] == labels for at in range(len(text) - part.tokens + 1))
        assert sum(part.tokens for part in parts) == 24 * 16
        assert sum(part.trained for part in parts) == plan.trained_tokens(step)


@pytest.mark.parametrize("documents", ["continuous", "isolated"])
def test_both_directions_agree(toy: Path, documents: str) -> None:
    plan = DataPlan(toy_training(documents), toy)
    parts = [part for step in range(STEPS) for part in documents_of_step(plan, step) if part.trained]
    forward = {(part.source, part.document, part.sample, part.first, part.trained) for part in parts}
    backward = {
        (name, document, one.sample, one.first, one.trained)
        for number, name in enumerate(plan.source_names)
        for document in range(plan.sources[number].documents)
        for one in steps_of_document(plan, number, document)
    }
    assert forward == backward and len(forward) == len(parts)
