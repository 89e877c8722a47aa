"""Exchange of signatures with datasketch. Oracle: datasketch itself."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import xxhash

from connectors.errors import UserError
from curation.dedup.exchange import Scheme, datasketch_minhashes, from_datasketch, to_datasketch
from curation.dedup.shingles import Shingling, text_shingles
from curation.dedup.signature import minhash

datasketch = pytest.importorskip("datasketch")

COMMON = "of all the words that a page can have these are the ones that both of our pages have"
TEXTS = [f"{COMMON} and one ends here", f"{COMMON} while another goes on", "something that is quite another matter"]
SHINGLES = text_shingles(TEXTS, Shingling(words=3))


def test_there_and_back() -> None:
    values, _ = minhash(SHINGLES, 112)
    returned = from_datasketch(to_datasketch(values))
    assert returned.dtype == np.uint64
    assert (returned == values).all()
    assert values.max() > 2**32  # not cut to 32 bits


def test_similarities_by_datasketch_are_shares_of_equal_values() -> None:
    values, _ = minhash(SHINGLES, 112)
    first, second, third = to_datasketch(values)
    assert first.jaccard(second) == (values[0] == values[1]).mean() > 0.4
    assert first.jaccard(third) == 0


def test_an_index_of_datasketch_finds_ours() -> None:
    values, _ = minhash(SHINGLES, 112)
    index = datasketch.MinHashLSH(num_perm=112, params=(28, 4))
    first, second, third = to_datasketch(values)
    index.insert("first", first)
    assert index.query(second) == ["first"]
    assert index.query(third) == []


def test_a_lean_signature_keeps_all_bits() -> None:
    values, _ = minhash(SHINGLES, 112)
    lean = datasketch.LeanMinHash(to_datasketch(values)[0])
    packed = bytearray(lean.bytesize())
    lean.serialize(packed)
    assert (from_datasketch([datasketch.LeanMinHash.deserialize(packed)]) == values[:1]).all()


@pytest.mark.parametrize("scheme", ["legacy", "affine32", "affine64"])
def test_datasketchs_own_values_over_our_shingles(scheme: Scheme) -> None:
    """What a user of datasketch has who feeds it with the same strings."""
    bits = 64 if scheme == "affine64" else 32
    words = ["a", "b", "c", "d", "e", "f", "g"]
    theirs = datasketch.MinHash(64, seed=5, scheme=scheme, hashfunc=lambda data: xxhash.xxh64_intdigest(data) % 2**bits)
    for start in range(5):
        theirs.update(" ".join(words[start : start + 3]).encode())
    (ours, empty), present = datasketch_minhashes(
        text_shingles([" ".join(words), "too short"], Shingling(words=3)), 64, 5, scheme
    )
    assert (ours.hashvalues == theirs.hashvalues).all()
    assert ours.jaccard(theirs) == 1
    assert present.tolist() == [True, False]
    assert empty.is_empty()


def test_what_cannot_be_compared_is_not_taken_together() -> None:
    values, _ = minhash(SHINGLES, 16)
    with pytest.raises(UserError, match="seed 1, affine64, 16 values, seed 2, affine64"):
        from_datasketch([*to_datasketch(values, seed=1), *to_datasketch(values, seed=2)])


def test_none_at_all() -> None:
    assert to_datasketch(np.zeros((0, 112), np.uint64)) == []
    assert from_datasketch([]).shape == (0, 0)


def test_without_datasketch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasketch", None)
    with pytest.raises(UserError, match=r"corpusmill\[parity\]"):
        to_datasketch(np.zeros((1, 4), np.uint64))
