"""The shipped recipes: each loads or says what it needs, runs, and has the thresholds of what it follows.

Oracles: the constructors of datatrove 0.10.1's filters, and its verdicts on 4,000 real documents.
"""

from __future__ import annotations

import gzip
import hashlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from connectors.errors import UserError
from curation.engines.local import LocalEngine
from curation.pipeline.curate import curate
from curation.quality.measure import shipped
from curation.recipes.load import load_recipe, parse_recipe, shipped_recipes
from curation.recipes.model import Recipe
from curation.run.documents import REASON, TEXT, Step
from curation.sample import write_sample
from tests.pipeline import ledger_of
from tests.quality import fasttext_model

NAMES = ("c4", "c4-datatrove", "dclm", "dolma", "fineweb", "fineweb2", "gopher", "gopher-multilingual", "refinedweb")
PLACEHOLDER = re.compile(r"YOUR/")
NEEDING = tuple(name for name in NAMES if PLACEHOLDER.search(shipped_recipes()[name]))
THRESHOLDS: dict[str, Any] = {
    "language_score": 0.3,
    "dup_line_frac": 0.3,
    "top_n_grams": [[2, 0.2], [3, 0.18], [4, 0.16]],
    "dup_n_grams": [[5, 0.15], [6, 0.14], [7, 0.13], [8, 0.12], [9, 0.11], [10, 0.1]],
    "line_punct_thr": 0.1,
    "new_line_ratio": 0.3,
    "min_avg_word_length": 1,
    "max_avg_word_length": 15,
    "max_non_alpha_words_ratio": 0.6,
    "stopwords": ["der", "und", "de", "la", "и", "в", "και", "το", "en", "le", "el", "les", "que", "die"],
}

# A rule's reason in our recipes, and the argument that is its threshold in datatrove
REPETITION = {
    "dup_para_frac": "dup_para_frac",
    "dup_para_char_frac": "dup_para_char_frac",
    "dup_line_frac": "dup_line_frac",
    "dup_line_char_frac": "dup_line_char_frac",
}
QUALITY = {
    "gopher_short_doc": "min_doc_words",
    "gopher_long_doc": "max_doc_words",
    "gopher_below_avg_threshold": "min_avg_word_length",
    "gopher_above_avg_threshold": "max_avg_word_length",
    "gopher_too_many_hashes": "max_symbol_word_ratio",
    "gopher_too_many_ellipsis": "max_symbol_word_ratio",
    "gopher_too_many_bullets": "max_bullet_lines_ratio",
    "gopher_too_many_end_ellipsis": "max_ellipsis_lines_ratio",
    "gopher_below_alpha_threshold": "max_non_alpha_words_ratio",
    "gopher_enough_stop_words": "min_stop_words",
}
C4 = {
    "max_word_length": "max_word_length",
    "remove_citations": "remove_citations",
    "terminal_punctuation": "filter_no_terminal_punct",
    "min_words_per_line": "min_words_per_line",
    "lorem_ipsum": "filter_lorem_ipsum",
    "javascript": "filter_javascript",
    "curly_bracket": "filter_curly_bracket",
    "policy": "filter_policy",
    "min_sentences": "min_num_sentences",
}


def filled(name: str, folder: Path) -> Recipe:
    """A shipped recipe with small files of a user's in the places where it asks for such."""
    plain = yaml.safe_load(shipped_recipes()[name])
    for entry in plain["filters"]:
        step, body = next(iter(entry.items()))
        if step == "bad_words":
            (folder / "en.txt").write_text("harbour\n")
            body["lists"] = str(folder)
        elif step == "fasttext":
            body["model"] = str(fasttext_model.write(folder / "model.bin"))
        elif step == "multilingual":
            (folder / "stop.json").write_text(json.dumps({"de": THRESHOLDS["stopwords"]}))
            body["stop_words"] = str(folder / "stop.json")
        elif step == "fineweb2":
            for language in ("deu_Latn", "fra_Latn", "spa_Latn", "ell_Grek", "rus_Cyrl"):
                (folder / f"{language}.yml").write_text(yaml.safe_dump(THRESHOLDS, allow_unicode=True))
            body["thresholds"] = str(folder)
    return parse_recipe(plain, name)


