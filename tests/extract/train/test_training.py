"""A whole training on a few composed pages: folds by domain, the same bytes every time, what lies beside the weights."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from connectors.errors import UserError
from curation.extract.main_text.extractor import Extractor
from curation.extract.main_text.kernels import trees
from curation.extract.main_text.weights import load_model
from curation.extract.train import __main__ as training
from curation.extract.train import boosted_trees, cross_validation, stages
from curation.extract.train.calibration import MOST_KNOTS, calibration
from curation.extract.train.corpus import Corpus, read_corpus
from curation.extract.train.domains import FOLDS, fold_of, registered_domain
from curation.extract.train.gold import gold_pages

PAGES = 20
TEXT = "two botanists saw the plant in a valley and wrote long letters about it to all of their friends"


def sentence(draw: np.random.Generator) -> str:
    return " ".join(draw.choice(TEXT.split(), 14)).capitalize() + "."


def page_line(number: int, draw: np.random.Generator) -> str:
    """A page with furniture, an article and related items."""
    main = [sentence(draw) for _ in range(6)]
    other = "".join(f"<li><a href=/{place}>{sentence(draw)[:20]}</a>" for place in range(8))
    html = f"<nav><ul>{other}</ul></nav><article>{''.join(f'<p>{text}</p>' for text in main)}</article><ul>{other}</ul>"
    return json.dumps(
        {
            "id": str(number),
            "source": "scrapinghub" if number % 4 == 0 else "own",
            "url": f"http://www.site{number // 2}.co.uk/{number}",
            "page_type": ["article", "forum"][number % 2],
            "html": html,
            "truth": {"main_content": "\n".join(main)},
        }
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of composed pages."""
    folder, draw = tmp_path_factory.mktemp("gold"), np.random.default_rng(2)
    lines = [page_line(number, draw) for number in range(PAGES)]
    (folder / "pages.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def corpus(data: Path) -> Corpus:
    return read_corpus(gold_pages(str(data)))


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_ROUNDS", "SECOND_ROUNDS", "TYPE_ROUNDS"):
        monkeypatch.setattr(stages, name, 4)
    monkeypatch.setitem(boosted_trees.OF_BLOCKS, "min_data_in_leaf", 5)
    monkeypatch.setitem(boosted_trees.OF_BLOCKS, "min_sum_hessian_in_leaf", 0.1)


def test_pages_of_a_registered_domain_are_in_one_fold(corpus: Corpus) -> None:
    assert registered_domain("https://a.b.site.co.uk:80/x?y") == "site.co.uk"
    assert registered_domain("http://10.0.0.1/x") == "10.0.0.1"
    assert registered_domain("http://[") == "http://[" and registered_domain("page 7") == "page 7"
    assert fold_of("http://www.site1.co.uk/a") == fold_of("https://forum.site1.co.uk/b")
    assert all(corpus.folds[number] == corpus.folds[number + 1] for number in range(0, PAGES, 2))
    assert len(set(corpus.folds.tolist())) == FOLDS


@pytest.mark.usefixtures("few_trees")
def test_two_trainings_write_the_same_bytes_and_say_what_they_are(data: Path, tmp_path: Path) -> None:
    written = []
    for run, threads in (("first", 1), ("second", 2)):
        training.main(str(data), tmp_path / run / "folds", tmp_path / run / "weights.npz", threads)
        paths = sorted(path for path in (tmp_path / run).rglob("*") if path.is_file())
        written.append({path.relative_to(tmp_path / run): path.read_bytes() for path in paths})
    assert written[0] == written[1]
    assert len(written[0]) == FOLDS + 2
    told = written[0][Path("weights.txt")].decode()
    for expected in (
        "scrapinghub, 5 pages",
        "MIT licence",
        "own, 15 pages",
        "lightgbm",
        "by crc32",
        "f1_articles",
        "forum",
    ):
        assert expected in told
    with np.load(tmp_path / "first/weights.npz") as file:
        knots = file["calibration"]
    assert knots.dtype == np.float32 and 1 <= len(knots) <= MOST_KNOTS
    html = next(gold_pages(str(data))).html
    assert "botanists" in Extractor(load_model(tmp_path / "first/weights.npz")).main_text(html)


@pytest.mark.usefixtures("few_trees")
def test_weights_of_a_fold_see_nothing_of_its_pages(corpus: Corpus) -> None:
    """Other labels and sizes of the held-out pages change no weight; those of another fold do."""
    fold = int(corpus.folds[0])

    def fitted(changed: np.ndarray) -> dict[str, np.ndarray]:
        labels = np.where(changed, 1 - corpus.labels, corpus.labels)
        types = np.where(corpus.folds == fold, 2, corpus.types)
        return stages.fit_weights(replace(corpus, labels=labels, types=types), fold, 1, lambda _: None)

    plain = fitted(np.zeros(len(corpus.labels), bool))
    held_out = fitted(corpus.block_folds == fold)
    inside = fitted(corpus.block_folds != fold)
    assert all(np.array_equal(plain[name], held_out[name]) for name in plain)
    assert not np.array_equal(plain["lin_n"], inside["lin_n"])


@pytest.mark.usefixtures("few_trees")
def test_packed_trees_give_what_lightgbm_gives(corpus: Corpus) -> None:
    """Oracle: LightGBM's own prediction. One stage's trees through the engine's kernels."""
    draw = np.random.default_rng(1)
    rows = draw.normal(size=(400, 6)).astype(np.float32)
    targets = (rows[:, 0] + rows[:, 1] > 0).astype(np.float32)
    package = boosted_trees.lightgbm()
    booster = package.train({**boosted_trees.OF_BLOCKS, "num_threads": 1}, package.Dataset(rows, targets), 12)
    arrays = boosted_trees.packed(booster)
    packed = trees.pack(*(arrays[part] for part in ("feat", "left", "thr", "val", "roots", "depths")))
    tile, scores = np.zeros(trees.TILE * 6, np.int32), np.zeros(400, np.float32)
    trees.add_trees(rows, np.arange(400, dtype=np.int32), 400, 6, packed, tile, scores)
    assert np.abs(scores - booster.predict(rows, raw_score=True)).max() < 1e-5
    assert scores.std() > 0.1


def test_the_calibration_grows_and_has_few_knots() -> None:
    draw = np.random.default_rng(4)
    expected = draw.random(500)
    measured = np.clip(expected**2 + draw.normal(0, 0.2, 500), 0, 1)
    knots = calibration(expected, measured)
    assert 3 <= len(knots) <= MOST_KNOTS
    assert (np.diff(knots, axis=0) > 0).all()
    middle = np.interp([0.3, 0.6, 0.9], *knots.T)
    assert np.abs(middle - np.array([0.09, 0.36, 0.81])).max() < 0.12
    assert calibration(np.zeros(0), np.zeros(0)).shape == (0, 2)


def test_figures_are_by_type_and_of_articles(corpus: Corpus) -> None:
    right = cross_validation.figures(corpus.pages, [page.main or "" for page in corpus.pages])
    assert {name: value for name, (_, value) in right.items()} == dict.fromkeys(right, 1.0)
    assert {name: count for name, (count, _) in right.items()} == {
        "article": 5,
        "forum": 10,
        "f1_types": 15,
        "f1_articles": 5,
    }


def test_without_lightgbm_one_line_names_the_extra(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(UserError, match=r"'lightgbm' is not installed.*corpusmill\[train-extraction\]"):
        training.main(str(data))


def test_a_folder_without_pages_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No pages in"):
        list(gold_pages(str(tmp_path)))
    (tmp_path / "x.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(UserError, match="line 1"):
        list(gold_pages(str(tmp_path)))


def test_pages_of_one_site_cannot_be_cross_validated(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(page_line(1, np.random.default_rng(1)))
    with pytest.raises(UserError, match="in 1 of 5 folds"):
        training.main(str(tmp_path))
