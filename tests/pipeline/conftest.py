"""The crawl and the runs that the tests of this room look at."""

from tests.pipeline.fixtures import base, crawl, engine, light_recipe, light_run, run, spark_engine

__all__ = ["base", "crawl", "engine", "light_recipe", "light_run", "run", "spark_engine"]
