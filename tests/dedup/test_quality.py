"""What deduplication finds, held against what is true: on real documents and their copies, on the sample crawl, on planted ones.

Oracles: the true Jaccard similarity of every pair, over runs of five words; for the unverified mode the clusters of datatrove
0.10.1, its four MinHash stages over the same documents.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks.dedup_run import PLAN, SignSplit, kept_for, read_duplicates, write_survivors
from benchmarks.dedup_scale import deduplicate_planted, planted_quality, write_splits
from benchmarks.duplicate_truth import TARGET, Pair, listed_similarities, quality
from benchmarks.synthetic_files import PlantedSketches
from benchmarks.synthetic_signatures import KINDS, VALUES, Planted
from curation.dedup.banding import Banding, choose_banding, finer
from curation.dedup.homes import Home, Part
from curation.dedup.keys import Keys, Signing
from curation.dedup.shingles import Shingling
from curation.engines.engine import Engine
from curation.engines.local import LocalEngine
from curation.engines.spark import SparkEngine
from curation.pipeline import deduplicate as stage
from curation.run.folder import RunFolder
from curation.sample.populations import compose
from tests.dedup import planted
from tests.dedup.runs import Here, always_the_engine
from tests.pipeline.fixtures import spark_engine

__all__ = ["always_the_engine", "spark_engine"]

UNVERIFIED = Signing(Shingling(), 112, Banding(14, 8), None)
BANDING = choose_banding(TARGET)
VERIFIED = Signing(Shingling(), VALUES, BANDING, finer(BANDING, VALUES))
HOME = 300  # documents: small, so that there are many


def deduplicated(
    folder: Path,
    texts: Sequence[str],
    signing: Signing,
    engine: Engine | None = None,
    splits: int = 3,
    exact: bool = True,
    home: int = HOME,
) -> dict[int, int]:
    """For each document that is removed, by its place in the list, the one that it is removed for."""
    engine, run = engine or Here(), RunFolder(str(folder))
    step = Keys(url=False, exact=exact, near=signing)
    cuts = np.linspace(0, len(texts), splits + 1).astype(int).tolist()
    receipts = [
        write_survivors(run, f"{number:02}", texts[first:stop])
        for number, (first, stop) in enumerate(zip(cuts, cuts[1:], strict=False))
    ]
    for receipt in receipts:
        SignSplit(run, step)(receipt.unit)
    target = TARGET if signing.finer else None
    settings = stage.settings_of(False, exact, signing, target)
    stage.deduplicate(engine, run, PLAN, settings, stage.parts_of(run, receipts), home)
    found = kept_for(run, receipts, [str(place) for place in range(len(texts))])
    return {int(removed): int(kept) for removed, kept in found.items()}


def lists_of(folder: Path) -> dict[str, bytes]:
    """The lists of duplicates, byte for byte."""
    return {path.name: path.read_bytes() for path in sorted((folder / "work" / "duplicates").iterdir())}


def clusters(kept: dict[int, int], names: Sequence[str]) -> list[list[str]]:
    """Kept documents with those removed for them, by name, sorted."""
    members: dict[int, list[str]] = {}
    for removed, first in kept.items():
        members.setdefault(first, [names[first]]).append(names[removed])
    return sorted(sorted(cluster) for cluster in members.values())


def documents_of(path: Path) -> tuple[list[str], list[str]]:
    """Ids and texts."""
    with gzip.open(path) as lines:
        rows = [json.loads(line) for line in lines]
    return [row["id"] for row in rows], [row["text"] for row in rows]


@pytest.fixture(scope="module")
def altered(shared: Path) -> tuple[list[str], list[str]]:
    """1,500 real documents, of which 680 are altered copies."""
    return documents_of(shared / "bench" / "dedup_en.jsonl.gz")


@pytest.fixture(scope="module")
def similar(shared: Path) -> dict[Pair, float]:
    """All pairs of them that have anything in common to speak of."""
    return listed_similarities(shared / "bench" / "dedup_pairs.tsv")


@pytest.fixture(scope="module")
def of_datatrove(shared: Path) -> dict[str, list[list[str]]]:
    """datatrove's clusters, by corpus."""
    found = json.loads((shared / "bench" / "dedup_datatrove.json").read_text())
    return {name: sorted(sorted(c) for c in part["clusters"]) for name, part in found.items() if "clusters" in part}


def test_verified_removes_what_is_similar_and_nothing_else(
    altered: tuple[list[str], list[str]], similar: dict[Pair, float], tmp_path: Path
) -> None:
    ids, texts = altered
    kept = deduplicated(tmp_path, texts, VERIFIED)
    found = quality({ids[removed]: ids[first] for removed, first in kept.items()}, similar)
    assert found.removed > 300
    assert found.precision >= 0.99
    assert found.missed <= 0.005
    assert all(first < removed and first not in kept for removed, first in kept.items())


