"""A full disk: one line that says what to do, nothing lost, and the same command finishes with the same bytes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import UserError
from curation.engines.engine import Engine
from curation.pipeline.curate import curate
from tests.pipeline.prepared import content

SIZE = 6 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("may not mount a file system here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)  # a warm worker may still be closing its files


@pytest.mark.parametrize("name", ["local", pytest.param("spark", marks=pytest.mark.spark)])
def test_a_full_disk_is_told_in_a_line_and_the_same_command_goes_on(
    name: str, light_run: Path, light_recipe: Path, crawl: Path, small_disk: Path, request: pytest.FixtureRequest
) -> None:
    opened: Engine = request.getfixturevalue("engine" if name == "local" else "spark_engine")
    given = (str(light_recipe), f"{crawl}/*.warc.gz", str(small_disk / "run"))
    ballast = small_disk / "ballast"
    stopped = []
    for free_kilobytes in (8, 120, 500, 1000) if name == "local" else (300,):
        ballast.write_bytes(bytes(max(0, free(small_disk) + size(ballast) - (free_kilobytes << 10))))
        try:
            curate(*given, engine=opened)
        except UserError as error:
            stopped.append(str(error))
            assert "\n" not in stopped[-1]
            assert not list((small_disk / "run").rglob("*.parquet.part"))
    assert len(stopped) >= (2 if name == "local" else 1), "the disk was never full"
    assert all("full" in line or "no space left" in line for line in stopped), stopped
    assert any("free some space; the same command goes on where it stopped" in line for line in stopped)
    ballast.unlink()
    curate(*given, engine=opened)
    assert content(small_disk / "run") == content(light_run)


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def free(folder: Path) -> int:
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize
