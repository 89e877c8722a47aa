"""Equal texts: white space does not count, anything else does. Oracle of the hash: xxh3-128 of `" ".join(text.split())`."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.keys import text_hashes
from tests.dedup.runs import Deduplicated, Page, deduplicated

SPACES = " \t\n\x0b\x0c\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2003\u200a\u2028\u2029\u202f\u205f\u3000"
TEXTS = st.text(st.sampled_from([*SPACES, *"aB.,éâ語🎉\u200b\ufeff\x00"]), max_size=20)


def slow_hash(text: str) -> bytes:
    digest: bytes = xxhash.xxh3_128_digest(" ".join(text.split()).encode())
    return digest


@given(st.lists(TEXTS | st.text(max_size=8).filter(lambda text: text.isprintable()), max_size=8))
def test_the_hash_is_that_of_the_text_with_its_white_space_squeezed(texts: list[str]) -> None:
    assert text_hashes(pa.array(texts, pa.string())).to_pylist() == [slow_hash(text) for text in texts]


@given(st.lists(TEXTS, min_size=1, max_size=8), st.data())
def test_a_part_of_a_column_has_the_same_hashes(texts: list[str], data: st.DataObject) -> None:
    """Rows that an earlier step left: the texts of the batch before are used again."""
    column = pa.array(texts, pa.string())
    text_hashes(column)
    left = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    kept = [text for text, stays in zip(texts, left, strict=True) if stays]
    assert text_hashes(column.filter(pa.array(left))).to_pylist() == [slow_hash(text) for text in kept]
    assert text_hashes(column.slice(1)).to_pylist() == [slow_hash(text) for text in texts[1:]]


def settled(folder: Path, *texts: str, home: int = 1) -> Deduplicated:
    """Each text in a split and home of its own."""
    return deduplicated(folder, [[Page(text)] for text in texts], near=None, home=home)


def test_white_space_makes_no_difference_and_punctuation_does(tmp_path: Path) -> None:
    found = settled(tmp_path, "One, two.", "One, two", "\n One,\t\u3000two.\n", "one, two.", "One,two.", "One, two. ")
    assert found.reasons == {2: ("exact", 0), 5: ("exact", 0)}
    assert {each.similarity for each in found.found.values()} == {1.0}


def test_of_many_equal_texts_the_first_stays_wherever_they_lie(tmp_path: Path) -> None:
    splits = [[Page(f"text {(number * split) % 5}") for number in range(7)] for split in range(1, 9)]
    texts = [page.text for split in splits for page in split]
    expected = {n: ("exact", texts.index(text)) for n, text in enumerate(texts) if texts.index(text) < n}
    for home in (1, 20, 1000):
        assert deduplicated(tmp_path / str(home), splits, near=None, home=home).reasons == expected


def test_empty_texts_are_one_text(tmp_path: Path) -> None:
    assert settled(tmp_path, "", "a", " \n", "\u2003").reasons == {2: ("exact", 0), 3: ("exact", 0)}


@pytest.mark.parametrize("exact", [True, False])
def test_only_if_it_is_asked_for(tmp_path: Path, exact: bool) -> None:
    splits = [[Page("same text"), Page("same text")]]
    found = deduplicated(tmp_path, splits, url=False, exact=exact, near=None)
    assert (1 in found.found) == exact
    assert ("exact" in found.receipt.facts) == exact