@pytest.mark.parametrize(("splits", "home"), [(1, 10_000), (7, 300), (40, 1)])
def test_unverified_has_the_clusters_of_datatrove(
    altered: tuple[list[str], list[str]],
    of_datatrove: dict[str, list[list[str]]],
    tmp_path: Path,
    splits: int,
    home: int,
) -> None:
    ids, texts = altered
    kept = deduplicated(tmp_path, texts, UNVERIFIED, splits=splits, home=home, exact=False)
    assert clusters(kept, ids) == of_datatrove["dedup_en"]
    assert all(first < removed for removed, first in kept.items())


def test_unverified_has_the_clusters_of_datatrove_among_more_documents(
    altered: tuple[list[str], list[str]], of_datatrove: dict[str, list[list[str]]], shared: Path, tmp_path: Path
) -> None:
    ids, texts = documents_of(shared / "bench" / "corpus_en_4000.jsonl.gz")
    kept = deduplicated(tmp_path, texts + altered[1], UNVERIFIED, splits=9, exact=False)
    assert clusters(kept, ids + altered[0]) == of_datatrove["corpus_en_4000_then_dedup_en"]


@pytest.mark.parametrize("signing", [VERIFIED, UNVERIFIED], ids=["verified", "unverified"])
def test_neither_homes_nor_partitions_nor_the_order_of_arrival_shows(
    altered: tuple[list[str], list[str]],
    tmp_path: Path,
    signing: Signing,
    monkeypatch: pytest.MonkeyPatch,
    always_the_engine: None,
) -> None:
    texts = altered[1]
    expected = deduplicated(tmp_path / "0", texts, signing, splits=6, home=10_000)
    for number, (home, keys) in enumerate([(250, 4_000_000), (1, 1_000), (600, 30)], start=1):
        monkeypatch.setattr(stage, "KEYS_PER_PARTITION", keys)
        backwards = Here(backwards=number > 1)
        assert deduplicated(tmp_path / str(number), texts, signing, backwards, splits=6, home=home) == expected
        assert lists_of(tmp_path / str(number)) == lists_of(tmp_path / "0")


@pytest.fixture(scope="module")
def local_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEngine]:
    """Two workers."""
    opened = LocalEngine(str(tmp_path_factory.mktemp("scratch")), 2)
    yield opened
    opened.close()


@pytest.mark.parametrize("signing", [VERIFIED, UNVERIFIED], ids=["verified", "unverified"])
def test_workers_give_the_same_bytes(
    local_engine: LocalEngine, tmp_path: Path, signing: Signing, always_the_engine: None
) -> None:
    texts = planted.chain(60) + planted.boilerplate(60)
    expected = deduplicated(tmp_path / "here", texts, signing, splits=5, home=40)
    assert expected
    assert deduplicated(tmp_path / "local", texts, signing, local_engine, splits=5, home=40) == expected
    assert lists_of(tmp_path / "local") == lists_of(tmp_path / "here")


@pytest.mark.spark
@pytest.mark.parametrize("signing", [VERIFIED, UNVERIFIED], ids=["verified", "unverified"])
def test_spark_gives_the_same_bytes(
    spark_engine: SparkEngine, tmp_path: Path, signing: Signing, always_the_engine: None
) -> None:
    texts = planted.chain(60) + planted.boilerplate(60)
    expected = deduplicated(tmp_path / "here", texts, signing, splits=5, home=40)
    assert expected
    assert deduplicated(tmp_path / "spark", texts, signing, spark_engine, splits=5, home=40) == expected
    assert lists_of(tmp_path / "spark") == lists_of(tmp_path / "here")


PROSE = ("prose", "personal_data", "partial_copy", "exact_copy", "near_copy_95", "near_copy_90")


def test_the_planted_copies_of_the_sample_crawl_are_found(tmp_path: Path) -> None:
    numbers, texts, copies = [], [], {}
    for number in range(2_500):
        population, page = compose(1, number)
        if population.name in PROSE and page.text is not None:
            numbers.append(number)
            texts.append(page.text.main_text)
            copies[number] = page.original, page.jaccard
    kept = {numbers[r]: numbers[f] for r, f in deduplicated(tmp_path, texts, VERIFIED).items()}
    truth = {number: original for number, (original, jaccard) in copies.items() if jaccard and jaccard >= TARGET}
    found = quality(
        {str(removed): str(first) for removed, first in kept.items()},
        similarities_in_families(truth, dict(zip(numbers, texts, strict=True))),
    )
    assert len(truth) > 200
    assert set(kept) == set(truth)
    assert found.precision >= 0.99
    assert found.missed <= 0.005


def similarities_in_families(originals: dict[int, int], texts: dict[int, str]) -> dict[Pair, float]:
    """Of each document, its copies among themselves and with it."""
    families: dict[int, list[int]] = {}
    for copy, original in originals.items():
        families.setdefault(original, [original]).append(copy)
    found: dict[Pair, float] = {}
    for members in families.values():
        similarities = planted.true_jaccard([texts[member] for member in members])
        for one in range(len(members)):
            for other in range(one):
                found[frozenset((str(members[one]), str(members[other])))] = float(similarities[one, other])
    return found


