"""The public sets' checkouts into one folder."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from connectors.errors import UserError
from curation.extract.train import gather
from curation.extract.train.gold import gold_pages


@pytest.fixture
def checkouts(tmp_path: Path) -> tuple[Path, Path]:
    """Two small ones, with a test split that must not be opened."""
    wcxb, articles = tmp_path / "wcxb", tmp_path / "articles"
    for split in ("dev", "test"):
        for part in ("ground-truth", "html"):
            (wcxb / split / part).mkdir(parents=True)
        for name, truth in (("a", {"main_content": "Text."}), ("b", {"title": "none"})):
            read = {"url": None, "ground_truth": truth, "_internal": {"page_type": {"primary": "category"}}}
            (wcxb / split / "ground-truth" / f"{split}-{name}.json").write_text(json.dumps(read))
            (wcxb / split / "html" / f"{split}-{name}.html.gz").write_bytes(gzip.compress(b"<p>Text."))
    files = {f"dev-{name}": {"domain": "site.example"} for name in "ab"}
    (wcxb / "metadata.json").write_text(json.dumps({"files": files}))
    (articles / "html").mkdir(parents=True)
    (articles / "html/x.html.gz").write_bytes(gzip.compress(b"<p>\xff"))
    (articles / "ground-truth.json").write_text(json.dumps({"x": {"url": "http://x.example/", "articleBody": "Body"}}))
    return wcxb, articles


def test_only_the_development_split_is_read(checkouts: tuple[Path, Path], tmp_path: Path) -> None:
    gather.main(*checkouts, tmp_path / "out")
    pages = list(gold_pages(str(tmp_path / "out")))
    assert [(page.id, page.source, page.url, page.page_type, page.main) for page in pages] == [
        ("x", "scrapinghub", "http://x.example/", "article", "Body"),
        ("dev-a", "wcxb-dev", "http://site.example", "collection", "Text."),
    ]
    assert [page.html for page in pages] == [b"<p>\xff", b"<p>Text."]


@pytest.mark.parametrize("inside", ["test", "dev", "nowhere"])
def test_a_split_in_place_of_the_checkout_is_refused(checkouts: tuple[Path, Path], tmp_path: Path, inside: str) -> None:
    with pytest.raises(UserError, match="dev/ alone is read"):
        gather.main(checkouts[0] / inside, checkouts[1], tmp_path / "out")
