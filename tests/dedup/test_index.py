"""Indexes: what a later run is deduplicated against. What they hold stays, whatever it resembles, and goes unnoticed itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors.errors import UserError
from curation.dedup.banding import Banding
from curation.dedup.homes import Part
from curation.dedup.index import (
    FORMAT,
    NAME,
    Index,
    IndexFile,
    description,
    index_parts,
    index_schema,
    merge_indexes,
    read_index,
    require_comparable,
    write_description,
)
from curation.dedup.keys import Keys, Signing
from curation.dedup.shingles import Shingling
from curation.dedup.signature_files import PLAIN
from curation.run import ledger
from curation.run.folder import RunFolder
from curation.run.parquet_output import ParquetOutput
from tests.dedup.planted import words
from tests.dedup.runs import (
    TARGET,
    UNVERIFIED,
    VERIFIED,
    Deduplicated,
    Page,
    batch_of,
    go_on,
    similarity,
    text,
    write_split,
)

HELD = 1000  # number from which the ids of an index's documents count


def write_index(folder: Path, near: Signing | None, *files: list[Page]) -> Index:
    """An index of composed documents, whose ids count from HELD."""
    keys = Keys(url=True, exact=True, near=near)
    written, first = [], HELD
    for number, pages in enumerate(files):
        batch = keys(batch_of(pages, first))
        columns = dict(zip(batch.schema.names, batch.columns, strict=True))
        columns["policy_class"] = pa.array(np.zeros(len(pages), np.uint16))
        schema, path = index_schema(keys.schema), f"web/{number}.parquet"
        with ParquetOutput(f"{folder}/{path}", schema, PLAIN) as output:
            output.write(ledger.conform(pa.RecordBatch.from_pydict(columns), schema))
        assert output.written is not None
        written.append(IndexFile(path, len(pages), output.written.bytes, output.written.sha256))
        first += len(pages)
    write_description(str(folder), description(near), written)
    return read_index(str(folder))


def against(
    folder: Path, indexes: list[Index], splits: list[list[Page]], near: Signing | None = VERIFIED, home: int = 1000
) -> Deduplicated:
    """Documents deduplicated against indexes; found by the number of the document among them."""
    run, parts = RunFolder(str(folder)), index_parts(indexes)
    held = sum(part.documents for part in parts)
    keys = Keys(url=True, exact=True, near=near)
    for number, pages in enumerate(splits):
        first = parts[-1].first + parts[-1].documents if parts else 0
        parts.append(renumbered(write_split(run, f"own/{number}", pages, first - held, keys), first))
    target = TARGET if near is not None and near.finer is not None else None
    result = go_on(run, parts, keys, target, home)
    result.found = {number - held: each for number, each in result.found.items()}
    return result


def renumbered(part: Part, first: int) -> Part:
    return replace(part, first=first)


EARLIER = [Page(text(1), "http://a.b/1"), Page(text(2), "http://a.b/2"), Page(text(3), "http://a.b/3")]


@pytest.mark.parametrize("home", [1, 2, 1000])
@pytest.mark.parametrize("near", [VERIFIED, UNVERIFIED], ids=["verified", "unverified"])
def test_what_an_index_holds_goes_from_a_later_run(tmp_path: Path, near: Signing, home: int) -> None:
    index = write_index(tmp_path / "index", near, EARLIER[:2], [], EARLIER[2:])
    assert index.documents == 3
    own = [
        Page(text(9), "https://www.a.b/1/"),  # the page
        Page(text(2), "http://c.d/1"),  # the text
        Page(text(3, 4), "http://c.d/2"),  # a similar one
        Page(text(4), "http://c.d/3"),  # of its own
        Page(text(4), "http://c.d/4"),  # of that
        Page(text(3, 4), "http://c.d/5"),  # the text of one that is similar
    ]
    found = against(tmp_path / "run", [index], [own[:1], own[1:4], own[4:]], near, home)
    assert found.reasons == {
        0: ("url", HELD),
        1: ("exact", HELD + 1),
        2: ("minhash", HELD + 2),
        4: ("exact", 3),
        5: ("exact", HELD + 2),
    }
    assert {number: each.elsewhere for number, each in found.found.items()} == {
        0: True,
        1: True,
        2: True,
        4: False,
        5: True,
    }
    assert found.found[2].jaccard == pytest.approx(similarity(4))
    tables = [pq.read_table(path) for path in sorted(Path(found.run.uri("work/duplicates")).rglob("*.parquet"))]
    rows = [row for table in tables for row in table.to_pylist()]
    assert [row["address"] for row in rows] == ["http://a.b/1", "http://a.b/2", "http://a.b/3", None, "http://a.b/3"]
    assert found.receipt.records == len(own)


@pytest.mark.parametrize("near", [VERIFIED, UNVERIFIED, None], ids=["verified", "unverified", "equal only"])
def test_what_an_index_holds_stays_whatever_it_resembles(tmp_path: Path, near: Signing | None) -> None:
    """Two that are alike among themselves, and a document of the run that is like both."""
    held = [Page(text(1), "http://a.b/1"), Page(text(1, 3), "http://a.b/2"), Page(text(1), "http://a.b/1")]
    index = write_index(tmp_path / "index", near, held)
    found = against(tmp_path / "run", [index], [[Page(text(1), "http://c.d/"), Page(text(5))]], near, home=1)
    assert found.reasons == {0: ("exact", HELD)}
    facts = found.receipt.facts
    assert (facts["exact"], facts.get("minhash", 0), facts["duplicates"]) == (1, 0, 1)
    assert list(found.lists) == ["own/0.parquet"]


@pytest.mark.parametrize("near", [VERIFIED, UNVERIFIED], ids=["verified", "unverified"])
def test_alike_documents_of_an_index_are_not_counted(tmp_path: Path, near: Signing) -> None:
    held = [Page(text(1, changed), f"http://a.b/{changed}") for changed in range(4)]
    index = write_index(tmp_path / "index", near, held)
    found = against(tmp_path / "run", [index], [[Page(text(1, 5), "http://c.d/")]], near, home=2)
    assert found.reasons[0][1] in range(HELD, HELD + 4)
    assert (found.receipt.facts["minhash"], found.receipt.facts["duplicates"]) == (1, 1)
    assert list(found.lists) == ["own/0.parquet"]


def test_long_texts_are_measured_as_an_index_has_them(tmp_path: Path) -> None:
    """More shingles than a sketch holds: what is told as the true similarity is an estimate, and near."""
    row = words(4000, seed=1)
    held, own = " ".join(row), " ".join([*row[:3800], *words(200, seed=2)])
    index = write_index(tmp_path / "index", VERIFIED, [Page(held, "http://a.b/")])
    found = against(tmp_path / "run", [index], [[Page(own)]])
    assert found.reasons == {0: ("minhash", HELD)}
    assert found.found[0].jaccard == pytest.approx(3796 / 4196, abs=0.04)


def test_a_page_is_found_behind_a_template_that_the_index_has_too(tmp_path: Path) -> None:
    """Pages of one template: in most buckets the first is a page of the index that another is not similar to.

    Only in later rounds, without that first page, the others meet those that they are similar to. In the first alone 159 do.
    """
    template, held, own = words(92, seed=1), [], []
    for number in range(200):
        body = words(12, seed=100 + number)
        held.append(Page(" ".join([*template, *body]), f"http://a.b/{number}"))
        own.append(Page(" ".join([*template, *body[:4], *words(8, seed=1500 + number)]), f"http://c.d/{number}"))
    index = write_index(tmp_path / "index", VERIFIED, held)
    found = against(tmp_path / "run", [index], [own], home=100)
    assert found.receipt.facts["rounds"] == 3
    assert len(found.found) >= 175
    assert all(each.kept >= HELD for each in found.found.values())


def test_a_round_that_finds_nothing_similar_is_not_the_last_where_pages_of_an_index_came_first(tmp_path: Path) -> None:
    """They take no part in the next round, so that others come first."""
    pages = [Page(" ".join([*words(92, seed=1), *words(12, seed=100 + n)]), f"http://a.b/{n}") for n in range(30)]
    index = write_index(tmp_path / "index", VERIFIED, pages[:-1])
    facts = against(tmp_path / "run", [index], [pages[-1:]], home=10).receipt.facts
    assert (facts["rounds"], facts["minhash"]) == (3, 0)


def test_two_indexes_and_one_made_of_both_give_the_same(tmp_path: Path) -> None:
    one = write_index(tmp_path / "1", VERIFIED, EARLIER[:2], EARLIER[:1])
    other = write_index(tmp_path / "2", VERIFIED, EARLIER[2:])
    merged = merge_indexes([one, other], str(tmp_path / "both"))
    assert merged.documents == 4 and merged == read_index(str(tmp_path / "both"))
    own = [[Page(text(1, 4)), Page(text(3, 2))], [Page(text(2), "http://c.d/"), Page(text(7))]]
    apart = against(tmp_path / "a", [one, other], own)
    assert set(apart.found) == {0, 1, 2}
    assert against(tmp_path / "b", [merged], own).lists == apart.lists
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="Cannot write to"):
        merge_indexes([one], str(tmp_path / "file" / "below"))
    with pytest.raises(UserError, match="holds an index already: give another --to"):
        merge_indexes([one], str(tmp_path / "both"))


def test_equal_texts_need_no_signatures(tmp_path: Path) -> None:
    index = write_index(tmp_path / "index", UNVERIFIED, EARLIER)
    require_comparable(index, None)
    assert against(tmp_path / "run", [index], [[Page(text(2))]], near=None).reasons == {0: ("exact", HELD + 1)}


@pytest.mark.parametrize(
    ("held", "wanted", "told"),
    [
        (UNVERIFIED, VERIFIED, "banding"),
        (VERIFIED, replace(VERIFIED, finer=Banding(18, 6)), "finer"),
        (VERIFIED, replace(VERIFIED, shingling=Shingling(words=13)), "shingling"),
        (VERIFIED, replace(VERIFIED, values=128), "values"),
        (None, VERIFIED, "shingling None"),
    ],
)
def test_signatures_of_two_kinds_are_not_compared(
    tmp_path: Path, held: Signing | None, wanted: Signing, told: str
) -> None:
    index = write_index(tmp_path / "index", held, EARLIER)
    with pytest.raises(UserError, match=f"index was made with {told}.*Use the recipe of the index") as raised:
        require_comparable(index, wanted)
    assert "\n" not in str(raised.value)
    if held is not None:
        require_comparable(index, held)
    with pytest.raises(UserError, match="cannot be merged"):
        merge_indexes([index, write_index(tmp_path / "other", wanted, EARLIER)], str(tmp_path / "both"))
    assert not (tmp_path / "both" / NAME).exists()


def test_an_index_lies_in_a_run_or_in_a_folder_of_its_own(tmp_path: Path) -> None:
    index = write_index(tmp_path / "run" / "index", VERIFIED, EARLIER)
    assert read_index(str(tmp_path / "run")) == read_index(f"{tmp_path}/run/") == index


def refused(path: Path) -> str:
    with pytest.raises(UserError) as raised:
        read_index(str(path))
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_an_index_that_is_not_there_or_not_whole_is_refused(tmp_path: Path) -> None:
    assert "holds no index" in refused(tmp_path) and "dedup: {index: true}" in refused(tmp_path / "none")
    write_index(tmp_path, VERIFIED, EARLIER[:1], EARLIER[1:])
    file = tmp_path / "web/1.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert "web/1.parquet is missing or not whole" in refused(tmp_path)
    file.unlink()
    assert "web/1.parquet is missing or not whole" in refused(tmp_path)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"\xff", b'{"format": 1, "files": [], "signing": 5'])
def test_a_description_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    assert "is not what this version writes: make the index again" in refused(tmp_path)


def test_an_index_of_another_version_is_refused(tmp_path: Path) -> None:
    write_index(tmp_path, VERIFIED, EARLIER)
    content = json.loads((tmp_path / NAME).read_text())
    for change in ({"format": FORMAT + 1}, {"files": [{"path": "x"}]}, {"files": 5}):
        (tmp_path / NAME).write_text(json.dumps(content | change))
        assert "is not what this version writes" in refused(tmp_path)
