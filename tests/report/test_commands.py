"""What the page tells its reader to type works as it stands, and the command that writes the page behaves."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

from curation.pipeline.plan import make_plan
from curation.recipes.load import load_recipe
from tests.pipeline import prepared
from tests.report.reading import Page


def test_questions_on_the_page_are_answered(run: Path, page: Page) -> None:
    commands = [text for text in page.commands if text.startswith("corpusmill ") and "URL" not in text]
    commands = [text for text in commands if " curate " not in text]
    assert [shlex.split(text)[1] for text in commands] == ["why", "trace", "verify"]
    for text in commands:
        words = [word if word != "RUN" else str(run) for word in shlex.split(text)[1:]]
        done = prepared.command(*words)
        assert done.returncode == 0, (text, done.stderr)


def test_sql_on_the_page_runs(run: Path, page: Page) -> None:
    (program,) = [text for text in page.commands if text.startswith("import duckdb")]
    program = (
        program.replace("RUN/", f"{run}/").replace("duckdb.sql(", "rows = duckdb.sql(") + "\nassert rows.fetchall()"
    )
    exec(program, {})


def test_the_recipe_in_the_run_makes_the_same_plan(run: Path, crawl: Path, page: Page) -> None:
    (again,) = [text for text in page.commands if " curate " in text]
    line = again.splitlines()[0]
    words = shlex.split(line.replace("FOLDER/crawl", str(crawl)).replace("RUN/", f"{run}/"))
    assert words[:2] == ["corpusmill", "curate"]
    plan = make_plan(load_recipe(words[2]), [words[words.index("--input") + 1]])
    assert plan.digest == json.loads((run / "manifest.json").read_text())["plan_digest"]


def call(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jobs.report", *words]
    return subprocess.run(command, capture_output=True, text=True, env=prepared.ENVIRONMENT, cwd=prepared.ROOT)


def test_the_command_names_the_file(hostile_run: Path) -> None:
    done = call(str(hostile_run))
    assert done.returncode == 0 and done.stdout.startswith(f"{hostile_run}/report/index.html")
    assert (hostile_run / "report" / "index.html").read_text().endswith("</html>\n")


def test_a_mistake_is_one_line(tmp_path: Path) -> None:
    done = call(str(tmp_path))
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1 and "holds no run" in done.stderr
