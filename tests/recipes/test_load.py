"""Recipes: what may be said is taken, and every mistake is one line that names the place and the nearest known name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.errors import UserError
from curation.recipes.load import apply_change, load_recipe, parse_recipe, parse_yaml, shipped_recipes
from curation.recipes.lookup import shipped_steps
from curation.recipes.model import Recipe


def parsed(content: str) -> Recipe:
    return parse_recipe(parse_yaml(content, "r.yaml"), "r.yaml")


def mistake(content: str) -> str:
    """The one line that a recipe is refused with."""
    with pytest.raises(UserError) as raised:
        parsed(content)
    line = str(raised.value)
    assert "\n" not in line and line.startswith("r.yaml"), line
    return line


@pytest.mark.parametrize(
    "name", [name for name, content in sorted(shipped_recipes().items()) if "YOUR/" not in content]
)
def test_a_shipped_recipe_resolved_and_loaded_again_is_the_same(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    stored = tmp_path / "recipe.yaml"
    stored.write_text(yaml.safe_dump(recipe.resolved(), sort_keys=False, allow_unicode=True))
    again = load_recipe(str(stored))
    assert again.resolved() == recipe.resolved() and again.digest() == recipe.digest()
    assert [step.name for step in again.refine_steps] == [step.name for step in recipe.refine_steps]


def test_a_resolved_recipe_says_every_default() -> None:
    short = parsed("recipe: r\nurl: {}\nfilters: [{c4: {}}]\ndedup: {minhash: {}}").resolved()
    assert short["extract"]["engine"] == "fast" and short["extract"]["max_tags"] > 0
    minhash = short["dedup"]["minhash"]
    assert (minhash["target"], minhash["bands"], minhash["rows"], minhash["verify"]) == (0.8, 16, 6, True)
    assert minhash["shingles"]["words"] == 5
    assert len(short["filters"][0]["c4"]) > 3
    assert json.loads(json.dumps(short)) == short


def test_the_digest_follows_the_meaning_not_the_spelling() -> None:
    a = parsed("recipe: r\ntokenize: {vocabulary: 300, shard_tokens: 1.0e+3}\nredact: [email]")
    b = parsed("redact:\n- email\ntokenize:\n  shard_tokens: 1000\n  vocabulary: 300\nrecipe: r")
    assert a.digest() == b.digest()
    assert a.digest() != parsed("recipe: r\ntokenize: {vocabulary: 301, shard_tokens: 1000}\nredact: [email]").digest()
    assert parsed("recipe: r\nfilters: [{c4: {}}]").digest() == parsed("recipe: r\nfilters: [c4: ]").digest()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("recipe: r\nlangage: {keep: [en]}", "unknown key 'langage'. Did you mean 'language'?"),
        ("recipe: r\ntokenise: {}", "unknown key 'tokenise'. Did you mean 'tokenize'?"),
        ("recipe: r\nread: {record_byte: 5}", "unknown key 'record_byte' in read. Did you mean 'record_bytes'?"),
        ("recipe: r\nextract: {engin: x}", "unknown key 'engin' in extract. Did you mean 'engine'?"),
        ("recipe: r\nlanguage: {engine: lid176, kep: [en]}", "unknown key 'kep' in language. Did you mean 'keep'?"),
        ("recipe: r\ntokenize: {vocab: 5}", "unknown key 'vocab' in tokenize. Did you mean 'vocabulary'?"),
        ("recipe: r\ndedup: {exakt: true}", "unknown key 'exakt' in dedup. Did you mean 'exact'?"),
        ("recipe: r\ndedup: {minhash: {band: 3}}", "unknown key 'band' in dedup.minhash. Did you mean 'bands'?"),
        (
            "recipe: r\nfilters: [{c4: {terminal_punct: false}}]",
            "unknown key 'terminal_punct'. Did you mean 'terminal_punctuation'?",
        ),
        (
            "recipe: r\nfilters: [{q: [{measure: words, minimum: 3, reason: x}]}]",
            "unknown key 'minimum'. Did you mean 'min'?",
        ),
        ("recipe: r\nfilters: [{clasifier: {}}]", "Unknown filter step 'clasifier'. Did you mean 'classifier'?"),
        ("recipe: r\nfilters: [{q: [{measure: wrods, min: 3, reason: x}]}]", "Did you mean 'words'?"),
        ("recipe: r\nredact: [emial]", "email"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest_known_one(content: str, expected: str) -> None:
    assert expected in mistake(content)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("tokenize: {vocabulary: 5}", "recipe: field required"),
        ("recipe: [r]", "recipe: input should be a valid string"),
        ("recipe: r\ntokenize: {vocabulary: many}", "tokenize.vocabulary: input should be a valid integer"),
        (
            "recipe: r\ntokenize: {vocabulary: 0}",
            "tokenize.vocabulary: input should be greater than or equal to 257, not 0",
        ),
        ("recipe: r\ntokenize: 5", "tokenize: "),
        ("recipe: r\nread: {record_bytes: -1}", "read.record_bytes: input should be greater than 0"),
        ("recipe: r\ndedup: {minhash: {bands: 9}}", "dedup.minhash: say bands and rows, or leave the bands out"),
        (
            "recipe: r\nextract: {engine: lynx}",
            "extract.engine: input should be 'fast', 'resiliparse' or 'trafilatura'",
        ),
        ("recipe: r\nextract: null", "extract: "),
        ("recipe: r\nlanguage: {keep: en}", "language.keep"),
        ("recipe: r\nfilters: {c4: {}}", "filters: input should be a valid list"),
        ("recipe: r\nfilters: [c4]", "filters.0: input should be a valid dictionary"),
        ("recipe: r\nfilters: [{c4: 7}]", "dictionary"),
        ("recipe: r\nfilters: [{c4: {}, c5: {}}]", "put a dash before each"),
        ("recipe: r\nfilters: [{}]", "put a dash before each"),
        ("recipe: r\nfilters: [{q: [words]}]", "filters.q: a rule is {measure: …, min: … or max: …, reason: …}"),
        ("recipe: r\nfilters: [{q: [{min: 3}]}]", "filters.q: a rule is"),
        ("recipe: r\nfilters: [{q: [{measure: words, min: 3}]}]", "reason: field required"),
        ("recipe: r\nfilters: [{q: [{measure: words, reason: x}]}]", "needs exactly one of min and max"),
        ("recipe: r\nfilters: [{q: [{measure: words, min: few, reason: x}]}]", "min: input should be a valid number"),
        ("recipe: r\nfilters: [{no.such.module:Step: {}}]", "Cannot import no.such.module"),
        ("recipe: r\nfilters: [{tests.recipes.own:Nothing: {}}]", "tests.recipes.own has no 'Nothing'"),
        ("recipe: r\nfilters: [{tests.recipes.own:NOT_A_STEP: {}}]", "is not a step"),
        ("recipe: r\nfilters: [{tests.recipes.own:NoWord: {}}]", "word: field required"),
        ("recipe: r\nfilters: [{tests.recipes.own:NoWord: {words: x}}]", "unknown key 'words'. Did you mean 'word'?"),
        ("recipe: r\nfilters: [{q: [{measure: 'tests.recipes.own:none', min: 1, reason: x}]}]", "cannot be imported"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(content: str, expected: str) -> None:
    assert expected in mistake(content)


@pytest.mark.parametrize(
    ("content", "line"),
    [("recipe: r\nfilters:\n  - c4: {terminal: false", 3), ("recipe: r\n\turl: {}", 2), ("recipe: 'r\nurl: {}\n", 3)],
)
def test_bad_yaml_is_told_with_its_line(content: str, line: int) -> None:
    told = mistake(content)
    assert "not valid YAML" in told and (f"line {line}" in told or f"line {line + 1}" in told)


@pytest.mark.parametrize("content", ["", "[1, 2]", "fineweb", "null", "5"])
def test_what_is_no_mapping_is_no_recipe(content: str) -> None:
    assert "a recipe is a mapping" in mistake(content)


@pytest.mark.parametrize("name", ["fineweeb", "Fineweb", "web"])
def test_an_unknown_recipe_is_told_with_the_known_ones(name: str) -> None:
    with pytest.raises(UserError, match=r"Unknown recipe '\w+'.*fineweb.* A file of your own ends in .yaml"):
        load_recipe(name)


def test_a_recipe_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Cannot read the recipe .*none.yaml: No such file"):
        load_recipe(str(tmp_path / "none.yaml"))
    (tmp_path / "latin.yaml").write_bytes(b"recipe: caf\xe9")
    with pytest.raises(UserError, match="not UTF-8"):
        load_recipe(str(tmp_path / "latin.yaml"))
    with pytest.raises(UserError, match="Is a directory"):
        load_recipe(f"{tmp_path}/")


def test_changes_win_over_the_file() -> None:
    changed = load_recipe(
        "fineweb", ["tokenize.vocabulary=9000", "redact=[email]", "language.keep=[de, fr]", "url=null"]
    )
    assert changed.tokenize is not None and changed.tokenize.vocabulary == 9000
    assert changed.redact == ["email"] and changed.url is None
    assert changed.language is not None and list(changed.language.keep) == ["de", "fr"]
    assert load_recipe("fineweb", ["tokenize=null"]).tokenize is None
    assert load_recipe("fineweb", ["url=null", "url.files=[]"][:1]).url is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("tokenize.vocabulry=9", "unknown key 'vocabulry' in tokenize. Did you mean 'vocabulary'?"),
        ("vocabulary", "write a change as key=value"),
        ("=5", "write a change as key=value"),
        ("tokenize.=5", "write a change as key=value"),
        ("recipe.name=x", "'recipe' has no keys below it"),
        ("filters.c4.citations=false", "'filters' has no keys below it"),
        ("tokenize.vocabulary=[1", "tokenize.vocabulary=[1"),
        ("tokenize.vocabulary=: :", "tokenize.vocabulary"),
    ],
)
def test_a_change_that_does_not_fit_is_one_line(change: str, expected: str) -> None:
    with pytest.raises(UserError) as raised:
        load_recipe("fineweb", [change])
    assert expected in str(raised.value) and "\n" not in str(raised.value)


def test_a_change_makes_the_part_that_is_not_there() -> None:
    plain: dict[str, Any] = {"recipe": "r", "dedup": None}
    apply_change(plain, "dedup.minhash.verify=false")
    apply_change(plain, "read.record_bytes=1000")
    assert plain == {"recipe": "r", "dedup": {"minhash": {"verify": False}}, "read": {"record_bytes": 1000}}


def test_a_recipe_does_not_change_after_reading() -> None:
    with pytest.raises(ValidationError):
        parsed("recipe: r").recipe = "other"


def test_a_measure_of_the_users_own_is_taken_by_dotted_path() -> None:
    recipe = parsed(
        "recipe: r\nfilters: [{mine: [{measure: 'tests.recipes.own:vowels_per_character', min: 0.2, reason: few_vowels}]}]"
    )
    (step,) = recipe.filter_steps
    assert step.name == "mine" and step.measures == ("vowels_per_character",)  # type: ignore[attr-defined]
    assert recipe.resolved()["filters"][0]["mine"][0]["measure"] == "tests.recipes.own:vowels_per_character"


def test_a_step_of_the_users_own_is_taken_by_dotted_path() -> None:
    recipe = parsed("recipe: r\nfilters: [{'tests.recipes.own:NoWord': {word: magic}}]")
    assert recipe.filter_steps[0].name == "no_word"
    again = parse_recipe(recipe.resolved(), "r.yaml")
    assert again.digest() == recipe.digest()


def test_every_shipped_filter_step_can_stand_in_a_recipe_or_says_what_it_needs() -> None:
    assert "c4" in shipped_steps()
    for name in shipped_steps():
        try:
            parsed(json.dumps({"recipe": "r", "filters": [{name: {}}]}))
        except UserError as error:
            assert "\n" not in str(error)


KEYS = "recipe read url extract language filters dedup minhash redact tokenize engine keep c4 words measure min reason"
NAMES = st.sampled_from([*KEYS.split(), "", "filters.0", "a:b", "os:getcwd", ":"])
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | NAMES | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.integers(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(NAMES, PLAIN, max_size=5))
def test_whatever_stands_in_a_recipe_it_is_taken_or_refused_in_one_line(plain: dict[str, Any]) -> None:
    try:
        recipe = parse_recipe({"recipe": "r"} | plain, "r.yaml")
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert parse_recipe(recipe.resolved(), "r.yaml").digest() == recipe.digest()
