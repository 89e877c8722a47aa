"""Best fit by counts and its inverse, against best fit one document after another; packed rows against the tokens of shards."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import UserError
from tests.trainer.data.test_erased import erase
from tests.trainer.data.test_source import SHARDS, write
from trainer.data.batch import step_batches
from trainer.data.erased import first_step, only_erased
from trainer.data.packed_source import PackedSource
from trainer.data.packing import Packing
from trainer.data.plan import DataPlan, difference
from trainer.data.trace import documents_of_step, steps_of_document
from trainer.load_config import load_training
from trainer.prove.obvious_plan import obvious_packing
from trainer.prove.order import compare
from trainer.prove.toy_run import STEPS, toy_training

END = 10**6  # no token of the made-up shards


def packing_of(shards: list[list[int]], size: int) -> Packing:
    return Packing(lambda: (np.array(lengths, dtype=np.int64) for lengths in shards), size)


def contents(packing: Packing) -> list[list[tuple[int, int, int]]]:
    """The sequences as lists of (document, first token, tokens)."""
    parts = [packing.parts(sequence) for sequence in range(packing.sequences)]
    return [list(zip(one.document.tolist(), one.first.tolist(), one.tokens.tolist())) for one in parts]


@settings(deadline=None, max_examples=200)
@given(shards=st.lists(st.lists(st.integers(0, 45), max_size=25), max_size=4), size=st.integers(1, 20))
def test_it_is_best_fit_decreasing(shards: list[list[int]], size: int) -> None:
    """Oracle: `obvious_packing`, which puts one document after another into the bin that it finds by looking at all of them."""
    lengths = [length for shard in shards for length in shard]
    packing, obvious = packing_of(shards, size), obvious_packing(lengths, size)
    assert [sorted(row) for row in contents(packing)] == [sorted(row) for row in obvious]
    for document, length in enumerate(lengths):
        held = [number for number, row in enumerate(obvious) for owner, *_ in row if owner == document]
        assert packing.sequences_of(document, length).tolist() == held
        assert len(held) <= 1 or length > size, "a document that fits a sequence is in one"
    fill = packing.fill
    assert (fill.sequences, fill.documents, fill.tokens) == (len(obvious), len(lengths), sum(lengths))
    assert fill.padding == len(obvious) * size - sum(lengths)
    assert fill.cut == sum(length > size for length in lengths)


def test_how_shards_are_divided_changes_nothing() -> None:
    lengths = np.random.default_rng(1).integers(0, 90, 3000)
    whole = contents(packing_of([lengths.tolist()], 64))
    for parts in (2, 7):
        assert contents(packing_of([part.tolist() for part in np.array_split(lengths, parts)], 64)) == whole


@pytest.mark.parametrize("size", [2048, 100_000])  # above 65,536 lengths do not fit two bytes
def test_documents_of_any_length_leave_little_room(size: int) -> None:
    lengths = np.random.default_rng(1).lognormal(6, 1, 200_000).astype(np.int64)
    packing = packing_of([lengths.tolist()], size)
    assert packing.fill.padding < packing.fill.tokens / 1000
    rows = [packing.parts(sequence) for sequence in range(packing.whole, packing.sequences, 97)]
    assert all(row.tokens.sum() <= size and (row.first % size == 0).all() for row in rows)


@settings(deadline=None, max_examples=30)
@given(shards=SHARDS, data=st.data())
def test_an_epoch_has_every_token_once_behind_the_one_before_it(shards: list[list[int]], data: st.DataObject) -> None:
    """Tokens of the shards count up, so the label of a token that begins no document is its input and one."""
    lengths = [length for shard in shards for length in shard]
    firsts, total = {sum(lengths[:n]) for n, length in enumerate(lengths) if length}, sum(lengths)
    size = data.draw(st.integers(1, 30))
    with tempfile.TemporaryDirectory() as folder:
        source = PackedSource("s", write(Path(folder), shards), size, seed=3, end_of_document=END)
        for epoch in range(2):
            found: list[int] = []
            held: dict[int, int] = {}
            chunks = source.locate(range(epoch * source.chunks, (epoch + 1) * source.chunks))
            for draw, start in enumerate(chunks.start.tolist(), epoch * source.chunks):
                inputs, labels = np.empty(size, np.int64), np.empty(size, np.int64)
                pieces = source.pieces(start)
                source.read_row(pieces, inputs, labels)
                real = int(pieces.tokens[pieces.document >= 0].sum())
                assert (labels[real:] == END).all() and (labels[:real] < total).all()
                for label, before in zip(labels[:real].tolist(), inputs[:real].tolist()):
                    assert before == (END if label in firsts else label - 1)
                goes_on = (~pieces.begins[pieces.document >= 0]).tolist()
                assert goes_on == sorted(goes_on, reverse=True), "what goes on from another row stands first"
                found += labels[:real].tolist()
                for token in {*inputs.tolist(), *labels.tolist()} - {END}:
                    held.setdefault(token, draw)
            assert sorted(found) == list(range(total))
            for token, draw in held.items():
                assert source.first_draw(epoch, token, token + 1) == draw
            assert source.first_draw(epoch, 0, total) == epoch * source.chunks


@pytest.mark.parametrize("documents", ["continuous", "isolated"])
def test_batches_traces_and_resumes_are_those_of_the_obvious_plan(toy: Path, documents: str) -> None:
    rows = list(compare(toy_training(documents, packing="best_fit"), toy))
    assert [row for row in rows if row.differences or not row.compared] == [] and len(rows) == 6


def test_a_step_trains_on_whole_documents(toy: Path) -> None:
    """Documents of at most 16 tokens have all of their labels in one row of a step; both directions tell of the same rows."""
    plan = DataPlan(toy_training("continuous", packing="best_fit"), toy)
    parts = [part for step in range(STEPS) for part in documents_of_step(plan, step)]
    assert all(part.document >= 0 and part.trained == part.tokens for part in parts)
    seen = 0
    for number, source in enumerate(plan.sources):
        for document in range(source.documents):
            first, stop = source.token_range(document)
            own = [part for part in parts if (part.source, part.document) == (source.name, document)]
            if stop - first <= 16:
                assert {part.tokens for part in own} <= {stop - first}
                seen += len(own)
            told = steps_of_document(plan, number, document)
            assert [(one.step, one.sample, one.first) for one in told] == [
                (part.step, part.sample, part.first) for part in own
            ]
    assert seen > 400


def test_padding_is_not_trained_on_and_not_seen(toy: Path) -> None:
    plan = DataPlan(toy_training("isolated", packing="best_fit"), toy)
    padded = 0
    for step in range(STEPS):
        for batch in step_batches(plan, step).batches:
            behind = batch.spans["document"][batch.segments_BS] < 0
            assert not batch.weights_BS[behind].any() and not batch.labels_BS[behind].any()
            for span in batch.spans[batch.spans["document"] < 0]:
                assert batch.positions_BS[span["row"], span["first"]] == 0  # attention begins anew there
            padded += int(behind.sum())
    assert padded > 0
    fills = plan.fills()
    assert fills["b/c"].cut == 1 and sum(fill.tokens for fill in fills.values()) == sum(s.tokens for s in plan.sources)
    assert DataPlan(toy_training("isolated"), toy).fills() == {}


def test_erased_documents_keep_their_places(toy: Path, tmp_path: Path) -> None:
    """Every row is the row of the run before; what was erased has weight 0, and the first step that held it is found."""
    run = Path(shutil.copytree(toy, tmp_path / "run"))
    places = erase(run, {"a/00000": [0, 7, 8], "b/c/00000": [3, 77], "b/c/00002": [0]})
    gone = {(shard, token) for shard, first, tokens in places for token in range(first, first + tokens)}
    training = toy_training("isolated", packing="best_fit")
    before, after = DataPlan(training, toy), DataPlan(training, run)
    assert only_erased(json.loads(json.dumps(before.description())), after)
    first: dict[tuple[str, int], int] = {}
    for step in range(STEPS):
        trained = 0
        for one, other in zip(step_batches(before, step).batches, step_batches(after, step).batches):
            for span in one.spans[one.spans["document"] >= 0]:
                source, row = before.sources[span["source"]], span["row"]
                shard, number = source.shard_of(int(span["document"]))
                start, stop = source.token_range(int(span["document"]))
                base = source.stream_position(shard, 0)
                labels = slice(span["first"], span["first"] + span["tokens"])
                pieces = source.pieces(int(before.sample(int(span["sample"])).start[0]))
                at = int(pieces.position[pieces.first == span["first"]][0])
                lost = np.array([(shard, place - base) in gone for place in range(at, at + int(span["tokens"]))])
                assert (other.weights_BS[row, labels] == np.where(lost, 0, one.weights_BS[row, labels])).all()
                for place in range(at - (at > start), at + int(span["tokens"])):
                    first.setdefault((shard, place - base), step)
            assert (one.positions_BS == other.positions_BS).all() and (one.spans == other.spans).all()
            trained += int(other.weights_BS.sum())
        assert trained == after.trained_tokens(step) == sum(part.trained for part in documents_of_step(after, step))
    for place, start, tokens in places:
        held = [first[place, token] for token in range(start, start + tokens) if (place, token) in first]
        assert first_step(after, [(place, start, tokens)]) == min(held, default=None)


def test_packing_is_part_of_the_plan(toy: Path) -> None:
    cut, packed = (DataPlan(toy_training("isolated", packing=kind), toy) for kind in ("concat", "best_fit"))
    assert difference(cut.description(), packed.description()) == "packing was concat and is best_fit"
    assert packed.digest() == "97732daf2c8134dbe65c709a245821029f547f1a18d54c95d050a40cd72fc1f1"  # may never change
    again = DataPlan(toy_training("isolated", packing="best_fit"), toy)
    for step in (0, 39):
        for one, other in zip(step_batches(packed, step).batches, step_batches(again, step).batches):
            assert (one.labels_BS == other.labels_BS).all()


def test_epochs_are_the_same_sequences_in_another_order(toy: Path) -> None:
    source = DataPlan(toy_training("isolated", packing="best_fit"), toy).sources[0]
    orders = [source.locate(range(e * source.chunks, (e + 1) * source.chunks)).chunk.tolist() for e in range(4)]
    assert len({tuple(order) for order in orders}) == 4
    assert [sorted(order) for order in orders] == [list(range(source.chunks))] * 4


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = [
        ("data.packing=bestfit", "data.packing: input should be 'concat' or 'best_fit', not 'bestfit'"),
        ("data.packings=best_fit", "unknown key 'packings' in data. Did you mean 'packing'?"),
    ]
    for change, words in told:
        with pytest.raises(UserError) as caught:
            load_training(None, [change])
        assert words in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(UserError, match="Source 's' has no tokens: leave it out of data.stages"):
        PackedSource("s", write(tmp_path, [[0, 0]]), 8, seed=1, end_of_document=0)
    short: Any = PackedSource("t", write(tmp_path, [[3]]), 8, seed=1, end_of_document=END)
    assert short.chunks == 1 and Counter(short.pieces(0).document.tolist()) == {0: 1, -1: 1}
