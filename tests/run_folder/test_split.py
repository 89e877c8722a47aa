"""Splits: their names and order come from the sources and the paths below them, never from where the files lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connectors.errors import UserError
from curation.run.documents import document_id
from curation.run.split import Split, plan_splits


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A crawl in two folders and another source."""
    for name in ("crawl/b/2.warc.gz", "crawl/b/10.warc.gz", "crawl/a/1.warc.gz", "news/1.warc.gz"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def names(*inputs: str) -> list[str]:
    return [split.name for split in plan_splits(inputs)]


def test_a_source_is_called_as_the_folder_of_its_pattern(files: Path) -> None:
    everything = ["crawl/a/1.warc.gz", "crawl/b/10.warc.gz", "crawl/b/2.warc.gz"]
    assert names(f"{files}/crawl") == names(f"{files}/crawl/") == names(f"{files}/crawl/**/*.warc.gz") == everything
    assert names(f"{files}/crawl/b/*.warc.gz") == ["b/10.warc.gz", "b/2.warc.gz"]
    assert names(f"{files}/news/1.warc.gz") == ["news/1.warc.gz"]
    assert names(f"file://{files}/news/1.warc.gz") == ["news/1.warc.gz"]


def test_a_name_given_wins(files: Path) -> None:
    assert names(f"web={files}/news", f"{files}/crawl/a") == ["web/1.warc.gz", "a/1.warc.gz"]
    (files / "odd").mkdir()
    (files / "odd" / "a=b.warc.gz").touch()
    assert names(f"{files}/odd/a=b.warc.gz") == ["odd/a=b.warc.gz"]


def test_the_working_folder_does_not_show(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(files / "crawl")
    assert names(".") == names(str(files / "crawl")) == names("../crawl")
    assert names("*/1.warc.gz") == ["crawl/a/1.warc.gz"]
    monkeypatch.chdir("/")
    assert names(os.path.relpath(files / "crawl", "/")) == names(str(files / "crawl"))


def test_a_split_knows_its_size_and_place(files: Path) -> None:
    (split,) = plan_splits([f"{files}/news"])
    assert split == Split("news", "1.warc.gz", str(files / "news" / "1.warc.gz"), len("news/1.warc.gz"))
    assert Split("s", "big.parquet", "/x", 9, 100, 200).name == "s/big.parquet@100-200"
    assert Split("s", "big.parquet", "/x", 9, 100).name == "s/big.parquet@100-"


def test_one_file_named_twice_is_the_users_mistake(files: Path) -> None:
    with pytest.raises(UserError, match="Two inputs hold news/1.warc.gz: name the sources apart"):
        plan_splits([f"{files}/news", f"{files}/news/*"])
    assert len(plan_splits([f"a={files}/news", f"b={files}/news"])) == 2


@pytest.mark.parametrize("pattern", ["none", "crawl/*.zip", "crawl/**/*.nothing", ""])
def test_nothing_found_is_the_users_mistake(files: Path, pattern: str) -> None:
    with pytest.raises(UserError, match="No file matches"):
        plan_splits([f"{files}/{pattern}" if pattern else f"{files}/new"])


def test_a_document_is_named_by_source_archive_and_offset() -> None:
    ids = {document_id(s, a, n) for s in ("a", "ab") for a in ("b", "c") for n in (0, 1, 10)}
    assert len(ids) == 12 and all(len(doc_id) == 16 for doc_id in ids)
    assert document_id("crawl", "00000.warc.gz", 341).hex() == document_id("crawl", "00000.warc.gz", 341).hex()
