"""A source's stream, its chunks and its documents, against lists of tokens."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import UserError
from connectors.megatron import ShardReader, ShardWriter
from trainer.data.source import Source


def write(folder: Path, shards: list[list[int]]) -> list[tuple[str, ShardReader]]:
    """Shards with documents of these lengths; the tokens count up over all of them."""
    readers, first = [], 0
    for number, lengths in enumerate(shards):
        name = f"s/{number:05}"
        (folder / "s").mkdir(exist_ok=True)
        with ShardWriter(folder / f"{name}.bin", folder / f"{name}.idx", "<i4") as shard:
            shard.add_documents(np.arange(first, first + sum(lengths)), np.array(lengths, dtype=np.int64))
            shard.finish()
        first += sum(lengths)
        readers.append((name, ShardReader(folder / name)))
    return readers


SHARDS = st.lists(st.lists(st.integers(0, 12), max_size=12), min_size=1, max_size=5).filter(
    lambda shards: sum(map(sum, shards)) >= 2
)


@settings(deadline=None, max_examples=80)
@given(shards=SHARDS, data=st.data())
def test_stream_and_documents(shards: list[list[int]], data: st.DataObject) -> None:
    lengths = [length for shard in shards for length in shard]
    owner = [document for document, length in enumerate(lengths) for _ in range(length)]
    size = data.draw(st.integers(1, len(owner) // 2))
    with tempfile.TemporaryDirectory() as folder:
        source = Source("s", write(Path(folder), shards), size, seed=1)
        assert (source.tokens, source.documents) == (len(owner), len(lengths))
        start = data.draw(st.integers(0, len(owner) - size - 1))
        tokens = np.empty(size + 1, dtype=np.int64)
        source.read(start, tokens)
        assert tokens.tolist() == list(range(start, start + size + 1))
        documents, begins = source.labels(start)
        labels = owner[start + 1 : start + 1 + size]
        assert documents.tolist() == sorted(set(labels))
        assert begins.tolist() == [owner.index(document) - start - 1 for document in documents]
        for document, length in enumerate(lengths):
            first, stop = source.token_range(document)
            assert (first, stop) == (sum(lengths[:document]), sum(lengths[: document + 1]))
            shard, index = source.shard_of(document)
            assert shards[int(shard[2:])][index] == length
            assert document - index == sum(map(len, shards[: int(shard[2:])]))
            if length:
                begin = first - sum(sum(one) for one in shards[: int(shard[2:])])
                assert source.document_at(shard, begin) == source.document_at(shard, begin + length - 1) == document


@settings(deadline=None, max_examples=40)
@given(shards=SHARDS, data=st.data())
def test_an_epoch_has_every_label_at_most_once(shards: list[list[int]], data: st.DataObject) -> None:
    total = sum(map(sum, shards))
    size = data.draw(st.integers(1, total // 2))
    with tempfile.TemporaryDirectory() as folder:
        source = Source("s", write(Path(folder), shards), size, seed=data.draw(st.integers(0, 5)))
        for epoch in range(4):
            first = epoch * source.chunks
            chunks = source.locate(range(first, first + source.chunks))
            assert (chunks.epoch == epoch).all()
            labels = sorted(start + 1 + at for start in chunks.start.tolist() for at in range(size))
            assert labels == list(range(source.offset(epoch) + 1, source.offset(epoch) + 1 + source.chunks * size))
            assert labels[-1] < total and total - len(labels) < 2 * size + 1


def test_epochs_are_cut_and_ordered_anew(tmp_path: Path) -> None:
    shards = write(tmp_path, [[50] * 40, [30] * 10])
    source = Source("s", shards, 16, seed=1)
    epochs = [source.locate(range(epoch * source.chunks, (epoch + 1) * source.chunks)) for epoch in range(6)]
    assert len({int(one.start.min()) for one in epochs}) > 3
    assert len({tuple(one.chunk.tolist()) for one in epochs}) == 6
    for other in (Source("s", shards, 16, seed=2), Source("t", shards, 16, seed=1)):
        assert other.locate(range(20)).chunk.tolist() != source.locate(range(20)).chunk.tolist()


def test_locate_takes_draws_of_several_epochs_in_any_order(tmp_path: Path) -> None:
    source = Source("s", write(tmp_path, [[7] * 30]), 8, seed=1)
    draws = [90, 3, 41, 0, 3, 24, 25]
    together = source.locate(draws)
    for place, draw in enumerate(draws):
        alone = source.locate([draw])
        assert (together.epoch[place], together.chunk[place], together.start[place]) == (
            alone.epoch[0],
            alone.chunk[0],
            alone.start[0],
        )


@settings(deadline=None, max_examples=40)
@given(shards=SHARDS, data=st.data())
def test_sightings_are_what_a_search_finds(shards: list[list[int]], data: st.DataObject) -> None:
    lengths = [length for shard in shards for length in shard]
    owner = [document for document, length in enumerate(lengths) for _ in range(length)]
    size = data.draw(st.integers(1, len(owner) // 2))
    with tempfile.TemporaryDirectory() as folder:
        source = Source("s", write(Path(folder), shards), size, seed=3)
        for epoch in range(2):
            draws = range(epoch * source.chunks, (epoch + 1) * source.chunks)
            rows = {
                draw: owner[start + 1 : start + 1 + size]
                for draw, start in zip(draws, source.locate(draws).start.tolist())
            }
            starts = dict(zip(draws, source.locate(draws).start.tolist()))
            for document in range(len(lengths)):
                found = [
                    (one.draw, one.epoch, one.first, one.tokens, one.has_start)
                    for one in source.sightings(document, epoch)
                ]
                assert found == [
                    (draw, epoch, row.index(document), row.count(document), owner.index(document) > starts[draw])
                    for draw, row in rows.items()
                    if document in row
                ]


def test_documents_of_several_sequences(tmp_path: Path) -> None:
    """Shards of other writers may hold several sequences a document: here two, in documents 0 and 2."""
    shard = write(tmp_path, [[4, 3, 5, 2, 6]])[0][1]
    shard._first_sequence = np.array([0, 2, 3, 5])
    source = Source("s", [("s/00000", shard)], 4, seed=1)
    assert source.documents == 3
    assert [source.token_range(document) for document in range(3)] == [(0, 7), (7, 12), (12, 20)]
    assert source.labels(5)[0].tolist() == [0, 1] and source.labels(5)[1].tolist() == [-6, 1]
    assert source.document_at("s/00000", 19) == 2


def test_a_source_too_short_for_a_sequence(tmp_path: Path) -> None:
    shards = write(tmp_path, [[10, 9]])
    with pytest.raises(UserError, match="Source 's' has 19 tokens, too few for data.sequence_length 10"):
        Source("s", shards, 10, seed=1)
    assert Source("s", shards, 9, seed=1).chunks == 1
    with pytest.raises(IndexError):
        Source("s", shards, 9, seed=1).token_range(2)
