"""Same input, recipe and version: same bytes, whatever the engine, its workers, the batch size and the place."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curation.engines.local import LocalEngine
from curation.pipeline.curate import curate
from tests.pipeline.prepared import SMALL, command, content
from tests.pipeline.prepared import engine as engine_of


def test_a_run_again_gives_the_same_bytes(run: Path, crawl: Path, engine: LocalEngine, tmp_path: Path) -> None:
    curate("fineweb", f"{crawl}/*.warc.gz", str(tmp_path / "run"), engine=engine, changes=SMALL)
    assert content(tmp_path / "run") == content(run)


def test_the_run_holds_all_kinds_of_files_and_several_shards(run: Path) -> None:
    paths = list(content(run))
    for beginning in (
        "ledger/records/",
        "ledger/refine/",
        "ledger/finish/",
        "ledger/measures/",
        "documents/",
        "shards/",
    ):
        assert len([path for path in paths if path.startswith(beginning)]) >= 3, beginning
    assert {"manifest.json", "recipe.yaml", "tokenizer.json"} <= set(paths)
    assert not (run / "work").exists()


def test_one_worker_gives_the_same_bytes(run: Path, crawl: Path, base: Path, tmp_path: Path) -> None:
    one = engine_of(base, 1)
    try:
        curate("fineweb", f"{crawl}/*.warc.gz", str(tmp_path / "run"), engine=one, changes=SMALL)
    finally:
        one.close()
    assert content(tmp_path / "run") == content(run)


@pytest.mark.parametrize("documents", [1, 17])
def test_another_batch_size_gives_the_same_bytes(
    run: Path, crawl: Path, engine: LocalEngine, tmp_path: Path, documents: int
) -> None:
    curate(
        "fineweb", f"{crawl}/*.warc.gz", str(tmp_path / "r"), engine=engine, changes=SMALL, batch_documents=documents
    )
    assert content(tmp_path / "r") == content(run)


def test_another_folder_of_the_input_and_of_work_gives_the_same_bytes(
    light_run: Path, light_recipe: Path, crawl: Path, tmp_path: Path
) -> None:
    """The input's own folder names the source; what lies above it, and the run's place, shows nowhere."""
    elsewhere = tmp_path / "a place" / "of another name"
    shutil.copytree(crawl, elsewhere / "crawl")
    done = command("curate", light_recipe, "-i", "crawl/*.warc.gz", "-r", "out/R", "--workers", "1", cwd=elsewhere)
    assert done.returncode == 0, done.stderr
    assert content(elsewhere / "out" / "R") == content(light_run)


def test_the_order_in_which_files_were_made_does_not_show(
    light_run: Path, light_recipe: Path, crawl: Path, engine: LocalEngine, tmp_path: Path
) -> None:
    (tmp_path / "crawl").mkdir()
    for path in sorted(crawl.iterdir(), reverse=True):
        shutil.copy(path, tmp_path / "crawl")
        os.utime(tmp_path / "crawl" / path.name, (1e9, 1e9))
    curate(str(light_recipe), str(tmp_path / "crawl"), str(tmp_path / "run"), engine=engine)
    assert content(tmp_path / "run") == content(light_run)


def test_no_hashed_output_holds_a_path_of_this_machine(run: Path, light_run: Path, base: Path, crawl: Path) -> None:
    for folder in (run, light_run):
        for path in content(folder):
            if path.endswith(".parquet"):  # compressed: a search in its bytes would find nothing
                stored = str(pq.read_schema(folder / path)) + str(pq.read_table(folder / path).to_pylist())
            else:
                stored = (folder / path).read_text(encoding="utf-8", errors="replace")
            for private in (str(base), str(crawl.parent), os.getcwd()):
                assert private not in stored, path
