"""The stage between the passes, from signatures to lists of duplicates, over composed documents."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import storage
from curation.dedup.addresses import canonical
from curation.dedup.homes import Home
from curation.dedup.keys import Keys, Signing
from curation.dedup.policy import Policy
from curation.dedup.signature_files import KEYS, read_column, words_of
from curation.engines.spark import SparkEngine
from curation.pipeline import deduplicate as stage
from curation.run.folder import RunFolder
from tests.dedup import planted
from tests.dedup.runs import (
    TARGET,
    UNVERIFIED,
    VERIFIED,
    Here,
    Page,
    deduplicated,
    go_on,
    similarity,
    text,
    write_splits,
)

HOMES = (1, 12, 1000)  # documents of a home: a home for each split, some of a few, one for all


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.os, "fsync", lambda _: None)


def dealt(pages: list[Page], splits: int) -> list[list[Page]]:
    """In order, to so many splits, some of them empty."""
    cuts = np.linspace(0, len(pages), splits + 1).astype(int).tolist()
    return [pages[start:stop] for start, stop in zip(cuts, cuts[1:], strict=False)]


def mixed(seed: int = 0) -> list[Page]:
    """Duplicates of every reason among documents that are alone, shuffled."""
    pages = [Page(text(n), f"https://site.example/{n}") for n in range(12)]
    pages += [Page(text(n, 2 + n), f"https://near.example/{n}") for n in range(8)]
    pages += [Page(text(n % 5), f"https://copy.example/{n}") for n in range(10)]
    pages += [Page(text(100 + n), f"http://www.site.example/{n}/?utm_source=x") for n in range(6)]
    pages += [Page("too short", f"https://short.example/{n}") for n in range(2)]
    pages += [Page(each) for each in (*planted.chain(10), *planted.boilerplate(8, 100))]
    return random.Random(seed).sample(pages, len(pages))


# ---- what goes, and for whom ----


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("near", [VERIFIED, UNVERIFIED], ids=["verified", "unverified"])
def test_address_before_text_before_similarity(tmp_path: Path, home: int, near: Signing) -> None:
    pages = [
        Page(text(1), "https://a.example/1"),
        Page(text(1), "http://www.a.example/1/"),  # both the same page and the same text
        Page(text(1), "https://a.example/2"),
        Page(text(1, 3), "https://a.example/3"),
        Page(text(2), "https://a.example/1#more"),  # the page as it was another day
        Page(text(3), "https://a.example/3"),  # the page of one that is itself out, for its text's likeness to 0
        Page(text(1, 3), "https://a.example/6"),  # the text of one that is out
        Page(text(4), "https://a.example/7"),
    ]
    found = deduplicated(tmp_path, dealt(pages, len(pages)), home=home, near=near)
    assert found.reasons == {
        1: ("url", 0),
        2: ("exact", 0),
        3: ("minhash", 0),
        4: ("url", 0),
        5: ("url", 0),
        6: ("exact", 0),
    }
    alike = similarity(3)
    assert [found.found[n].similarity for n in (1, 4, 5)] == [None] * 3  # the same page, whatever stood there
    assert found.found[2].similarity == 1.0
    assert found.found[6].similarity == found.found[3].similarity == pytest.approx(alike, abs=0.07)
    assert found.found[3].jaccard == pytest.approx(alike)
    facts = found.receipt.facts
    assert (facts["url"], facts["exact"], facts["minhash"], facts["duplicates"]) == (3, 2, 1, 6)
    assert found.receipt.records == 8


def test_near_the_target_the_true_similarity_decides(tmp_path: Path) -> None:
    """With 11 words changed two texts are enough alike, with 12 they are not; an estimate could not tell."""
    pages = [Page(text(n, changed)) for n in range(12) for changed in (0, 11, 12)]
    found = deduplicated(tmp_path, dealt(pages, 5), home=4)
    assert similarity(12) < TARGET < similarity(11)
    assert found.reasons == {n: ("minhash", n - 1) for n in range(1, len(pages), 3)}
    measured = [each for each in found.found.values() if each.similarity == pytest.approx(similarity(11), abs=1e-6)]
    assert len(measured) >= 10
    assert all(each in measured or each.similarity >= TARGET + stage.MARGIN for each in found.found.values())


@pytest.mark.parametrize("home", HOMES)
def test_a_chain_is_thinned_to_every_other(tmp_path: Path, home: int) -> None:
    pages = [Page(each) for each in planted.chain(40)]
    found = deduplicated(tmp_path, dealt(pages, 9), home=home)
    assert found.reasons == {n: ("minhash", n - 1) for n in range(1, 40, 2)}


def test_documents_without_text_or_shingles(tmp_path: Path) -> None:
    pages = [Page(""), Page("a few words"), Page("a few words more"), Page(" "), Page(text(1)), Page("", "http://a.b/")]
    for near in (VERIFIED, UNVERIFIED):
        found = deduplicated(tmp_path / f"{near.values}{near.finer}", dealt(pages, 3), near=near, home=1)
        assert found.reasons == {3: ("exact", 0), 5: ("exact", 0)}
    nothing = deduplicated(tmp_path / "none", dealt([Page("a"), Page("b"), Page("")], 3), home=1)
    assert nothing.found == {} and nothing.receipt.facts["duplicates"] == 0


@pytest.mark.parametrize("near", [VERIFIED, UNVERIFIED, None], ids=["verified", "unverified", "equal only"])
@pytest.mark.parametrize("splits", [[], [[]], [[], [], []], [[Page(text(1))]], [[], [Page("")], []]])
def test_no_document_and_a_single_one(tmp_path: Path, splits: list[list[Page]], near: Signing | None) -> None:
    found = deduplicated(tmp_path, splits, near=near)
    assert found.found == {} and found.lists == {} and found.receipt.records == sum(map(len, splits))


# ---- which one stays ----

POLICIES = {
    "first": (Policy(), 0),
    "longest": (Policy("longest"), 2),
    "newest": (Policy("newest"), 1),
    "best": (Policy("", "score"), 3),
    "sources": (Policy("first", "", ("wiki", "books")), 3),
    "sources, then longest": (Policy("longest", "", ("books", "wiki")), 4),
}


@pytest.mark.parametrize("home", [1, 1000])
@pytest.mark.parametrize("near", [VERIFIED, UNVERIFIED], ids=["verified", "unverified"])
@pytest.mark.parametrize("policy", POLICIES)
def test_the_keep_policy_says_who_stays(tmp_path: Path, policy: str, near: Signing, home: int) -> None:
    pages = [
        Page(text(1), source="web", date="2020-01-01T00:00:00Z", score=0.5),
        Page(text(1, 1)[:-3], source="web", date="2024-01-01T00:00:00Z", score=None),
        Page(text(1, 2) + "s and the longest of them all", source="web", date="2021-01-01T00:00:00Z", score=-1.0),
        Page(text(1, 3)[:-3], source="wiki", date="", score=0.75),
        Page(text(1, 4), source="books", date="2019-01-01T00:00:00Z", score=0.25),
    ]
    chosen, stays = POLICIES[policy]
    found = deduplicated(tmp_path, dealt(pages, 5), policy=chosen, near=near, home=home)
    assert found.reasons == {n: ("minhash", stays) for n in range(5) if n != stays}


def test_the_policy_holds_for_equal_texts_and_addresses_too(tmp_path: Path) -> None:
    pages = [
        Page(text(1), "http://a.example/", date="2020-01-01T00:00:00Z"),
        Page(text(1), "http://b.example/", date="2021-01-01T00:00:00Z"),
        Page(text(2), "http://b.example/", date="2022-01-01T00:00:00Z"),
        Page(text(2), "http://c.example/", date="2021-06-01T00:00:00Z"),
    ]
    found = deduplicated(tmp_path, dealt(pages, 4), policy=Policy("newest"), home=1)
    # 1 is out for the newer capture of its page and so stands for nobody: 0 stays
    assert found.reasons == {1: ("url", 2), 3: ("exact", 2)}


# ---- held against what is slow and obviously right ----


def slow_equal(pages: list[Page], policy: list[int]) -> dict[int, str]:
    """Which documents go by address or text: all but the first in rank of each, those before out of the second round."""
    gone: dict[int, str] = {}
    for reason in ("url", "exact"):
        first: dict[str, int] = {}
        left = [n for n in sorted(range(len(pages)), key=lambda n: (policy[n], n)) if n not in gone]
        for number in left:
            page = pages[number]
            key = " ".join(page.text.split()) if reason == "exact" else canonical(page.url)
            if (reason == "exact" or page.url) and first.setdefault(key, number) != number:
                gone[number] = reason
    return gone


@settings(max_examples=25)
@given(st.data())
def test_any_documents_in_any_splits(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    drawn = st.builds(
        Page,
        st.builds(text, st.integers(0, 3), st.sampled_from([0, 0, 4, 11, 20])) | st.sampled_from(["", "short text"]),
        st.sampled_from(["", "http://a.b/1", "https://www.a.b/1/", "http://a.b/2", "http://a.b/3"]),
        st.sampled_from(["web", "wiki"]),
    )
    splits = data.draw(st.lists(st.lists(drawn, max_size=6), min_size=1, max_size=5))
    pages = [page for split in splits for page in split]
    policy = Policy("first", "", ("wiki",))
    found = deduplicated(
        tmp_path_factory.mktemp("run"), splits, policy=policy, home=data.draw(st.sampled_from([1, 5, 100]))
    )
    equal = {n: each.reason for n, each in found.found.items() if each.reason != "minhash"}
    classes = [0 if page.source == "wiki" else 1 for page in pages]
    assert equal == slow_equal(pages, classes)
    truth = planted.true_jaccard([page.text for page in pages])
    for number, each in found.found.items():
        assert each.kept not in found.found
        if each.reason == "minhash":
            assert truth[number, each.kept] >= TARGET
            assert (classes[each.kept], each.kept) < (classes[number], number)
            assert each.jaccard == pytest.approx(truth[number, each.kept], abs=1e-6)
    stays = [n for n in range(len(pages)) if n not in found.found]
    assert all(truth[a, b] < TARGET for a in stays for b in stays if a < b and len(pages[a].text) > 100)


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("keep", ["first", "longest"])
def test_unverified_duplicates_are_the_components(tmp_path: Path, home: int, keep: str) -> None:
    policy = Policy(keep)
    pages = [Page(page.text) for page in mixed()] + [Page(each) for each in planted.chain(30, 4)]
    found = deduplicated(tmp_path, dealt(pages, 9), near=UNVERIFIED, exact=False, policy=policy, home=home)
    keys = Keys(url=False, exact=False, near=UNVERIFIED, policy=policy)
    (part,) = write_splits(RunFolder(str(tmp_path / "aside")), [pages], keys)
    column = read_column(Home(0, (part,)), KEYS)
    words, present = words_of(column), np.asarray(column.is_valid())
    label = list(range(len(pages)))
    for band in range(words.shape[1]):  # joins whoever shares a key, by relabelling all of one
        first: dict[int, int] = {}
        for number in np.flatnonzero(present).tolist():
            other = first.setdefault(int(words[number, band]), number)
            label = [label[other] if each == label[number] else each for each in label]
    classes = read_column(Home(0, (part,)), "policy_class").to_pylist()
    kept: dict[int, int] = {}
    for number in sorted(range(len(pages)), key=lambda n: (classes[n], n)):
        kept.setdefault(label[number], number)
    assert {n: each.kept for n, each in found.found.items()} == {
        n: kept[label[n]] for n in range(len(pages)) if kept[label[n]] != n
    }
    assert len(found.found) > 40


# ---- the same bytes ----


@pytest.mark.parametrize("near", [VERIFIED, UNVERIFIED], ids=["verified", "unverified"])
def test_homes_partitions_and_order_of_arrival_do_not_show(
    tmp_path: Path, near: Signing, monkeypatch: pytest.MonkeyPatch, always_the_engine: None
) -> None:
    splits, policy = dealt(mixed(), 7), Policy("longest")
    expected = deduplicated(tmp_path / "one", splits, near=near, policy=policy)
    assert {each.reason for each in expected.found.values()} == {"url", "exact", "minhash"}
    for number, (home, keys) in enumerate([(20, 4_000_000), (1, 4_000_000), (20, 120), (1, 10)]):
        monkeypatch.setattr(stage, "KEYS_PER_PARTITION", keys)
        engine = Here(backwards=number % 2 == 1)
        found = deduplicated(tmp_path / str(number), splits, near=near, policy=policy, home=home, engine=engine)
        assert found.lists == expected.lists and found.receipt.facts == expected.receipt.facts


def test_splits_do_not_show_either(tmp_path: Path) -> None:
    pages = mixed()
    expected = deduplicated(tmp_path / "1", dealt(pages, 1))
    for splits in (2, 7, 60):
        assert deduplicated(tmp_path / str(splits), dealt(pages, splits), home=10).found == expected.found


@pytest.mark.spark
@pytest.mark.parametrize("keys", [4_000_000, 300], ids=["a partition", "several"])
def test_spark_gives_the_same_bytes(
    tmp_path: Path, spark_engine: SparkEngine, keys: int, monkeypatch: pytest.MonkeyPatch, always_the_engine: None
) -> None:
    splits = dealt(mixed(), 7)
    expected = deduplicated(tmp_path / "here", splits)
    monkeypatch.setattr(stage, "KEYS_PER_PARTITION", keys)
    assert deduplicated(tmp_path / "spark", splits, home=10, engine=spark_engine).lists == expected.lists


# ---- going on ----


def receipts(run: RunFolder) -> list[Path]:
    """In the order in which they were written; the stage's own is the last."""
    paths = sorted(Path(run.uri("receipts/dedup")).glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    assert paths[-1].stem == stage.UNIT
    return paths


def state(run: RunFolder) -> dict[Path, tuple[int, int]]:
    """When each file was written, and which it is."""
    files = [path for path in Path(run.root).rglob("*") if path.is_file()]
    return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in files}


