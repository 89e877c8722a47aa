"""Blocks of datatrove as a step. Oracle where named: the blocks themselves (datatrove 0.10.1), each run by its own `run`."""

from __future__ import annotations

import gzip
import json
import pickle
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from connectors.errors import UserError
from curation.pipeline.table import apply
from curation.quality import datatrove_loading
from curation.quality.datatrove_block import Datatrove
from curation.recipes.load import parse_recipe
from curation.run.documents import DOC_ID, LANG, LANG_SCORE, META, TEXT, URL

pytest.importorskip("datatrove")
DOCUMENTS, EVERY = 200, 20  # of the 4,000
OWN = "tests.quality.own_blocks"
PII = "Write to a.b@example.net, c@example.org and d@example.com from 8.8.8.8 or 9.9.9.9 or 10.0.0.1."
SAMPLER: dict[str, Any] = {"block": "SamplerFilter", "args": {"rate": 0.5, "seed": 3}}


def batch(*texts: str, **columns: pa.Array) -> pa.RecordBatch:
    ids = [number.to_bytes(16, "big") for number in range(len(texts))]
    return pa.record_batch({DOC_ID: pa.array(ids, pa.binary(16)), TEXT: pa.array(texts, pa.string()), **columns})


@cache
def corpus(shared: Path) -> list[str]:
    """Every twentieth of the reference documents."""
    with gzip.open(shared / "bench/corpus_en_4000.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for number, line in enumerate(lines) if number % EVERY == 0]


def theirs(block: str, args: dict[str, Any], texts: list[str]) -> list[str | None]:
    """The texts that datatrove's `run` lets through, each document in a block of its own; None for those it removes."""
    from datatrove.data import Document

    kind = datatrove_loading.find(block)
    passed = [list(kind(**args).run([Document(text=text, id=str(row))])) for row, text in enumerate(texts)]
    return [documents[0].text if documents else None for documents in passed]


@pytest.mark.parametrize(
    ("block", "args"),
    [
        ("GopherQualityFilter", {"min_doc_words": 20}),
        ("GopherRepetitionFilter", {}),
        ("C4QualityFilter", {"filter_no_terminal_punct": False}),
        ("C4ParagraphFilter", {}),
        ("FineWebQualityFilter", {"stop_chars": [".", "!"]}),
        ("RegexFilter", {"regex_exp": "[Cc]opyright"}),
        ("PIIFormatter", {}),
        ("SymbolLinesFormatter", {"replace_char": "\n"}),
    ],
)
def test_a_block_decides_and_rewrites_as_in_datatrove(block: str, args: dict[str, Any], shared: Path) -> None:
    """Oracle: the block's own `run`."""
    texts = corpus(shared)
    assert len(texts) == DOCUMENTS
    as_datatrove = {key: tuple(value) if isinstance(value, list) else value for key, value in args.items()}
    expected = theirs(block, as_datatrove, texts)
    out = Datatrove(block=block, args=args)(batch(*texts)).to_pylist()
    assert [None if row["fate"] else row[TEXT] for row in out] == expected
    assert [row[TEXT] for row in out if row["fate"]] == [
        text for text, kept in zip(texts, expected, strict=True) if kept is None
    ]
    changed = [int(kept not in (None, text)) for text, kept in zip(texts, expected, strict=True)]
    assert [row["edit:datatrove.rewritten"] for row in out] == changed


def test_reasons_are_the_blocks_own(shared: Path) -> None:
    """Oracle: the reference verdicts of `GopherQualityFilter` with its defaults."""
    with gzip.open(shared / "bench/golden_4000.jsonl.gz", "rt", encoding="utf-8") as lines:
        golden = [json.loads(line)["gopher_qual"] for number, line in enumerate(lines) if number % EVERY == 0]
    out = Datatrove(block="GopherQualityFilter", name="gopher")(batch(*corpus(shared))).to_pylist()
    assert [row["reason"] for row in out] == [None if keep else reason for keep, reason in golden]
    fired = [row for row in out if row["fate"]]
    assert fired and {(row["step"], row["fate"], row["value"], row["threshold"]) for row in fired} == {
        ("gopher", "removed", 1.0, 0.0)
    }


def test_a_block_that_gives_no_reason_gives_its_name() -> None:
    out = Datatrove(block="RegexFilter", args={"regex_exp": "bad"})(batch("bad", "good")).to_pylist()
    assert [row["reason"] for row in out] == ["RegexFilter", None]


@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.parametrize(
    "step",
    [
        SAMPLER,
        {"block": "PIIFormatter"},
        {"block": "GopherQualityFilter", "args": {"min_doc_words": 3, "min_stop_words": None}},
        {"block": f"{OWN}.InBatches", "keep_metadata": ["length", "even"]},
    ],
    ids=lambda step: str(step["block"]),
)
def test_the_size_of_a_batch_does_not_show(step: dict[str, Any], size: int) -> None:
    """Counters of replacements, random draws, and the token `IS_ALPHA` are what datatrove carries from text to text."""
    texts = [PII, "three IS_ALPHA words", PII, "x", "three IS_ALPHA words", *(f"text {n}" for n in range(30))]
    whole = batch(*texts)
    made = Datatrove(**step)
    together = made(whole)
    parts = [made(whole.slice(first, size)) for first in range(0, len(texts), size)]
    assert pa.Table.from_batches(parts).to_pylist() == pa.Table.from_batches([together]).to_pylist()


def test_replacements_begin_anew_in_each_document() -> None:
    out = Datatrove(block="PIIFormatter")(batch(PII, PII)).to_pylist()
    assert out[0][TEXT] == out[1][TEXT] and "firstname.lastname@example.org" in out[0][TEXT]
    assert "8.8.8.8" not in out[0][TEXT] and "10.0.0.1" in out[0][TEXT]


def test_random_draws_follow_from_document_seed_and_step() -> None:
    def kept(**changes: Any) -> list[bool]:
        made = Datatrove(**{**SAMPLER, **changes})(batch(*["x"] * 400))
        return [fate is None for fate in made.column("fate").to_pylist()]

    assert 150 < sum(kept()) < 250 and kept() == kept()
    assert kept() != kept(name="second") and kept() != kept(args={"rate": 0.5, "seed": 4})
    assert sum(kept(args={"rate": 1.0})) == 400 and sum(kept(args={"rate": 0.0})) == 0


def test_numbers_that_a_block_adds_are_kept_where_they_are_asked_for() -> None:
    step = Datatrove(block=f"{OWN}:InBatches", name="mine", keep_metadata=("length", "even", "title", "absent"))
    assert step.measures == ("mine.length", "mine.even", "mine.title", "mine.absent")
    out = step(batch("abc", "more than ten")).to_pylist()
    measures = [{key: value for key, value in row.items() if key.startswith("measure:")} for row in out]
    assert [list(values.values()) for values in measures] == [[3.0, 0.0, None, None], [13.0, 0.0, None, None]]
    assert [(row[TEXT], row["reason"]) for row in out] == [("ABC", None), ("more than ten", "long")]
    plain = Datatrove(block=f"{OWN}.InBatches")(batch("abc"))
    assert not [name for name in plain.schema.names if name.startswith("measure:")]


def test_a_block_sees_url_language_and_the_users_columns() -> None:
    columns = {
        URL: pa.array(["https://a.example/"]),
        LANG: pa.array(["de"]),
        LANG_SCORE: pa.array([0.5], pa.float32()),
        META: pa.array(['{"stars": 4}']),
    }
    keys = ("language_score", "stars", "url")
    out = Datatrove(block="C4ParagraphFilter", keep_metadata=keys)(batch("x", **columns)).to_pylist()
    assert [out[0][f"measure:datatrove.{key}"] for key in keys] == [0.5, 4.0, None]


def test_an_extractor_takes_the_text_for_html() -> None:
    out = Datatrove(block=f"{OWN}.Unbracketed")(batch("<p>text", "<p> ")).to_pylist()
    assert [(row[TEXT], row["reason"]) for row in out] == [("text", None), ("<p> ", "no_main_text")]


def test_the_own_extractor_of_datatrove() -> None:
    pytest.importorskip("trafilatura")
    page = f"<html><body><article><p>{'A sentence of the page. ' * 20}</p></article></body></html>"
    step = Datatrove(block="Trafilatura", args={"deduplicate": False})
    out = step(batch(page, page)).to_pylist()
    assert out[0][TEXT].startswith("A sentence of the page.") and out[0][TEXT] == out[1][TEXT]


def test_a_function_is_named_by_its_path() -> None:
    step = Datatrove(block="LambdaFilter", args={"filter_function": f"{OWN}:is_short"})
    assert step(batch("short", "not short at all")).column("reason").to_pylist() == [None, "LambdaFilter"]
    assert step.modules == (f"{OWN}:is_short",)
    assert Datatrove(block=f"{OWN}.InBatches").modules == (f"{OWN}:InBatches",)
    assert Datatrove(block="C4ParagraphFilter").modules == ()


def test_files_of_models_decide_what_a_step_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "m.bin"
    model.write_bytes(b"")
    kind = datatrove_loading.find("FastTextClassifierFilter")
    monkeypatch.setattr(kind, "_requires_dependencies", [])
    step = Datatrove(block="FastTextClassifierFilter", args={"model_url": str(model), "keep_labels": ["math", 0.9]})
    assert step.files == (str(model),)


def test_a_step_travels_to_other_processes() -> None:
    step = Datatrove(block="RegexFilter", args={"regex_exp": "bad"}, name="r")
    again = pickle.loads(pickle.dumps(step))
    assert again == step and again(batch("bad")).equals(step(batch("bad")))


def test_a_document_that_a_block_raises_on_is_quarantined_alone() -> None:
    recipe = parse_recipe({"recipe": "r", "filters": [{"datatrove": {"block": f"{OWN}.InBatches"}}]}, "r.yaml")
    judged = apply(recipe, pa.table({"text": ["a", "raise", "b", "far too long a text"]}))
    assert judged["fate"].to_pylist() == ["kept", "quarantined", "kept", "removed"]
    assert judged["reason"].to_pylist() == [None, "step_error", None, "long"]
    assert judged["text"].to_pylist() == ["A", "raise", "B", "far too long a text"]


def test_a_block_that_gives_no_text_fails_on_the_document() -> None:
    recipe = parse_recipe({"recipe": "r", "filters": [{"datatrove": {"block": f"{OWN}.NoText"}}]}, "r.yaml")
    assert apply(recipe, pa.table({"text": ["a"]}))["reason"].to_pylist() == ["step_error"]


def test_data_that_cannot_be_loaded_end_the_run_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise ConnectionError("no network\nat all")

    monkeypatch.setattr(datatrove_loading.find("C4BadWordsFilter"), "_get_badwords", refuse)
    with pytest.raises(UserError, match=r"^datatrove: C4BadWordsFilter cannot load what it needs: no network$"):
        Datatrove(block="C4BadWordsFilter")(batch("x"))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"block": "GopherQualtyFilter"}, "no block 'GopherQualtyFilter'. Did you mean 'GopherQualityFilter'?"),
        (
            {"block": "datatrove.pipeline.filters.GopherQualtyFilter"},
            "cannot find 'datatrove.pipeline.filters.GopherQualtyFilter'",
        ),
        (
            {"block": "no.such.module.Block"},
            "cannot find 'no.such.module.Block': No module named 'no'. Is its folder on",
        ),
        ({"block": "datatrove.pipeline.readers.JsonlReader"}, "is no filter, formatter or extractor"),
        ({"block": f"{OWN}.Reader"}, "is no filter, formatter or extractor"),
        ({"block": f"{OWN}.NUMBER"}, "is no filter, formatter or extractor"),
        ({"block": "datatrove.pipeline.filters.base_filter.BaseFilter"}, "is no filter, formatter or extractor"),
        ({"block": "."}, "cannot find '.'"),
        ({}, "block: field required"),
        ({"block": "C4QualityFilter", "arg": {}}, "unknown key 'arg'. Did you mean 'args'?"),
        (
            {"block": "GopherQualityFilter", "args": {"min_words": 3}},
            "GopherQualityFilter has no argument 'min_words'. Did you mean 'min_doc_words'?",
        ),
        ({"block": "RegexFilter"}, "RegexFilter needs the argument 'regex_exp': write args: {regex_exp: …}"),
        ({"block": "RegexFilter", "args": {"regex_exp": "("}}, "RegexFilter cannot be made: missing ), unterminated"),
        (
            {"block": "GopherQualityFilter", "args": {"min_doc_words": "many"}},
            "argument 'min_doc_words': 'many' is not int | None",
        ),
        ({"block": "C4QualityFilter", "args": {"remove_citations": 1}}, "argument 'remove_citations': 1 is not bool"),
        ({"block": "RegexFilter", "args": {"regex_exp": None}}, "argument 'regex_exp': None is not str"),
        ({"block": "GopherRepetitionFilter", "args": {"top_n_grams": 3}}, "argument 'top_n_grams': 3 is not tuple"),
        (
            {"block": "C4ParagraphFilter", "args": {"exclusion_writer": "out/"}},
            "cannot be given 'exclusion_writer' here: the ledger holds what is removed",
        ),
        ({"block": "Trafilatura", "args": {"timeout": 3}}, "cannot be given 'timeout' here: a limit by the clock"),
        ({"block": "Trafilatura"}, "write args: {deduplicate: false}, or extract: {engine: trafilatura}"),
        ({"block": "LambdaFilter", "args": {"filter_function": f"{OWN}:nothing"}}, "cannot find"),
        ({"block": "LambdaFilter", "args": {"filter_function": f"{OWN}:NUMBER"}}, "is not a function"),
        ({"block": "ReadabilityInscriptis"}, "ReadabilityInscriptis cannot be made: Please install"),
        ({"block": "RegexFilter", "args": {"regex_exp": object()}}, "only numbers, strings, lists and mappings"),
    ],
)
def test_a_mistake_is_one_line_before_any_work(body: dict[str, Any], expected: str) -> None:
    with pytest.raises(UserError) as raised:
        parse_recipe({"recipe": "r", "filters": [{"datatrove": body}]}, "r.yaml")
    line = str(raised.value)
    assert line.startswith("r.yaml: ") and expected in line and "\n" not in line


