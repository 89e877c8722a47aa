"""Spark gives the bytes of the local engine, into however many partitions its stages are cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.engines.spark import SparkEngine
from curation.pipeline.curate import curate
from tests.pipeline.prepared import SMALL, content
from tests.pipeline.sharded import HELD_OUT, Ends, curated, write_pages


@pytest.mark.spark
@pytest.mark.parametrize("partitions", [1, 7])
def test_spark_gives_the_same_bytes(
    run: Path, crawl: Path, spark_engine: SparkEngine, tmp_path: Path, partitions: int
) -> None:
    opened = SparkEngine(str(tmp_path / "scratch"), partitions)
    assert opened.session is spark_engine.session
    curate("fineweb", f"{crawl}/*.warc.gz", str(tmp_path / "run"), engine=opened, changes=SMALL)
    assert content(tmp_path / "run") == content(run)


@pytest.mark.spark
@pytest.mark.parametrize("partitions", [3, 16])
def test_spark_makes_the_same_shards(spark_engine: SparkEngine, tmp_path: Path, partitions: int) -> None:
    """Of a run whose other stages are done: in a global order, with parts held out."""
    write_pages(tmp_path / "pages", files=3)
    told = {"order": "global", "held_out": HELD_OUT}
    with pytest.raises(KeyboardInterrupt):
        curated(tmp_path / "run", str(tmp_path / "pages"), Ends("MakeShard", 0), **told)
    curated(tmp_path / "run", str(tmp_path / "pages"), SparkEngine(str(tmp_path), partitions), **told)
    assert content(tmp_path / "run") == content(curated(tmp_path / "here", str(tmp_path / "pages"), **told))
