"""One small sample for all tests of this room."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from curation.sample import write_sample

SEED = 11


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,000 pages in files of 400."""
    folder = tmp_path_factory.mktemp("sample") / "crawl-1000"
    write_sample(folder, 1000, SEED, pages_per_file=400)
    return folder


@pytest.fixture(scope="session")
def truth(sample: Path) -> list[dict[str, Any]]:
    """The truth's rows in crawl order."""
    return [row for path in sorted((sample / "truth").iterdir()) for row in pq.read_table(path).to_pylist()]