def test_a_chain_is_thinned_and_not_eaten(tmp_path: Path) -> None:
    """Neighbours are 0.85 similar, and no others: every other one is kept."""
    texts = planted.chain(300)
    kept = deduplicated(tmp_path / "verified", texts, VERIFIED, splits=7)
    assert sorted(kept) == list(range(1, 300, 2))
    assert all(abs(removed - first) == 1 for removed, first in kept.items())
    unverified = deduplicated(tmp_path / "unverified", texts, UNVERIFIED, splits=7)
    assert len(unverified) > 290, "nothing would be thinned without verification either"


def test_a_chain_in_any_order_leaves_none_without_a_kept_neighbour(tmp_path: Path) -> None:
    order = np.random.default_rng(0).permutation(300).tolist()
    texts = planted.chain(300)
    kept = deduplicated(tmp_path, [texts[place] for place in order], VERIFIED, splits=7)
    assert 100 <= len(kept) <= 200
    assert all(abs(order[removed] - order[first]) == 1 and first not in kept for removed, first in kept.items())
    stays = sorted(order[place] for place in range(300) if place not in kept)
    assert min(np.diff(stays)) == 2


def test_of_boilerplate_the_first_is_kept(tmp_path: Path) -> None:
    kept = deduplicated(tmp_path, planted.boilerplate(900), VERIFIED, splits=5)
    assert kept == dict.fromkeys(range(1, 900), 0)


def test_finer_bands_find_what_hides_behind_a_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All documents share buckets, in which they are compared with the first only; those of a group may share no other."""
    corpus = Planted(3_000, "hub", 3_000)
    signing = Signing(Shingling(), VALUES, Banding(14, 8), Banding(28, 4))
    missed = {}
    for rounds in (0, 2):
        monkeypatch.setattr(stage, "LATER_ROUNDS", rounds)
        run = RunFolder(str(tmp_path / str(rounds)))
        receipts = write_splits(Here(), run, corpus, 500, signing)
        deduplicate_planted(Here(), run, receipts, PlantedSketches(corpus, run.uri("notes")), 500, signing)
        found = planted_quality(corpus, run, receipts)
        assert found.removed > 400
        assert found.precision >= 0.99
        missed[rounds] = found.missed
    assert missed[0] > 0.05
    assert missed[2] <= 0.01


def test_a_round_of_the_same_keys_need_only_look_at_those_that_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = Planted(3_000, "hub", 2_000)
    signing = Signing(Shingling(), VALUES, Banding(14, 8), Banding(28, 4))
    found = []
    for few in (0, 10**9):
        monkeypatch.setattr(stage, "FEW_CHANGED", few)
        run = RunFolder(str(tmp_path / str(few)))
        receipts = write_splits(Here(), run, corpus, 500, signing)
        deduplicate_planted(Here(), run, receipts, PlantedSketches(corpus, run.uri("notes")), 500, signing)
        changed = Path(run.uri("work/dedup/near-1/changed_keys"))
        assert (changed.stat().st_size > 0) if few == 0 else not changed.exists()
        found.append([read_duplicates(run, split.unit) for split in receipts])
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", KINDS)
def test_synthetic_signatures_are_as_similar_as_is_said(kind: str, tmp_path: Path) -> None:
    """What `benchmarks/dedup_scale.py` counts on: signatures and sketches that show the planted similarities."""
    corpus = Planted(6_000, kind, 1_500)
    bytes_of_values = corpus.agreement(0, corpus.documents)
    numbers = np.arange(corpus.documents)
    sketches = corpus.sketches(numbers)
    assert (np.diff(sketches.astype(np.int64), axis=1) > 0).all()
    ones, others = np.divmod(
        np.random.default_rng(1).choice(corpus.documents**2, 400_000, replace=False), corpus.documents
    )
    truth = corpus.similarity(ones, others)
    alike = np.flatnonzero((truth > 0) & (ones != others))[:3_000]
    estimates = (bytes_of_values[ones[alike]] == bytes_of_values[others[alike]]).mean(axis=1)
    assert abs(float((estimates - truth[alike]).mean())) < 0.01
    for pair in alike[:300].tolist():
        shared = len(np.intersect1d(sketches[ones[pair]], sketches[others[pair]]))
        measured = shared / (2 * sketches.shape[1] - shared)
        assert (measured >= TARGET) == (truth[pair] >= TARGET - 1e-9)
    home = Home(0, (Part("0", "", "", 100, 50),))
    (kept,) = PlantedSketches(corpus, str(tmp_path))(home, np.array([7]), 1024).to_pylist()
    assert np.frombuffer(kept, np.uint32).tolist() == sketches[107].tolist()