def rules(name: str) -> dict[str, list[dict[str, Any]]]:
    """The rules of a shipped recipe by filter."""
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in yaml.safe_load(shipped_recipes()[name])["filters"]:
        step, body = next(iter(entry.items()))
        if isinstance(body, list) or step == "multilingual":
            found[body["name"] if isinstance(body, dict) else step] = body if isinstance(body, list) else body["rules"]
    return found


def threshold(rule: dict[str, Any]) -> float:
    return float(rule["min"] if "min" in rule else rule["max"])


def test_all_recipes_are_known() -> None:
    assert set(NAMES) <= set(shipped_recipes())
    assert NEEDING == ("c4", "dclm", "fineweb2", "gopher-multilingual")


@pytest.mark.parametrize("name", NEEDING)
def test_a_recipe_that_needs_a_file_says_which_and_where_it_is_published(name: str) -> None:
    with pytest.raises(UserError) as raised:
        load_recipe(name)
    told = str(raised.value)
    assert told.startswith(f"{name}: ") and "YOUR/" in told and "github.com/" in told and "\n" not in told


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_resolved_and_loaded_again_is_the_same(name: str, tmp_path: Path) -> None:
    recipe = filled(name, tmp_path)
    assert recipe.recipe == name and recipe.source
    again = parse_recipe(recipe.resolved(), name)
    assert again.digest() == recipe.digest()
    assert json.loads(json.dumps(recipe.resolved())) == recipe.resolved()


