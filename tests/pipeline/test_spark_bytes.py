"""Spark gives the bytes of the local engine, into however many partitions its stages are cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.engines.spark import SparkEngine
from curation.pipeline.curate import curate
from tests.pipeline.prepared import SMALL, content


@pytest.mark.spark
@pytest.mark.parametrize("partitions", [1, 7])
def test_spark_gives_the_same_bytes(
    run: Path, crawl: Path, spark_engine: SparkEngine, tmp_path: Path, partitions: int
) -> None:
    opened = SparkEngine(partitions)
    assert opened.session is spark_engine.session
    curate("fineweb", f"{crawl}/*.warc.gz", str(tmp_path / "run"), engine=opened, changes=SMALL)
    assert content(tmp_path / "run") == content(run)
