"""Keys and how they travel: whoever shares a key meets in one partition, and each meeting ends in edges to the first.

Oracle for the clusters: datatrove 0.10.1, its four MinHash stages over 1,500 documents with altered copies.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.dedup.clusters import Clusters
from curation.dedup.keys import PERMUTATIONS, SIGNATURES, Keys, PackKeys, pack, star_edges, unpack
from curation.run.documents import DOC_ID, TEXT

Edges = list[tuple[int, int]]


def batch_of(texts: list[str]) -> pa.RecordBatch:
    ids = [number.to_bytes(16, "big") for number in range(len(texts))]
    return pa.RecordBatch.from_arrays([pa.array(ids, pa.binary(16)), pa.array(texts)], names=[DOC_ID, TEXT])


def document_keys(batch: pa.RecordBatch, near: bool) -> pa.RecordBatch:
    """The rows of a signature file."""
    keyed = Keys(near=near)(batch)
    assert keyed.select(batch.schema.names).equals(batch)
    return pa.RecordBatch.from_arrays([keyed.column(field.name) for field in SIGNATURES], schema=SIGNATURES)


def edges_of(packed: bytes) -> Edges:
    return [(int(a), int(b)) for a, b in np.frombuffer(packed, "<u8").reshape(-1, 2)]


def shuffled(pack_keys: PackKeys, items: list[tuple[str, int]]) -> Clusters:
    """What an engine does with the two halves."""
    blobs: dict[int, list[bytes]] = {}
    for item in items:
        for partition, blob in pack_keys(item):
            blobs.setdefault(partition, []).append(blob)
    clusters = Clusters()
    for partition in blobs:
        clusters.add(star_edges(partition, sorted(blobs[partition])))
    return clusters


@pytest.fixture(scope="module")
def signed(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], pa.Table]:
    """Ids and signature rows of the 1,500 documents."""
    with gzip.open(shared / "bench" / "dedup_en.jsonl.gz") as file:
        rows = [json.loads(line) for line in file]
    return [row["id"] for row in rows], pa.Table.from_batches(
        [document_keys(batch_of([r["text"] for r in rows]), True)]
    )


@pytest.mark.parametrize(("partitions", "files"), [(1, 1), (3, 1), (16, 3), (1000, 7)])
def test_clusters_are_those_of_datatrove(
    signed: tuple[list[str], pa.Table], shared: Path, tmp_path: Path, partitions: int, files: int
) -> None:
    ids, table = signed
    expected = json.loads((shared / "bench" / "dedup_datatrove.json").read_text())["dedup_en"]["clusters"]
    items = []
    for number, first in enumerate(range(0, len(ids), len(ids) // files + 1)):
        path = tmp_path / f"{number}.parquet"
        pq.write_table(table.slice(first, len(ids) // files + 1), path)
        items.append((str(path), first))
    pack_keys = PackKeys(partitions, bands=14, rows=8, exact=False)
    duplicates = shuffled(pack_keys, items).duplicates()
    clusters: dict[int, set[int]] = {}
    for number, kept in duplicates:
        assert number > kept
        clusters.setdefault(kept, {kept}).add(number)
    assert sorted(sorted(ids[number] for number in cluster) for cluster in clusters.values()) == sorted(
        sorted(cluster) for cluster in expected
    )
    assert all(kept == min(cluster) for kept, cluster in clusters.items())


def test_equal_texts_meet_by_their_hash_alone(tmp_path: Path) -> None:
    texts = ["one two", "a b", "one two", "", "a b", "one two"]
    pq.write_table(pa.Table.from_batches([document_keys(batch_of(texts), near=False)]), tmp_path / "s.parquet")
    for partitions in (1, 2, 50):
        clusters = shuffled(PackKeys(partitions, bands=0, rows=0, exact=True), [(str(tmp_path / "s.parquet"), 10)])
        assert clusters.duplicates() == [(12, 10), (14, 11), (15, 10)]


def test_a_text_too_short_for_a_signature_has_a_null_and_is_nobodys_near_duplicate(tmp_path: Path) -> None:
    keys = document_keys(batch_of(["too short", "too short", "long enough to have five words at least"]), near=True)
    assert [value is None for value in keys.column("signature").to_pylist()] == [True, True, False]
    assert keys.column("text_hash")[0] == keys.column("text_hash")[1]
    pq.write_table(pa.Table.from_batches([keys]), tmp_path / "s.parquet")
    near = PackKeys(4, bands=14, rows=8, exact=False)
    assert shuffled(near, [(str(tmp_path / "s.parquet"), 0)]).duplicates() == []


def test_an_empty_split_sends_nothing(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_batches([document_keys(batch_of([]), near=True)], SIGNATURES), tmp_path / "s.parquet")
    assert list(PackKeys(3, 14, 8, True)((str(tmp_path / "s.parquet"), 0))) == []


def test_a_split_sends_each_partition_one_blob_and_every_key_once(tmp_path: Path) -> None:
    texts = [f"document number {n} has some words of its own to tell" for n in range(30)]
    pq.write_table(pa.Table.from_batches([document_keys(batch_of(texts), near=True)]), tmp_path / "s.parquet")
    sent = list(PackKeys(5, 14, 8, True)((str(tmp_path / "s.parquet"), 100)))
    assert len({partition for partition, _ in sent}) == len(sent) <= 5
    numbers = [number for partition, blob in sent for number in unpack(blob)[1].tolist()]
    assert sorted(numbers) == sorted(list(range(100, 130)) * 15)
    for partition, blob in sent:
        assert set((unpack(blob)[0] % np.uint64(5)).tolist()) == {partition}
        assert len(blob) == 12 + 12 * len(unpack(blob)[0])


KEYED = st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=8), min_size=1, max_size=6)


@settings(deadline=None, max_examples=200)
@given(KEYED)
def test_star_edges_join_each_document_with_the_first_that_shares_a_key(splits: list[list[int]]) -> None:
    """Each split is a list of keys, one a document; documents are numbered over all splits."""
    blobs, first, holders = [], 0, {}
    for keys in splits:
        ordinals = np.arange(len(keys), dtype=np.uint32)
        blobs.append(pack(first, np.array(keys, np.uint64), ordinals))
        for ordinal, key in enumerate(keys):
            holders.setdefault(key, []).append(first + ordinal)
        first += len(keys)
    expected = sorted({(numbers[0], number) for numbers in holders.values() for number in numbers[1:]})
    assert edges_of(star_edges(0, blobs)) == expected == edges_of(star_edges(0, blobs[::-1]))


@given(st.integers(0, 2**60), st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1)), max_size=20))
def test_a_blob_unpacks_to_what_was_packed(first: int, rows: list[tuple[int, int]]) -> None:
    keys = np.array([key for key, _ in rows], np.uint64)
    ordinals = np.array([ordinal for _, ordinal in rows], np.uint32)
    got_keys, numbers = unpack(pack(first, keys, ordinals))
    assert got_keys.tolist() == keys.tolist()
    assert numbers.tolist() == [first + ordinal for _, ordinal in rows]


def test_a_signature_is_as_long_as_its_column() -> None:
    (value,) = document_keys(batch_of(["five words are enough here"]), near=True).column("signature").to_pylist()
    assert len(value) == 8 * PERMUTATIONS
