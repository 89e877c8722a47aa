"""The crawl and the runs that the commands are tried on."""

from tests.pipeline.fixtures import base, crawl, engine, light_recipe, light_run, run

__all__ = ["base", "crawl", "engine", "light_recipe", "light_run", "run"]
