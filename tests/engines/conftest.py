"""The engines under test. One Spark session serves all Spark tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from curation.engines.engine import Engine
from curation.engines.local import LocalEngine
from tests.pipeline.fixtures import spark_engine

__all__ = ["spark_engine"]


@pytest.fixture(scope="session")
def local_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEngine]:
    opened = LocalEngine(str(tmp_path_factory.mktemp("scratch")), 2)
    yield opened
    opened.close()


@pytest.fixture(params=["local", pytest.param("spark", marks=pytest.mark.spark)])
def any_engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn."""
    opened: Engine = request.getfixturevalue(f"{request.param}_engine")
    return opened