@pytest.mark.parametrize("near", [VERIFIED, UNVERIFIED], ids=["verified", "unverified"])
def test_a_stage_goes_on_where_it_stopped(tmp_path: Path, near: Signing) -> None:
    splits = dealt(mixed(), 5)
    keys = Keys(url=True, exact=True, near=near)
    run = RunFolder(str(tmp_path))
    parts = write_splits(run, splits, keys)
    target = TARGET if near.finer else None
    whole = go_on(run, parts, keys, target, 12)
    names = [path.name for path in receipts(run)]
    for lost in (1, 2, 5, len(names) // 2, len(names) - 1, len(names)):
        for path in receipts(run)[len(names) - lost :]:
            path.unlink()
        before = state(run)
        again = go_on(run, parts, keys, target, 12)
        after = state(run)
        untouched = [path for path in before if path.suffix == ".json"]
        untouched += [Path(run.uri(p)) for r in untouched for p in stage.Receipt.from_json(r.read_bytes()).outputs]
        assert all(before[path] == after[path] for path in untouched), lost
        assert [path.name for path in receipts(run)] == names
        assert again.lists == whole.lists and again.receipt.facts == whole.receipt.facts


def test_nothing_that_is_complete_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keys(url=True, exact=True, near=VERIFIED)
    run = RunFolder(str(tmp_path))
    parts = write_splits(run, dealt(mixed(), 5), keys)
    whole = go_on(run, parts, keys, TARGET, 12)

    def never(*_: Any) -> Any:
        raise AssertionError("a task was started")

    monkeypatch.setattr(Here, "map", never)
    monkeypatch.setattr(Here, "shuffle", never)
    assert go_on(run, parts, keys, TARGET, 12).lists == whole.lists
    receipts(run)[-1].unlink()  # only the receipt over all of them is made again
    assert go_on(run, parts, keys, TARGET, 12).receipt.facts == whole.receipt.facts


def test_a_file_that_is_gone_is_made_again(tmp_path: Path) -> None:
    """A receipt whose file is not there counts for nothing."""
    keys = Keys(url=True, exact=True, near=VERIFIED)
    run = RunFolder(str(tmp_path))
    parts = write_splits(run, dealt(mixed(), 5), keys)
    whole = go_on(run, parts, keys, TARGET, 12)
    (tmp_path / "work/dedup/exact/removed/1.arrow").unlink()
    next((tmp_path / "work/duplicates").rglob("*.parquet")).unlink()
    assert go_on(run, parts, keys, TARGET, 12).lists == whole.lists


class Deaf(Here):
    """An engine that loses a result."""

    def map(self, task: Any, items: Any, alike: bool = False) -> Any:
        yield from list(super().map(task, items))[1:]


def test_a_home_that_was_not_heard_of_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="4 of 5 homes were heard of"):
        deduplicated(tmp_path, dealt(mixed(), 5), home=1, engine=Deaf())


def test_a_signature_file_of_another_length_is_an_error(tmp_path: Path) -> None:
    keys = Keys(url=True, exact=True, near=VERIFIED)
    run = RunFolder(str(tmp_path))
    parts = write_splits(run, dealt(mixed(), 5), keys)
    write_splits(run, [[Page("another")]], keys)
    with pytest.raises(ValueError, match="has 1 documents, not"):
        go_on(run, parts, keys, TARGET, 12)
