"""A measure and a step of the user's own, in a file outside the package, registered nowhere: they reach every worker."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.pipeline.prepared import ENVIRONMENT, ROOT, command, content

MODULE = """
from pydantic.dataclasses import dataclass

from curation.run.documents import STRICT, Verdict, texts, with_verdicts


def vowel_share(text):
    return sum(character in "aeiou" for character in text.string) / max(len(text.string), 1)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NoWord:
    word: str
    name: str = "no_word"

    def __call__(self, batch):
        found = [Verdict("removed", "has_word", 1.0, 0.0) if self.word in text else None for text in texts(batch)]
        return with_verdicts(batch, self.name, found)
"""
RECIPE = """
recipe: own
filters:
  - mine:
      - {measure: "my_rules:vowel_share", min: 0.25, reason: few_vowels}
  - "my_rules:NoWord": {word: weather}
tokenize: {tokenizer: train, vocabulary: 600, shard_tokens: 10000}
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the user's file in `code/`, and the recipe."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "code").mkdir()
    (folder / "code" / "my_rules.py").write_text(MODULE)
    (folder / "r.yaml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module")
def local_run(own: Path, crawl: Path) -> Path:
    """The run of two processes of this machine, the folder named by PYTHONPATH."""
    path = {**ENVIRONMENT, "PYTHONPATH": f"{ROOT}{os.pathsep}{own / 'code'}"}
    words = ("curate", own / "r.yaml", "-i", f"{crawl}/0000[0-2].warc.gz", "-r", own / "local", "--workers", "2")
    done = command(*words, env=path)
    assert done.returncode == 0, done.stderr
    return own / "local"


def test_both_are_found_by_local_workers(local_run: Path) -> None:
    ended = pq.read_table(local_run / "ledger" / "refine").to_pylist()
    by_step = {step: {row["reason"] for row in ended if row["step"] == step} for step in ("mine", "no_word")}
    assert by_step == {"mine": {"few_vowels"}, "no_word": {"has_word"}}
    modules = json.loads((local_run / "manifest.json").read_text())["plan"]["modules"]
    assert set(modules) == {"my_rules:vowel_share", "my_rules:NoWord"} and all(modules.values())


def test_where_the_folder_is_not_on_the_path_it_is_one_line(own: Path, crawl: Path) -> None:
    done = command("curate", own / "r.yaml", "-i", f"{crawl}/0000[0-2].warc.gz", "-r", own / "none")
    assert done.returncode == 2 and "my_rules:vowel_share" in done.stderr and "Traceback" not in done.stderr
    assert not (own / "none").exists()


@pytest.mark.spark
def test_both_are_found_by_spark_workers_where_the_file_is_sent_along(local_run: Path, own: Path, crawl: Path) -> None:
    """`--py-files` as on a cluster; nothing on PYTHONPATH names the user's folder."""
    submit = Path(sys.executable).parent / "spark-submit"
    if not submit.exists() or (shutil.which("java") is None and "JAVA_HOME" not in os.environ):
        pytest.skip("no Spark or no Java runtime")
    words = [submit, "--master", "local[2]", "--py-files", own / "code" / "my_rules.py", ROOT / "jobs" / "curate.py"]
    words += [own / "r.yaml", "-i", f"{crawl}/0000[0-2].warc.gz", "-r", own / "spark"]
    settings = {**ENVIRONMENT, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(list(map(str, words)), env=settings, cwd=own, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    assert content(own / "spark") == content(local_run)