def test_numbers_may_be_any_and_tuples_come_from_lists() -> None:
    args = {"max_avg_word_length": 10.5, "min_stop_words": None, "stop_words": ["x"]}
    assert Datatrove(block="GopherQualityFilter", args=args)
    grams = [[2, 0.5], [3, 0.4]]
    kind = datatrove_loading.find("GopherRepetitionFilter")
    assert datatrove_loading.checked(kind, {"top_n_grams": grams})["top_n_grams"] == tuple(grams)


def test_without_datatrove_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("datatrove")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "datatrove", None)
    datatrove_loading.shipped_blocks.cache_clear()
    with pytest.raises(UserError, match=r"The package 'datatrove' is not installed.*corpusmill\[parity\]"):
        Datatrove(block="FineWebQualityFilter", args={"new_line_ratio": 0.31})
    monkeypatch.undo()
    datatrove_loading.shipped_blocks.cache_clear()


def test_a_recipe_with_blocks_resolves_and_loads_again_the_same() -> None:
    filters = [
        {"datatrove": {"block": "C4ParagraphFilter", "name": "paragraphs"}},
        {"datatrove": {**SAMPLER, "name": "half", "keep_metadata": ["n"]}},
    ]
    recipe = parse_recipe({"recipe": "r", "filters": filters}, "r.yaml")
    assert [step.name for step in recipe.filter_steps] == ["paragraphs", "half"]
    assert parse_recipe(recipe.resolved(), "r.yaml").digest() == recipe.digest()
