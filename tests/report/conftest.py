"""The runs whose pages are looked at, and the pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.engines.local import LocalEngine
from curation.pipeline.curate import curate
from tests.pipeline.fixtures import base, crawl, engine, light_recipe, light_run, run
from tests.report import hostile
from tests.report.reading import Page, read_page

__all__ = ["base", "crawl", "engine", "light_recipe", "light_run", "run"]


@pytest.fixture(scope="session")
def page(run: Path) -> Page:
    """The page of a run of the shipped recipe."""
    return read_page(run)


@pytest.fixture(scope="session")
def hostile_run(tmp_path_factory: pytest.TempPathFactory, engine: LocalEngine) -> Path:
    """A run over pages that mean harm to who looks at them."""
    folder = tmp_path_factory.mktemp("hostile")
    hostile.write(folder / "web" / "pages.warc.gz")
    (folder / "recipe.yaml").write_text(hostile.RECIPE)
    curate(str(folder / "recipe.yaml"), str(folder / "web"), str(folder / "run"), engine=engine)
    return folder / "run"


@pytest.fixture(scope="session")
def hostile_page(hostile_run: Path) -> Page:
    """Its page."""
    return read_page(hostile_run)
