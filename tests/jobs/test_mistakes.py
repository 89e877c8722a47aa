"""A user's mistake: exit code 2 and one line on standard error that says what is wrong and what to do; never a traceback."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.errors import UserError
from curation.audit.find import trace, why
from curation.audit.verify import verify
from curation.pipeline.curate import curate
from tests.pipeline.prepared import ENVIRONMENT, command

AS_ROOT = os.getuid() == 0


def line_of(*words: str | Path, **options: object) -> str:
    """The one line that the command ends with."""
    done = command(*words, **options)
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_inputs_that_are_not_there(light_recipe: Path, tmp_path: Path) -> None:
    run = tmp_path / "R"
    assert f"No file matches {tmp_path}/none.warc.gz" in line_of(
        "curate", light_recipe, "-i", tmp_path / "none.warc.gz", "-r", run
    )
    assert "quote the pattern" in line_of("curate", light_recipe, "-i", f"{tmp_path}/*.gz", "-r", run)
    assert "No storage for 's3://'" in line_of("curate", light_recipe, "-i", "s3://bucket/x.warc.gz", "-r", run)
    assert not run.exists()  # before any work starts


@pytest.mark.skipif(AS_ROOT, reason="root may read all")
def test_an_input_that_may_not_be_read(light_recipe: Path, tmp_path: Path) -> None:
    archive = tmp_path / "secret.warc.gz"
    archive.touch(mode=0)
    assert "give this user the right to read it" in line_of("curate", light_recipe, "-i", archive, "-r", tmp_path / "R")


def test_the_same_file_named_twice(light_recipe: Path, crawl: Path, tmp_path: Path) -> None:
    archive = crawl / "00000.warc.gz"
    told = line_of("curate", light_recipe, "-i", archive, "-i", archive, "-r", tmp_path / "R")
    assert "name the sources apart" in told


def test_a_folder_that_cannot_be_written(light_recipe: Path, crawl: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = line_of("curate", light_recipe, "-i", crawl, "-r", tmp_path / "file")
    assert f"Cannot write to {tmp_path}/file" in told
    assert "Cannot write to /proc/R" in line_of("curate", light_recipe, "-i", crawl, "-r", "/proc/R")
    if not AS_ROOT:
        (tmp_path / "closed").mkdir(mode=0o500)
        assert "permission denied" in line_of("curate", light_recipe, "-i", crawl, "-r", tmp_path / "closed" / "R")


def test_a_folder_that_holds_another_run(light_run: Path, light_recipe: Path, crawl: Path, tmp_path: Path) -> None:
    held = "holds a run of another plan"
    told = line_of("curate", light_recipe, "-i", crawl, "-r", light_run, "--set", "tokenize.vocabulary=700")
    assert held in told and "recipe.tokenize.vocabulary is 600 there and 700 here" in told
    told = line_of("curate", light_recipe, "-i", crawl / "00000.warc.gz", "-r", light_run)
    assert held in told and "inputs has 10 there and 1 here" in told
    told = line_of("curate", light_recipe, "-i", f"other={crawl}", "-r", light_run)
    assert held in told and "'other/00000.warc.gz' here" in told


def test_a_folder_that_holds_something_else(light_recipe: Path, crawl: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    told = line_of("curate", light_recipe, "-i", crawl, "-r", tmp_path)
    assert "is not empty and no run (letter.txt lies there)" in told
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"status": "complete"}', "no JSON", '{"name": "an app"}'])
def test_a_manifest_of_something_else(content: str, light_recipe: Path, crawl: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(content)
    questions: list[Callable[[], object]] = [
        lambda: curate(str(light_recipe), str(crawl), str(tmp_path)),
        lambda: why(str(tmp_path), "https://a.example/"),
        lambda: trace(str(tmp_path), "crawl/00000", 1),
        lambda: verify(str(tmp_path)),
    ]
    for ask in questions:
        with pytest.raises(UserError, match="manifest.json is damaged, or not the manifest of a run"):
            ask()
    assert (tmp_path / "manifest.json").read_text() == content
    if not content:
        line_of("verify", tmp_path)


@pytest.mark.parametrize("word", ["why", "verify", "trace"])
def test_questions_to_a_folder_that_is_no_run(word: str, tmp_path: Path) -> None:
    more = {"why": ["--url", "https://a.example/"], "verify": [], "trace": ["--shard", "crawl/00000", "--token", "1"]}
    assert "holds no run" in line_of(word, tmp_path, *more[word])
    assert "holds no run" in line_of(word, tmp_path / "none", *more[word])


@pytest.mark.parametrize("word", ["why", "verify"])
def test_questions_to_a_run_that_is_not_finished(word: str, light_run: Path, tmp_path: Path) -> None:
    manifest = json.loads((light_run / "manifest.json").read_text())
    opened = {"status": "open", "plan_digest": manifest["plan_digest"], "plan": manifest["plan"]}
    (tmp_path / "manifest.json").write_text(json.dumps(opened))
    more = {"why": ["--url", "https://a.example/"], "verify": []}
    assert "is not finished: run the same curate command again" in line_of(word, tmp_path, *more[word])


def test_questions_that_have_no_answer(light_run: Path) -> None:
    assert "There is nothing of https://no.example" in line_of("why", light_run, "--url", "https://no.example/page")
    assert "Name the page by --url, or the document by --id" in line_of("why", light_run)
    assert "it has 32 hex digits" in line_of("why", light_run, "--id", "xyz")
    assert "No record of 00ff" in line_of("why", light_run, "--id", "00ff")
    told = line_of("trace", light_run, "--shard", "crawl/0000", "--token", "0")
    assert "No shard 'crawl/0000' in this run. Did you mean 'crawl/0000" in told
    for token in ("-1", "100000000"):
        told = line_of("trace", light_run, "--shard", "crawl/00000", "--token", token)
        assert "Shard crawl/00000 has the tokens 0 to" in told and told.endswith(f"not {token}")


def test_engines_recipes_and_changes_that_are_not_known(light_recipe: Path, crawl: Path, tmp_path: Path) -> None:
    rest = ("-i", crawl, "-r", tmp_path / "R")
    assert "Did you mean 'spark'?" in line_of("curate", light_recipe, *rest, "--engine", "sparc")
    assert "Unknown recipe 'fineweeb'. Did you mean 'fineweb'?" in line_of("curate", "fineweeb", *rest)
    assert "Did you mean 'vocabulary'?" in line_of("curate", "fineweb", *rest, "--set", "tokenize.vocabulry=5")
    assert "write a change as key=value" in line_of("curate", "fineweb", *rest, "--set", "vocabulary")
    assert not (tmp_path / "R").exists()


def test_a_tokenizer_that_is_not_there(light_recipe: Path, crawl: Path, tmp_path: Path) -> None:
    told = line_of("curate", light_recipe, "-i", crawl, "-r", tmp_path / "R", "--tokenizer", tmp_path / "none.json")
    assert "none.json" in told
    assert not (tmp_path / "R").exists()


@pytest.mark.spark
def test_spark_without_java(light_recipe: Path, crawl: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "dirname", "env", "ps", "cat", "sh", "sed", "uname", "basename", "readlink"):
        found = shutil.which(name)
        if found:
            (programs / name).symlink_to(found)
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "JAVA_HOME"} | {"PATH": str(programs)}
    told = line_of("curate", light_recipe, "-i", crawl, "-r", tmp_path / "R", "--engine", "spark", env=environment)
    assert "Spark found no Java runtime: install Java 17 or newer, or set JAVA_HOME" in told


def test_control_characters_in_a_question_do_not_reach_the_terminal(light_run: Path) -> None:
    told = line_of("why", light_run, "--url", "https://no.example/\x1b[31mred\u202e\x07")
    assert not set("\x1b\u202e\x07") & set(told)


def test_misuse_of_the_command_line_says_how_it_is_used(light_run: Path) -> None:
    for words in (
        ["curate"],
        ["why"],
        ["seen", light_run],
        ["curate", "fineweb", "-i", "x", "-r", "y", "--workers", "0"],
    ):
        done = command(*words)
        assert done.returncode == 2 and "Traceback" not in done.stderr and "Usage:" in done.stderr
