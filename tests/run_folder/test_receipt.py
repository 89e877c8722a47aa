"""A receipt counts only where it is whole, of the same plan, and all that it names lies there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import storage
from curation.run.receipt import Receipt, StepCount, Unbalanced, total_counts, valid_receipt

COUNTS = {
    "read": StepCount(5, 2, {"removed": {"redirect": 2}, "quarantined": {"empty_file": 1}}),
    "c4": StepCount(2, 2),
}


@pytest.fixture
def receipt(tmp_path: Path) -> Receipt:
    """A receipt with one output, which is there."""
    outputs = {"ledger/a.parquet": storage.write_bytes(f"{tmp_path}/ledger/a.parquet", b"some rows")}
    return Receipt("s/a.gz", "plan", "s", 5, 100, COUNTS, outputs, {"survivors": 2}, {"wall": 1.5})


def test_a_receipt_read_again_is_the_same(receipt: Receipt) -> None:
    assert Receipt.from_json(receipt.to_json()) == receipt


def test_a_receipt_counts_while_all_is_in_place(receipt: Receipt, tmp_path: Path) -> None:
    uri = f"{tmp_path}/receipts/refine/s/a.gz.json"
    assert valid_receipt(uri, str(tmp_path), "plan") is None
    storage.write_bytes(uri, receipt.to_json())
    assert valid_receipt(uri, str(tmp_path), "plan") == receipt
    assert valid_receipt(uri, str(tmp_path), "another plan") is None
    storage.write_bytes(f"{tmp_path}/receipts/refine/s/b.gz.json", receipt.to_json())  # a copy in another's place
    assert valid_receipt(f"{tmp_path}/receipts/refine/s/b.gz.json", str(tmp_path), "plan") is None
    (tmp_path / "ledger/a.parquet").write_bytes(b"some row")
    assert valid_receipt(uri, str(tmp_path), "plan") is None
    (tmp_path / "ledger/a.parquet").unlink()
    assert valid_receipt(uri, str(tmp_path), "plan") is None


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b'{"unit": 5}', b"\xff\xfe", b'{"counts": [], "outputs": {}}']
)
def test_what_is_no_receipt_counts_for_nothing(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_bytes(content)
    assert valid_receipt(f"{tmp_path}/r.json", str(tmp_path), "plan") is None
    with pytest.raises(ValueError):
        Receipt.from_json(content)


@pytest.mark.parametrize("length", [1, 50, 200])
def test_a_receipt_that_is_cut_counts_for_nothing(receipt: Receipt, length: int) -> None:
    with pytest.raises(ValueError):
        Receipt.from_json(receipt.to_json()[:length])


def test_a_step_that_lost_a_document_is_found() -> None:
    COUNTS["read"].check("here")
    with pytest.raises(Unbalanced, match="here: 5 in, 1 on, 3 ended"):
        replace(COUNTS["read"], went_on=1).check("here")


ENDED = st.dictionaries(
    st.sampled_from(["removed", "quarantined"]), st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)), max_size=2
)


@given(st.lists(st.builds(StepCount, st.integers(0, 99), st.integers(0, 99), ENDED), max_size=6))
def test_totals_are_sums_and_leave_their_parts_alone(counts: list[StepCount]) -> None:
    receipts = [Receipt("u", "p", "s", 0, 0, {"step": count}, {}, {}, {}) for count in counts]
    before = [receipt.to_json() for receipt in receipts]
    total = total_counts(receipts).get("step", StepCount())
    assert total.entered == sum(count.entered for count in counts)
    assert total.ended_total == sum(count.ended_total for count in counts)
    assert [receipt.to_json() for receipt in receipts] == before
