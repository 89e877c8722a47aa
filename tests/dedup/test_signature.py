"""MinHash signatures. Oracle: datatrove 0.10.1, 14 bands of 8, seed 1, on 4,000 real documents."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import xxhash

from curation.dedup import signature
from curation.dedup.signature import band_keys, signatures
from curation.text.columns import batch_of
from curation.text.kernels.minhash import least_values
from curation.text.normalize import normalized
from curation.text.segmentation import Text
from curation.text.shingles import shingle_hashes


def test_golden_documents(shared: Path) -> None:
    """Normal form, shingle counts and all 112 values of each document."""
    with (
        gzip.open(shared / "bench/corpus_en_4000.jsonl.gz") as corpus,
        gzip.open(shared / "bench/golden_4000.jsonl.gz") as golden,
    ):
        strings = [json.loads(line)["text"] for line in corpus]
        expected = [json.loads(line) for line in golden]
    values, present = signatures(strings)
    shingles = batch_of(strings).shingles(5)
    differing = []
    for row, wanted in enumerate(expected):
        hashes = shingles.hashes[shingles.offsets[row] : shingles.offsets[row + 1]]
        signed = values[row].astype("<u8") if present[row] else None
        got = {
            "simplified_sha": hashlib.sha256(normalized(strings[row]).encode()).hexdigest()[:16],
            "n_shingles": len(hashes),
            "n_unique_shingles": len(np.unique(hashes)),
            "minhash_sha": None if signed is None else hashlib.sha256(signed.tobytes()).hexdigest(),
            "minhash_first": None if signed is None else signed[:2].tolist(),
        }
        differing += [(wanted["id"], name) for name, value in got.items() if value != wanted[name]]
    assert differing == []


def test_permutations_are_datatroves() -> None:
    factors, offsets = signature._permutations(112, 1)
    assert (int(factors[0]), int(offsets[0])) == (775169054918279404, 1062448801025099917)


def test_signature_equals_the_formula() -> None:
    """The slow way, in Python integers, over more shingles than one block."""
    string = " ".join(f"word{i % 1_700}" for i in range(2_500))
    values, present = signatures([string], bands=2, rows=3, seed=7)
    factors, offsets = signature._permutations(6, 7)
    shingles = shingle_hashes(Text(string)).tolist()
    expected = [
        min((x * a + b) % 2**64 % (2**61 - 1) for x in shingles)
        for a, b in zip(factors.tolist(), offsets.tolist(), strict=True)
    ]
    assert present.tolist() == [True]
    assert values.tolist() == [expected]


@pytest.mark.parametrize("product", [0, 1, 2**61 - 2, 2**61 - 1, 2**61, 2**62 - 2, 2**64 - 8, 2**64 - 1])
def test_remainders_at_the_edges(product: int) -> None:
    """The shingle for which one permutation's a * x + b is the product: `product mod (2^61 - 1)` is its value."""
    factors, offsets = signature._permutations(112, 1)
    column = next(index for index, factor in enumerate(factors.tolist()) if factor % 2)
    a, b = int(factors[column]), int(offsets[column])
    x = (product - b) * pow(a, -1, 2**64) % 2**64
    values = np.zeros((1, 112), np.uint64)
    least_values(np.array([x], np.uint64), np.array([0, 1]), factors, offsets, values)
    assert int(values[0, column]) == product % (2**61 - 1)


def test_documents_of_fewer_than_five_words_have_none() -> None:
    values, present = signatures(["", "a b c d", "a b c d e", "a b c d e"])
    assert values.shape == (4, 112)
    assert present.tolist() == [False, False, True, True]
    assert not values[:2].any()
    assert (values[2] == values[3]).all()


def test_no_documents() -> None:
    values, present = signatures([])
    assert values.shape == (0, 112)
    assert present.shape == (0,)
    assert band_keys(values).shape == (0, 14)


def test_band_keys_depend_on_the_band_and_its_values_only() -> None:
    values = np.tile(np.arange(8, dtype=np.uint64), (2, 14))
    values[1, 15] = 99  # last value of the second band
    keys = band_keys(values)
    assert keys.shape == (2, 14)
    assert (keys[0] != keys[1]).tolist() == [band == 1 for band in range(14)]
    assert len(set(keys[0].tolist())) == 14
    assert int(keys[0, 3]) == xxhash.xxh3_64_intdigest(np.arange(8, dtype="<u8").tobytes(), seed=3)


def test_equal_to_datatrove_on_any_text(tmp_path: Path) -> None:
    minhash = pytest.importorskip("datatrove.pipeline.dedup.minhash")
    oracle = minhash.MinhashDedupSignature(str(tmp_path), minhash.MinhashConfig())
    string = "Ünïcode, can't “quote” 1,234.5 times… ‘so’ • İstanbul 中文。 "
    with np.errstate(over="ignore"):
        expected = np.array(oracle.get_signature(oracle.get_shingles(string)), np.uint64).ravel()
    assert (signatures([string])[0][0] == expected).all()
