"""Every command, program and recipe in the docs is run as it stands, page by page, in an empty folder."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(r"^```(\w*)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 400


def environment() -> dict[str, str]:
    """The commands of this checkout and interpreter first on PATH."""
    found = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": found, "PYTHONPATH": str(ROOT)}


def run(command: list[str], folder: Path) -> str:
    """A command's output; the test fails with what it printed if it does."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, f"{command} in {folder}\n{done.stdout}"
    return done.stdout


def blocks(page: Path) -> list[tuple[str, str, str]]:
    """Language, file name and content of each block of code."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(b[0] == "sh" for b in blocks(page))], ids=lambda p: p.stem
)
def test_page(page: Path, tmp_path: Path) -> None:
    """Shell blocks run, programs run, files with a name are written where the text says."""
    (tmp_path / "jobs").symlink_to(ROOT / "jobs")
    for language, name, content in blocks(page):
        if name:
            (tmp_path / name).write_text(content, encoding="utf-8")
        elif language == "sh":
            if "spark-submit" in content and not has_java():
                continue
            if "corpusmill train" in content and not has_torch():
                break
            run(["bash", "-euc", content], tmp_path)
        elif language == "python":
            if "pyspark" in content and not has_java():
                continue
            run([sys.executable, "-c", content], tmp_path)


def has_torch() -> bool:
    """Whether training can run here."""
    return all(importlib.util.find_spec(name) for name in ("torch", "safetensors", "megatron"))


def has_java() -> bool:
    """Whether Spark can start here."""
    return bool(os.environ.get("JAVA_HOME") or shutil.which("java"))


def test_readme(tmp_path: Path) -> None:
    """The README's commands with its capitals filled in, and its program."""
    run(["corpusmill", "sample", "sample", "--pages", "200", "--pages-per-file", "100"], tmp_path)
    shutil.copytree(tmp_path / "sample" / "crawl", tmp_path / "crawl")
    (tmp_path / "jobs").symlink_to(ROOT / "jobs")
    first, real, program = [content for _, _, content in blocks(ROOT / "README.md")]
    assert [line.split("#")[0].split() for line in first.splitlines()] == [
        ["./corpusmill", "demo"],
        ["./corpusmill", "test"],
    ]
    for line in real.splitlines():
        command = line.split("#")[0].replace("fineweb", "fineweb --set tokenize.vocabulary=2048")
        if "spark-submit" in command:
            if not has_java():
                continue
            command = command.replace("--run RUN", "--run ON_SPARK")
        if command.startswith("corpusmill train") and not has_torch():
            break
        if "--url URL" in command:
            found = f"{tmp_path}/RUN/documents/**/*.parquet"
            kept = duckdb.execute("SELECT url FROM read_parquet(?) LIMIT 1", [found]).fetchall()[0]
            command = command.replace("URL", f"'{kept[0]}'")
        run(["bash", "-euc", command.replace("SOURCE/00000 --token 123456", "crawl/00000 --token 1234")], tmp_path)
    assert "top_2_gram" in run([sys.executable, "-c", program], tmp_path)


def test_demo(tmp_path: Path) -> None:
    """`corpusmill demo` goes the whole way, and all fates are as intended."""
    shown = run(["corpusmill", "demo", "--folder", "demo", "--pages", "500"], tmp_path)
    assert re.search(r"\b(\d+) of \1 records ended as intended; 0 of", shown)
    assert "every file, count and fate is as the manifest says" in shown


def test_every_command_has_help_and_stands_in_the_docs() -> None:
    """A command that no page shows, or that has no help, fails here."""
    from typer.main import get_command

    from jobs.cli import application

    shown = "\n".join(page.read_text(encoding="utf-8") for page in [*PAGES, ROOT / "README.md"])
    commands = get_command(application([])).commands  # type: ignore[attr-defined]
    for name, command in commands.items():
        assert command.help, name
        assert f"corpusmill {name}" in shown, name


def test_every_measure_has_a_row_in_the_docs() -> None:
    """A new measure is a file, a test and a row."""
    from curation.quality.measure import shipped

    page = (ROOT / "docs" / "measures.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{m.name}` | {m.unit} | {m.catches} | {m.source} |" for m in shipped().values()]
