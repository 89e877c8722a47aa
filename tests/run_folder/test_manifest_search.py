"""Parts and rows of a manifest are the same as those of the manifest parsed whole, however it is laid out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import UserError
from curation.run.folder import RunFolder
from curation.run.manifest import write_manifest
from curation.run.manifest_search import ManifestSearch

names = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=8)
TRICKY = ['y\n "shards": 1', '"', "\n  {", "\n  }", "a/0", "status", "{}"]


def content(shards: list[str], splits: list[list[str]]) -> dict[str, Any]:
    return {
        "status": "complete",
        "plan_digest": "0",
        "plan": {"status": "open", "units": [1], "recipe": {"shards": "x"}},
        "inputs": [{"split": split} for unit in splits for split in unit],
        "sources": {},
        "steps": [{"step": "read", "ended": {"removed": {"shard": 1}}}],
        "units": [{"unit": f"web/{n}", "splits": unit, "documents": n} for n, unit in enumerate(splits)],
        "shards": [{"source": "a/0", "shard": shard, "tokens": n} for n, shard in enumerate(shards)],
        "files": {"steps": {"bytes": 1}, "shards": {"bytes": 2}},
    }


@settings(max_examples=40)
@given(
    st.lists(names | st.sampled_from(TRICKY), min_size=1, max_size=5, unique=True),
    st.lists(st.lists(names | st.sampled_from(TRICKY), max_size=3), max_size=4),
    st.sampled_from([1, 2, None, "\t"]),
)
def test_parts_and_rows(
    tmp_path_factory: pytest.TempPathFactory, shards: list[str], splits: list[list[str]], indent: int | str | None
) -> None:
    folder, whole = tmp_path_factory.mktemp("m"), content(shards, splits)
    if indent == 1:
        write_manifest(RunFolder(str(folder)), whole)
    else:
        (folder / "manifest.json").write_text(json.dumps(whole, indent=indent))
    search = ManifestSearch(RunFolder(str(folder)))
    for name, value in whole.items():
        assert search.part(name) == value
    for row in whole["shards"]:
        assert search.row("shards", "shard", row["shard"]) == row
    for split in [split for unit in splits for split in unit]:
        assert search.row("units", "splits", split) == next(u for u in whole["units"] if split in u["splits"])
    assert search.row("shards", "shard", "not there") is None and search.row("units", "splits", "not there") is None
    assert search.whole == whole


def test_the_list_of_files_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_manifest(RunFolder(str(tmp_path)), content(["a", "b"], [["x"], ["y"]]))
    monkeypatch.setattr("curation.run.manifest_search.read_manifest", lambda _: pytest.fail("parsed whole"))
    search = ManifestSearch(RunFolder(str(tmp_path)))
    assert search.part("status") == "complete" and search.row("shards", "shard", "b") == {
        "source": "a/0",
        "shard": "b",
        "tokens": 1,
    }
    assert search.row("units", "splits", "y") and search.row("units", "splits", "z") is None


@pytest.mark.parametrize("damage", [b"", b"{}", b"no JSON", b'{"status": "complete"}'])
def test_what_is_no_manifest_is_told_in_one_line(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(damage)
    with pytest.raises(UserError, match="is damaged, or not the manifest of a run"):
        ManifestSearch(RunFolder(str(tmp_path))).part("status")
