"""The step in a run: its rows in the ledger, its account, and runs without it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from curation.audit.find import why
from curation.audit.show import story_panel
from curation.audit.show_recipe import recipe_page
from curation.engines.local import LocalEngine
from curation.pipeline.curate import curate
from curation.pipeline.explain import explain
from curation.pipeline.table import apply
from curation.recipes.load import load_recipe, parse_recipe
from tests.decontaminate.composed import AROUND, QUIZ, batch, write_set
from tests.pipeline.ledger_of import fates, table

RECIPE = """
recipe: own
filters: []
{keys}
dedup: {{exact: true}}
redact: []
tokenize: null
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Any:
    opened = LocalEngine(str(tmp_path_factory.mktemp("scratch")), 1)
    yield opened
    opened.close()


def curated(folder: Path, engine: LocalEngine, keys: str, batch_documents: int = 256) -> Path:
    """A run over five pages with a recipe that has these keys."""
    pages = [
        AROUND,
        AROUND + QUIZ["moons"] + AROUND,
        QUIZ["frogs"],
        f"{QUIZ['german']} {QUIZ['frogs']}",
        AROUND + "once.",
    ]
    rows = [{"text": text, "url": f"https://site.example/{number}"} for number, text in enumerate(pages)]
    folder.mkdir(exist_ok=True)
    write_set(folder / "pages.jsonl", rows)
    (folder / "own.yaml").write_text(RECIPE.format(keys=keys))
    curate(str(folder / "own.yaml"), str(folder / "pages.jsonl"), str(folder / "run"), engine=engine)
    return folder / "run"


def test_rows_in_the_ledger_and_in_the_answer_to_why(tmp_path: Path, engine: LocalEngine) -> None:
    quiz = write_set(tmp_path / "quiz.jsonl", QUIZ)
    run = curated(tmp_path / "a", engine, f"decontaminate: {{sets: ['{quiz}'], action: remove}}")
    rows = table(run, "contamination").to_pylist()
    assert [(row["row"], row["set"], row["item"], row["ngrams"], row["position"]) for row in rows] == [
        (1, "quiz", "moons", 1, len(AROUND)),
        (2, "quiz", "frogs", 15, 0),
        (3, "quiz", "frogs", 15, len(QUIZ["german"]) + 1),
        (3, "quiz", "german", 9, 0),
    ]
    ended = {row["row"]: (row["fate"], row["step"], row["reason"]) for row in fates(run).values()}
    assert [ended[number][0] for number in range(5)] == ["kept", "removed", "removed", "removed", "kept"]
    assert ended[2] == ("removed", "decontaminate", "contaminated")
    [story] = why(str(run), "https://site.example/3")
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(story_panel(story, ""))
    shown = console.export_text()
    assert "quiz frogs: 15 n-grams, 100% of it, from character" in shown and "quiz german" in shown
    assert "heron" not in json.dumps(rows, default=str) + shown


def test_a_text_that_is_cut_goes_on(tmp_path: Path, engine: LocalEngine) -> None:
    quiz = write_set(tmp_path / "quiz.jsonl", QUIZ)
    run = curated(tmp_path / "a", engine, f"decontaminate: {{sets: ['{quiz}']}}")
    edits = {(row["row"], row["kind"]): row["count"] for row in table(run, "edits").to_pylist()}
    assert edits[1, "spans"] == 1 and edits[1, "characters"] > 400
    assert [row["item"] for row in table(run, "contamination").to_pylist()][0] == "moons"
    [story] = why(str(run), "https://site.example/1")
    assert story.fate["fate"] == "kept" and story.contamination[0]["item"] == "moons"


def test_a_run_that_looks_for_none_has_no_such_part(tmp_path: Path, engine: LocalEngine) -> None:
    run = curated(tmp_path / "a", engine, "")
    assert not (run / "ledger/contamination").exists()
    assert why(str(run), "https://site.example/1")[0].contamination == []


def test_explain_says_what_cannot_be_checked(tmp_path: Path) -> None:
    quiz = write_set(tmp_path / "quiz.jsonl", QUIZ)
    recipe = parse_recipe({"recipe": "own", "decontaminate": {"sets": [quiz], "way": "llama"}}, "own")
    console = Console(width=200, record=True, file=io.StringIO())
    for part in recipe_page(explain(recipe)):
        console.print(part)
    shown = " ".join(console.export_text().split())
    assert "cannot be checked in quiz: 1 items: short" in shown
    assert "9 items in 1 sets" in shown
    assert [step.name for step in recipe.refine_steps][-2:] == ["decontaminate", "keys"]
    assert recipe.resolved()["decontaminate"]["min_covered"] == 0.8
    assert parse_recipe(recipe.resolved(), "again").digest() == recipe.digest()
    assert quiz in recipe.files


def test_a_table_is_judged_too(tmp_path: Path) -> None:
    quiz = write_set(tmp_path / "quiz.jsonl", QUIZ)
    recipe = parse_recipe({"recipe": "own", "decontaminate": {"sets": [quiz], "way": "llama"}}, "own")
    judged = apply(recipe, batch(AROUND, QUIZ["russian"]).select(["text"]))
    assert judged.column("reason").to_pylist() == [None, "contaminated"]
    assert "contamination" not in judged.column_names


def test_shipped_recipes_look_for_none() -> None:
    assert load_recipe("fineweb").decontaminate is None
