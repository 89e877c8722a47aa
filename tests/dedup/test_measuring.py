"""Sketches as the first pass left them are those that the texts give; where none or too few were left, the texts are read.
Pairs of documents, wherever they lie, have the similarity of their texts.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from curation.dedup import measuring
from curation.dedup.homes import Home, Places
from curation.dedup.keys import Keys
from curation.dedup.measuring import KeptSketches, measure_pairs
from curation.dedup.shingles import document_shingles
from curation.dedup.sketches import SKETCH, as_binary, sketches
from curation.run.folder import RunFolder
from tests.dedup.planted import true_jaccard, words
from tests.dedup.runs import VERIFIED, Page, batch_of, text, write_splits

assert VERIFIED is not None
SHINGLING = VERIFIED.shingling
LENGTHS = [(40, 900), (3, 3000, 500), (2000,)]  # words of the documents of three splits; one is too short for a shingle
PAGES = [[Page(" ".join(words(length, 7 * length))) for length in lengths] for lengths in LENGTHS]


def home_of(folder: Path, sketched: bool) -> Home:
    keys = Keys(url=False, exact=False, near=VERIFIED, sketched=sketched)
    return Home(0, tuple(write_splits(RunFolder(str(folder)), PAGES, keys)))


def of_texts(places: Places, size: int) -> list[bytes]:
    pages = [page for split in PAGES for page in split]
    made: pa.Array = as_binary(
        sketches(document_shingles(batch_of([pages[place] for place in places]), SHINGLING), size)
    )
    return [sketch.as_py() for sketch in made]


@pytest.mark.parametrize("sketched", [True, False])
@pytest.mark.parametrize("size", [SKETCH, 1 << 16])
@pytest.mark.parametrize("places", [[0, 1, 2, 3, 4, 5], [2], [3, 5], []])
def test_sketches_are_those_of_the_texts(tmp_path: Path, sketched: bool, size: int, places: list[int]) -> None:
    home, asked = home_of(tmp_path, sketched), np.array(places, np.int64)
    found = KeptSketches(SHINGLING)(home, asked, size)
    assert found.type == pa.large_binary()
    assert [sketch.as_py() for sketch in found] == of_texts(asked, size)
    if 3 in places:
        assert len(found[places.index(3)].as_py()) == (4 * SKETCH if size == SKETCH else 4 * 2996)


def test_texts_are_not_read_for_what_was_kept(tmp_path: Path) -> None:
    home = home_of(tmp_path, True)
    for part in home.parts:
        Path(part.texts).unlink()
    every = np.arange(6)
    assert [sketch.as_py() for sketch in KeptSketches(SHINGLING)(home, every, SKETCH)] == of_texts(every, SKETCH)
    with pytest.raises(FileNotFoundError):
        KeptSketches(SHINGLING)(home, every, SKETCH + 1)


def test_an_index_gives_what_it_has(tmp_path: Path) -> None:
    """It has no texts: of a long document it gives the smallest hashes, of one that was never sketched none."""
    for sketched in (True, False):
        home = home_of(tmp_path / str(sketched), sketched)
        held = Home(
            0, tuple(type(part)(part.unit, part.signatures, "", part.first, part.documents) for part in home.parts)
        )
        found = [sketch.as_py() for sketch in KeptSketches(SHINGLING)(held, np.arange(6), 1 << 16)]
        assert found == (of_texts(np.arange(6), SKETCH) if sketched else [b""] * 6)


@pytest.mark.parametrize("at_once", [1, 5, 1 << 16])
def test_pairs_within_a_home_and_across_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """Each with every other, in homes of one split and of two; however many pairs are measured at once."""
    monkeypatch.setattr(measuring, "PAIRS_AT_ONCE", at_once)
    texts = [[text(1), text(1, 9)], [text(1, 30), text(2)], [text(2, 5), text(1, 9)]]
    splits = [[Page(each) for each in split] for split in texts]
    parts = write_splits(RunFolder(str(tmp_path)), splits, Keys(url=False, exact=False, near=VERIFIED))
    homes = (Home(0, tuple(parts[:2])), Home(1, tuple(parts[2:])))
    expected = true_jaccard([each for split in texts for each in split])
    for home in homes:
        mine = np.repeat(np.arange(home.first, home.stop, dtype=np.uint64), 6)
        others = np.tile(np.arange(6, dtype=np.uint64), home.documents)
        found = measure_pairs(KeptSketches(SHINGLING), homes, home, mine, others, SKETCH)
        assert found.reshape(-1, 6).tolist() == pytest.approx(expected[home.first : home.stop])
