"""Sorted runs against lists: documents come back whole, segment by segment, in the order of their keys."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.tokenize import sorted_runs
from curation.tokenize.document_keys import KEYS, ORDER, PART, document_keys, id_column, ids_of
from curation.tokenize.sorted_runs import ENTRY, SortedRunWriter, Stored

documents = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 5, KEYS - 1]),  # keys, some of which are the same
        st.binary(min_size=16, max_size=16),
        st.integers(0, 2),  # segment
        st.lists(st.integers(0, 65_535), max_size=5),
    ),
    max_size=30,
    unique_by=lambda document: document[1],
)


@given(documents, st.integers(1, 7), st.sampled_from(["<u2", "<i4"]), st.sampled_from([0, 20, 1000]))
def test_a_run_holds_its_documents_in_order(
    given: list[tuple[int, bytes, int, list[int]]], batch: int, dtype: str, held: int
) -> None:
    """Also with more tokens than are held in memory."""
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryFile() as scratch,
        pytest.MonkeyPatch.context() as m,
    ):
        m.setattr(sorted_runs, "BLOCK_BYTES", 8)
        m.setattr(sorted_runs, "HELD_BYTES", held)
        writer = SortedRunWriter(scratch, dtype)  # type: ignore[arg-type]
        for first in range(0, len(given), batch):
            part = given[first : first + batch]
            writer.add(
                np.array([token for *_, tokens in part for token in tokens], dtype),
                np.array([len(tokens) for *_, tokens in part]),
                keys=np.array([key for key, *_ in part], np.uint64),
                ids=ids_of(pa.array([doc_id for _, doc_id, *_ in part], pa.binary(16))),
                rows=np.arange(first, first + len(part)),
                split=3,
                segments=np.array([segment for _, _, segment, _ in part], np.uint32),
            )
        tokens, entries = Path(folder, "tokens"), Path(folder, "entries")
        stored = writer.finish(tokens, entries, [2, 0, 1])
        expected = sorted(enumerate(given), key=lambda item: ([2, 0, 1].index(item[1][2]), item[1][0], item[1][1]))
        rows = np.frombuffer(entries.read_bytes(), ENTRY) if given else np.zeros(0, ENTRY)
        assert [(row["row"], bytes(row["doc_id"]), row["split"]) for row in rows] == [
            (place, document[1], 3) for place, document in expected
        ]
        written = np.fromfile(tokens, dtype)
        starts = [(int(row["start"]), int(row["start"]) + int(row["tokens"])) for row in rows]
        assert [written[first:stop].tolist() for first, stop in starts] == [document[3] for _, document in expected]
        assert len(written) == sum(len(document[3]) for document in given)
        of_segment = {number: [tokens for *_, segment, tokens in given if segment == number] for number in (2, 0, 1)}
        assert stored == [Stored(n, len(held), sum(map(len, held))) for n, held in of_segment.items()]


def obvious_key(doc_id: bytes, seed: int, purpose: int) -> int:
    """The same in Python's whole numbers."""

    def mixed(word: int) -> int:
        word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % KEYS
        word = (word ^ (word >> 27)) * 0x94D049BB133111EB % KEYS
        return word ^ (word >> 31)

    low, high = int.from_bytes(doc_id[:8], "little"), int.from_bytes(doc_id[8:], "little")
    start = mixed((seed + purpose * 0x9E3779B97F4A7C15) % KEYS)
    return mixed((mixed(low ^ start) + high) % KEYS)


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=9), st.integers(0, KEYS - 1))
def test_keys_are_those_of_plain_numbers(ids: list[bytes], seed: int) -> None:
    column = pa.array([b"\0" * 16, *ids], pa.binary(16))[1:]  # an array with an offset
    assert id_column(ids_of(column)).equals(pa.array(ids, pa.binary(16)))
    for purpose in (ORDER, PART):
        assert document_keys(ids_of(column), seed, purpose).tolist() == [obvious_key(i, seed, purpose) for i in ids]


def test_keys_are_spread_evenly_and_those_of_two_seeds_or_purposes_know_nothing_of_each_other() -> None:
    ids = ids_of(pa.array([n.to_bytes(16, "big") for n in range(20_000)], pa.binary(16)))
    keys = [document_keys(ids, seed, purpose) for seed, purpose in ((0, ORDER), (1, ORDER), (0, PART))]
    for one in keys:
        counts = np.bincount((one >> np.uint64(60)).astype(int), minlength=16)
        assert np.all(abs(counts - 1250) < 5 * 1250**0.5)
    for other in keys[1:]:
        assert abs(np.corrcoef(keys[0].astype(float), other.astype(float))[0, 1]) < 0.04
