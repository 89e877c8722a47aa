"""What many tests look at: a composed crawl, recipes, warm engines and finished runs, each made once a test session."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from connectors import storage
from curation.engines.local import LocalEngine
from curation.pipeline.curate import curate
from curation.sample import write_sample

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
PAGES, PAGES_A_FILE = 200, 20

# Small shards and a small vocabulary, so that few pages make several of all.
SMALL = ("tokenize.vocabulary=600", "tokenize.shard_tokens=10000")

# Nothing that takes long to load, for runs that start their own processes.
LIGHT = """
recipe: light
extract: {engine: resiliparse}
filters:
  - lengths:
      - {measure: characters, min: 200, reason: short}
  - c4: {terminal_punctuation: false}
dedup: {exact: true, minhash: {bands: 14, rows: 8}}
redact: []
tokenize: {tokenizer: train, vocabulary: 600, shard_tokens: 10000}
"""


@cache
def crawl(base: Path) -> Path:
    """The folder of a composed crawl of ten archives, the last of which is cut."""
    write_sample(base / "sample", PAGES, seed=7, pages_per_file=PAGES_A_FILE)
    return base / "sample" / "crawl"


@cache
def engine(base: Path, workers: int = 2) -> LocalEngine:
    """A local engine whose workers stay warm from test to test."""
    return LocalEngine(str(base / f"scratch-{workers}"), workers)


@cache
def run(base: Path) -> Path:
    """A finished run of the shipped recipe over the crawl."""
    folder = base / "run"
    curate("fineweb", f"{crawl(base)}/*.warc.gz", str(folder), engine=engine(base), changes=SMALL)
    return folder


@cache
def light_recipe(base: Path) -> Path:
    """The file of the light recipe."""
    path = base / "light.yaml"
    path.write_text(LIGHT)
    return path


@cache
def light_run(base: Path) -> Path:
    """A finished, undisturbed run of the light recipe over the crawl."""
    folder = base / "light"
    curate(str(light_recipe(base)), f"{crawl(base)}/*.warc.gz", str(folder), engine=engine(base))
    return folder


def content(run: Path) -> dict[str, str]:
    """SHA-256 of every file of a run but its receipts, the only ones in which a clock is written."""
    paths = [path for path in storage.list_files(str(run), "") if not path.startswith(("receipts/", "work/"))]
    return {path: hashlib.sha256((run / path).read_bytes()).hexdigest() for path in paths}


def command(*words: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Runs the command line as a program of its own, from the root of the checkout unless told otherwise."""
    settings: dict[str, object] = {
        "cwd": ROOT,
        "env": ENVIRONMENT,
        "capture_output": True,
        "text": True,
        "timeout": 300,
    }
    arguments = [sys.executable, "-m", "jobs.cli", *map(str, words)]
    return subprocess.run(arguments, **(settings | options))  # type: ignore[call-overload,no-any-return]
