"""MinHash signatures. Oracle: datatrove 0.10.1, 14 bands of 8, seed 1, on 4,000 real documents."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import UserError
from curation.dedup import signature
from curation.dedup.banding import Banding
from curation.dedup.presets import PRESETS, preset
from curation.dedup.shingles import Shingling, text_shingles
from curation.dedup.signature import agreement, band_keys, minhash, sign, signature_length, signatures
from curation.text.columns import batch_of
from curation.text.kernels.minhash import least_values
from curation.text.normalize import normalized
from curation.text.segmentation import Text
from curation.text.shingles import jaccard, shingle_hashes


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


@given(st.lists(st.integers(0, 2**64 - 1), min_size=6, max_size=6), st.sampled_from([(1, 6), (2, 3), (3, 2), (2, 2)]))
def test_band_keys_equal_the_formula(values: list[int], shape: tuple[int, int]) -> None:
    """The slow way, in Python integers; values behind the bands don't matter."""
    bands, rows = shape

    def mixed(value: int) -> int:
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        value = (value ^ value >> 27) * 0x94D049BB133111EB % 2**64
        return value ^ value >> 31

    expected = []
    for band in range(bands):
        state = mixed((band + 1) * 0x9E3779B97F4A7C15 % 2**64)
        for value in values[band * rows : (band + 1) * rows]:
            state = mixed(((state ^ value) + 0x9E3779B97F4A7C15) % 2**64)
        expected.append(state)
    assert band_keys(np.array([values], np.uint64), bands, rows).tolist() == [expected]


def test_band_keys_of_near_values_are_spread() -> None:
    """Every bit of the keys of 4,096 documents whose values count up is set in about half of them: partitions stay even."""
    values = np.arange(4_096, dtype=np.uint64)[:, None] + np.zeros((1, 6), np.uint64)
    keys = band_keys(values, 3, 2)
    assert len(np.unique(keys)) == keys.size
    bits = (keys[..., None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert abs(bits.mean(axis=0) - 0.5).max() < 5 * 0.5 / 4_096**0.5


def test_bands_of_more_values_than_there_are() -> None:
    with pytest.raises(ValueError, match="more than 112 values"):
        band_keys(np.zeros((1, 112), np.uint64), 20, 13)


def test_agreement_is_the_low_byte_of_the_first_values() -> None:
    values = np.arange(2 * 260, dtype=np.uint64).reshape(2, 260) * np.uint64(0x0123456789)
    assert agreement(values).tolist() == [[value % 256 for value in row[:128]] for row in values.tolist()]
    assert agreement(values[:, :112]).shape == (2, 112)


def test_what_is_kept_is_that_of_whole_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    """In portions of three documents, some of them without shingles."""
    monkeypatch.setattr(signature, "PORTION", 3 * 8 * 120)
    strings = ["short", *(f"a page of {letter} and {letter}{letter} in it" for letter in "abcdefg"), "", "x"]
    shingles = text_shingles(strings, Shingling(words=4))
    values, present = minhash(shingles, 120, seed=3)
    signed = sign(shingles, 120, Banding(16, 6), Banding(30, 4), seed=3)
    assert signed.present.tolist() == present.tolist() == [False, *[True] * 7, False, False]
    assert (signed.keys[present] == band_keys(values, 16, 6)[present]).all()
    assert (signed.fine_keys[present] == band_keys(values, 30, 4)[present]).all()
    assert (signed.agreement[present] == agreement(values)[present]).all()
    assert sign(shingles, 120, Banding(16, 6)).fine_keys.shape == (10, 0)


def test_the_share_of_equal_values_is_the_similarity() -> None:
    """Of characters, too, and with any number of values: 2,000 values, a standard error of at most 0.011."""
    strings = ["the first half is alike, the second differs", "the first half is alike, and this is another"]
    shingles = text_shingles(strings, Shingling(characters=5))
    values, _ = minhash(shingles, 2_000)
    true = jaccard(*(shingles.hashes[shingles.offsets[row] : shingles.offsets[row + 1]] for row in range(2)))
    assert 0.3 < true < 0.7
    assert (values[0] == values[1]).mean() == pytest.approx(true, abs=0.045)


def test_a_signature_is_long_enough_to_estimate_by() -> None:
    assert [signature_length(Banding(*shape)) for shape in ((16, 6), (14, 8), (20, 13))] == [112, 112, 260]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_signs(name: str) -> None:
    found = preset(name)
    shingles = text_shingles(["many words " * 20, ""], found.shingling)
    signed = sign(shingles, found.banding.values, found.banding)
    assert signed.keys.shape == (2, found.banding.bands)
    assert signed.present.tolist() == [True, False]
    assert len(found.source) > 40


def test_a_preset_that_there_is_not() -> None:
    with pytest.raises(UserError, match="'finweb'. Did you mean 'fineweb'"):
        preset("finweb")


def test_equal_to_datatrove_on_any_text(tmp_path: Path) -> None:
    minhash = pytest.importorskip("datatrove.pipeline.dedup.minhash")
    oracle = minhash.MinhashDedupSignature(str(tmp_path), minhash.MinhashConfig())
    string = "Ünïcode, can't “quote” 1,234.5 times… ‘so’ • İstanbul 中文。 "
    with np.errstate(over="ignore"):
        expected = np.array(oracle.get_signature(oracle.get_shingles(string)), np.uint64).ravel()
    assert (signatures([string])[0][0] == expected).all()
