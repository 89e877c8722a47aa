"""Fixtures over `prepared`, for the conftest files of the rooms that look at runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.engines.local import LocalEngine
from curation.engines.spark import SparkEngine
from tests.pipeline import prepared


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the session's crawl and runs lie."""
    folder = tmp_path_factory.getbasetemp() / "prepared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def crawl(base: Path) -> Path:
    """The folder of a composed crawl of ten archives."""
    return prepared.crawl(base)


@pytest.fixture(scope="session")
def engine(base: Path) -> Iterator[LocalEngine]:
    """A warm local engine of two workers."""
    opened = prepared.engine(base)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def run(base: Path, engine: LocalEngine) -> Path:
    """A finished run of the shipped recipe `fineweb`; not to be changed."""
    return prepared.run(base)


@pytest.fixture(scope="session")
def light_recipe(base: Path) -> Path:
    """The file of a recipe that loads fast."""
    return prepared.light_recipe(base)


@pytest.fixture(scope="session")
def light_run(base: Path, engine: LocalEngine) -> Path:
    """A finished run of the light recipe; not to be changed."""
    return prepared.light_run(base)


@pytest.fixture(scope="session")
def spark_engine(tmp_path_factory: pytest.TempPathFactory) -> SparkEngine:
    """An engine on a real Spark of this machine; its session ends with the process."""
    pytest.importorskip("pyspark")
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("no Java runtime")
    os.environ["PYTHONPATH"] = str(prepared.ROOT)  # so that Spark's workers find the tests' own tasks
    return SparkEngine(str(tmp_path_factory.mktemp("spark")), 3)
