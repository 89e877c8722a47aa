"""The step that signs: each column of a signature file is what its module says, row by row, whatever the batch."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.dedup.addresses import address_hash
from curation.dedup.keys import Keys, Signing, text_hashes
from curation.dedup.policy import Policy
from curation.dedup.shingles import Shingling
from curation.dedup.signature import agreement, band_keys, signatures
from curation.dedup.signature_files import signature_schema, words_of
from curation.run import ledger
from tests.dedup.runs import UNVERIFIED, VERIFIED, Page, batch_of, text

SHORT = "four words only here"
BY_CHARACTERS = Signing(Shingling(characters=3), 112, UNVERIFIED.banding, None)
EVERY = Keys(url=True, exact=True, near=VERIFIED)


def signed(pages: list[Page], keys: Keys = EVERY) -> pa.RecordBatch:
    """The rows of a signature file."""
    batch = batch_of(pages)
    after = keys(batch)
    assert after.select(batch.schema.names).equals(batch)  # nothing that was there is changed
    return ledger.conform(after, keys.schema)


def test_every_column_is_what_its_module_makes() -> None:
    pages = [Page(text(1), "http://www.a.example/"), Page(SHORT, ""), Page("", "http://b.example/x"), Page(text(2))]
    texts = [page.text for page in pages]
    columns = signed(pages).to_pydict()
    assert columns["doc_id"] == [number.to_bytes(16, "big") for number in range(4)]
    assert columns["url_hash"] == [address_hash(page.url) for page in pages]
    assert columns["text_hash"] == text_hashes(pa.array(texts)).to_pylist()
    assert columns["policy_class"] == Policy().classes(batch_of(pages)).tolist()
    values, present = signatures(texts, 112, 1)
    assert present.tolist() == [True, False, False, True]
    expected = {
        "keys": band_keys(values, 16, 6),
        "finer_keys": band_keys(values, 28, 4),
        "agreement": agreement(values),
    }
    for name, rows in expected.items():
        told = [row.tobytes() if there else None for row, there in zip(rows, present, strict=True)]
        assert columns[name] == told, name


@pytest.mark.parametrize("near", [VERIFIED, UNVERIFIED, None, BY_CHARACTERS])
@pytest.mark.parametrize("pages", [[], [Page("")], [Page(SHORT), Page("")]])
def test_no_documents_and_none_with_shingles(near: Signing | None, pages: list[Page]) -> None:
    keys = Keys(url=True, exact=True, near=near)
    rows = signed(pages, keys)
    assert rows.schema == keys.schema and rows.num_rows == len(pages)
    without = sum(near is not BY_CHARACTERS or len(page.text) < 3 for page in pages)
    assert rows.column("keys").null_count == rows.column("agreement").null_count == without


def test_what_is_not_asked_for_is_null() -> None:
    rows = signed([Page(text(1), "http://a.example/")], Keys(url=False, exact=False, near=None))
    assert rows.schema == signature_schema(0, 0, 0)
    for name in ("url_hash", "text_hash", "keys", "finer_keys", "agreement"):
        assert rows.column(name).null_count == 1, name
    unverified = signed([Page(text(1))], Keys(url=False, exact=False, near=UNVERIFIED))
    assert unverified.column("finer_keys").null_count == 1 and unverified.column("keys").null_count == 0


@settings(max_examples=30)
@given(st.lists(st.sampled_from([text(1), text(1, 5), text(2), SHORT, ""]), min_size=1, max_size=9), st.integers(1, 4))
def test_neither_the_batch_nor_its_neighbours_show(texts: list[str], size: int) -> None:
    pages = [Page(each, f"http://{len(each)}.example/") for each in texts]
    whole = signed(pages).to_pydict()
    parts = [signed(pages[first : first + size]).to_pydict() for first in range(0, len(pages), size)]
    for name in set(whole) - {"doc_id"}:
        assert whole[name] == [value for part in parts for value in part[name]], name


def test_documents_that_are_alike_share_keys_and_others_do_not() -> None:
    column = signed([Page(text(1)), Page(text(1, 3)), Page(text(2)), Page(SHORT)]).column("keys")
    words, present = words_of(column), np.asarray(column.is_valid())
    assert present.tolist() == [True, True, True, False] and words.shape == (4, 16)
    shared = [(words[0] == words[other]).sum() for other in (1, 2)]
    assert shared[0] > 5 and shared[1] == 0
    assert len(np.unique(words[0])) == 16  # a key says of which band it is


def test_the_class_is_the_policys() -> None:
    pages = [Page(text(1)[:300]), Page(text(1)), Page(text(1)[:200])]
    keys = Keys(url=False, exact=True, near=None, policy=Policy("longest"))
    classes = signed(pages, keys).column("policy_class").to_pylist()
    assert classes[1] < classes[0] < classes[2]