@pytest.mark.parametrize("name", NAMES)
def test_every_reason_stands_once_in_its_filter(name: str) -> None:
    for body in rules(name).values():
        reasons = [(rule["reason"], rule["measure"]) for rule in body]
        assert len(set(reasons)) == len(reasons)
        assert all(rule["measure"] in shipped() for rule in body)


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crawl")
    write_sample(folder, 120, 3, 60)
    return folder / "crawl"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalEngine]:
    opened = LocalEngine(str(tmp_path_factory.mktemp("engine")), 1)
    yield opened
    opened.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_runs_on_the_composed_crawl(name: str, crawl: Path, engine: LocalEngine, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    recipe = filled(name, tmp_path / "files").model_copy(update={"tokenize": None})
    curate(recipe, str(crawl / "*.warc.gz"), str(tmp_path / "run"), engine=engine)
    verdicts = ledger_of.verdicts(tmp_path / "run").values()
    steps = {"read"} | {step.name for step in recipe.refine_steps} | ({"repeated"} if recipe.repeated else set())
    assert len(verdicts) == len(ledger_of.urls(tmp_path / "run"))
    assert "kept" in {fate for fate, _, _ in verdicts}
    assert {step for fate, step, _ in verdicts if fate == "removed"} <= steps
    judging = {step.name for step in recipe.filter_steps}
    assert {step for _, step, _ in verdicts} & judging, "no filter removed anything"


def defaults(name: str) -> dict[str, Any]:
    """The defaults of a datatrove filter's arguments."""
    filters = pytest.importorskip("datatrove.pipeline.filters")
    parameters = inspect.signature(getattr(filters, name).__init__).parameters
    return {key: parameter.default for key, parameter in parameters.items()}


@pytest.mark.parametrize(
    ("recipe", "quality", "repetition"),
    [
        ("fineweb", "gopher_quality", "gopher_repetition"),
        ("gopher", "gopher_quality", "gopher_repetition"),
        ("gopher-multilingual", "gopher", "gopher"),
        ("refinedweb", "gopher_quality", "gopher_repetition"),
    ],
)
def test_gophers_thresholds_are_datatroves_defaults(recipe: str, quality: str, repetition: str) -> None:
    ours = rules(recipe)
    bounds = {rule["reason"]: threshold(rule) for body in (quality, repetition) for rule in ours[body]}
    wanted = defaults("GopherQualityFilter")
    expected = {reason: float(wanted[argument]) for reason, argument in QUALITY.items()}
    wanted = defaults("GopherRepetitionFilter")
    expected |= {reason: wanted[argument] for reason, argument in REPETITION.items()}
    expected |= {f"top_{n}_gram": share for n, share in wanted["top_n_grams"]}
    expected |= {f"duplicated_{n}_n_grams": share for n, share in wanted["dup_n_grams"]}
    assert bounds == expected | {"empty": 1.0}


def test_finewebs_thresholds_are_datatroves_defaults() -> None:
    wanted = defaults("FineWebQualityFilter")
    bounds = {rule["reason"]: threshold(rule) for rule in rules("fineweb")["fineweb"]}
    assert bounds == {
        "empty": 1.0,
        "line_punct_ratio": wanted["line_punct_thr"],
        "short_line_ratio": wanted["short_line_thr"],
        "char_dup_ratio": wanted["char_duplicates_ratio"],
        "list_ratio": wanted["new_line_ratio"],
    }


def test_c4s_numbers_are_datatroves_defaults() -> None:
    wanted, recipe = defaults("C4QualityFilter"), yaml.safe_load(shipped_recipes()["c4-datatrove"])
    body = dict(recipe["filters"][0]["c4"])
    assert body.pop("page_rules") is False
    assert body == {key: wanted[argument] for key, argument in C4.items()}
    assert recipe["language"]["min_score"] == defaults("LanguageFilter")["language_threshold"]


def test_c4_keeps_every_three_sentence_span_once_and_no_other_recipe_cuts_any() -> None:
    (rule,) = yaml.safe_load(shipped_recipes()["c4"])["repeated"]["spans"]
    assert rule == {"unit": "sentences", "run": 3, "keep": "first"}
    assert [name for name in NAMES if "repeated" in yaml.safe_load(shipped_recipes()[name])] == ["c4"]


def test_fineweb2s_bounds_for_all_languages_are_datatroves_defaults() -> None:
    (body,) = [
        entry["fineweb2"] for entry in yaml.safe_load(shipped_recipes()["fineweb2"])["filters"] if "fineweb2" in entry
    ]
    wanted = defaults("GopherQualityFilter")
    assert body["min_words"] == wanted["min_doc_words"] and body["max_words"] == wanted["max_doc_words"]
    assert body["max_symbols_per_word"] == wanted["max_symbol_word_ratio"]
    assert body["max_bullet_line_share"] == wanted["max_bullet_lines_ratio"]
    assert body["max_ellipsis_line_share"] == wanted["max_ellipsis_lines_ratio"]
    assert body["min_stop_words"] == wanted["min_stop_words"]


Golden = tuple[list[str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def golden(shared: Path) -> Golden:
    """The documents, and what datatrove says of each."""
    bench = shared / "bench"
    with gzip.open(bench / "corpus_en_4000.jsonl.gz") as corpus, gzip.open(bench / "golden_4000.jsonl.gz") as rows:
        return [json.loads(line)["text"] for line in corpus], [json.loads(row) for row in rows]


def sha(string: str) -> str:
    return hashlib.sha256(string.encode()).hexdigest()


@pytest.mark.parametrize(
    ("recipe", "step", "column"),
    [
        ("gopher", "gopher_quality", "gopher_qual"),
        ("gopher", "gopher_repetition", "gopher_rep"),
        ("c4-datatrove", "c4", "c4"),
        ("fineweb", "gopher_quality", "gopher_qual"),
        ("fineweb", "gopher_repetition", "gopher_rep"),
        ("fineweb", "c4", "c4_fineweb"),
        ("fineweb", "fineweb", "fineweb"),
    ],
)
def test_verdicts_on_real_documents_equal_datatroves(golden: Golden, recipe: str, step: str, column: str) -> None:
    strings, expected = golden
    (judge,) = (each for each in load_recipe(recipe).filter_steps if each.name == step)
    rows = judged(judge, strings)
    assert [reason for reason, _ in rows] == [want[column][1] for want in expected]
    if step == "c4":
        left = [None if reason else sha(text) for reason, text in rows]
        assert left == [want[f"{column}_text_sha"] for want in expected]


def judged(step: Step, strings: list[str]) -> list[tuple[str | None, str]]:
    """Reason and remaining text of each."""
    rows: list[tuple[str | None, str]] = []
    for start in range(0, len(strings), 500):
        batch = step(pa.record_batch({TEXT: pa.array(strings[start : start + 500], pa.string())}))
        rows += zip(batch.column(REASON).to_pylist(), batch.column(TEXT).to_pylist(), strict=True)
    return rows
