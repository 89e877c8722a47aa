"""The crawl and the runs that the tests of this room look at."""

from tests.dedup.runs import always_the_engine
from tests.pipeline.fixtures import base, crawl, engine, light_recipe, light_run, run, spark_engine

__all__ = ["always_the_engine", "base", "crawl", "engine", "light_recipe", "light_run", "run", "spark_engine"]
