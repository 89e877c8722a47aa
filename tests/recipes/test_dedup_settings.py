"""What a recipe may say of deduplication, what stands in its resolved form, and every mistake in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import UserError
from curation.dedup.banding import Banding
from curation.dedup.policy import Policy
from curation.dedup.presets import PRESETS
from curation.dedup.shingles import Shingling
from curation.recipes.load import load_recipe, parse_recipe, parse_yaml
from curation.recipes.model import Recipe
from tests.pipeline.prepared import command

MEASURED = "filters: [{q: [{measure: words, min: 3, reason: few}]}]\n"


def parsed(dedup: str, before: str = "") -> Recipe:
    return parse_recipe(parse_yaml(f"recipe: r\n{before}dedup: {dedup}", "r.yaml"), "r.yaml")


def resolved(dedup: str) -> dict[str, Any]:
    """The part of the resolved form, which means the same when it is read again."""
    recipe = parsed(dedup)
    again = parse_recipe(recipe.resolved(), "r.yaml")
    assert again.resolved() == recipe.resolved() and again.digest() == recipe.digest() and again.keys == recipe.keys
    part: dict[str, Any] = recipe.resolved()["dedup"]
    return part


def mistake(dedup: str, before: str = "") -> str:
    """The one line that it is refused with."""
    with pytest.raises(UserError) as raised:
        parsed(dedup, before)
    line = str(raised.value)
    assert "\n" not in line and line.startswith("r.yaml: "), line
    return line


def test_every_default_is_written_out() -> None:
    assert resolved("{minhash: {}}") == {
        "url": False,
        "exact": True,
        "minhash": {
            "shingles": {"words": 5, "characters": None, "tokenizer": "english", "languages": {}},
            "target": 0.8,
            "bands": 16,
            "rows": 6,
            "verify": True,
        },
        "sources": [],
        "keep": "first",
        "against": [],
        "index": False,
        "alarm": {"documents": 1000},
    }


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_written_out(name: str) -> None:
    preset, minhash = PRESETS[name], resolved(f"{{minhash: {{preset: {name}}}}}")["minhash"]
    assert (minhash["bands"], minhash["rows"], minhash["verify"]) == (preset.bands, preset.rows, preset.verify)
    keys = parsed(f"{{minhash: {{preset: {name}}}}}").keys
    assert keys.near is not None and keys.near.shingling == preset.shingling and keys.near.banding == preset.banding
    assert "preset" not in minhash


@pytest.mark.parametrize(
    ("minhash", "bands", "rows"),
    [
        ("{}", 16, 6),
        ("{target: 0.8}", 16, 6),
        ("{target: 0.9}", 7, 6),
        ("{target: 0.7}", 37, 6),
        ("{target: 0.5, rows: 5}", 146, 5),
        ("{rows: 8}", 26, 8),
        ("{bands: 14, rows: 8}", 14, 8),
        ("{target: 0.9, bands: 14, rows: 8}", 14, 8),
    ],
)
def test_the_target_chooses_the_bands_unless_they_are_said(minhash: str, bands: int, rows: int) -> None:
    found = resolved(f"{{minhash: {minhash}}}")["minhash"]
    assert (found["bands"], found["rows"]) == (bands, rows)


def test_a_verified_signature_is_long_enough_to_be_compared() -> None:
    near = parsed("{minhash: {}}").keys.near
    assert near is not None
    assert (near.values, near.banding, near.finer) == (112, Banding(16, 6), Banding(28, 4))
    unverified = parsed("{minhash: {bands: 9, rows: 13, verify: false}}").keys.near
    assert unverified is not None and (unverified.values, unverified.finer) == (117, None)
    assert parsed("{exact: true}").keys.near is None and parsed("null").keys.near is None


def test_shingles_of_ones_own() -> None:
    near = parsed("{minhash: {shingles: {characters: 24, languages: {zh: {characters: 5}}}}}").keys.near
    assert near is not None and near.shingling.characters == 24 and near.shingling.languages["zh"].characters == 5
    plain = parsed("{minhash: {shingles: {words: 13}}}").keys.near
    assert plain is not None and plain.shingling == Shingling(words=13)


@pytest.mark.parametrize("keep", ["first", "longest", "newest"])
def test_a_policy_by_name(keep: str) -> None:
    assert resolved(f"{{keep: {keep}}}")["keep"] == keep
    assert parsed(f"{{keep: {keep}, sources: [wiki, web]}}").keys.policy == Policy(keep, "", ("wiki", "web"))


def test_the_best_by_a_measure_of_a_filter() -> None:
    recipe = parsed("{keep: {best: words}}", MEASURED)
    assert recipe.resolved()["dedup"]["keep"] == {"best": "words"}
    assert recipe.keys.policy == Policy("", "words")
    assert parse_recipe(recipe.resolved(), "r.yaml").digest() == recipe.digest()


def test_an_index_holds_what_any_later_run_may_ask_for() -> None:
    keys = parsed("{exact: false, index: true}").keys
    assert keys.url and keys.exact
    assert not parsed("{exact: false}").keys.exact and not parsed("{}").keys.url


@pytest.mark.parametrize(
    ("dedup", "expected"),
    [
        ("{minhash: {bands: 9}}", "dedup.minhash: say bands and rows, or leave the bands out"),
        ("{minhash: {preset: fineweb, rows: 3, target: 0.7}}", "a preset says it all: leave out rows, target"),
        ("{minhash: {preset: fineweb, 5: x}}", "a preset says it all: leave out 5"),
        ("{minhash: {preset: finweb}}", "there is no preset 'finweb'. Did you mean 'fineweb'?"),
        ('{minhash: {preset: "fine\\nweb"}}', "there is no preset 'fine web'."),
        ("{minhash: {preset: [a, b]}}", "there is no preset"),
        ("{minhash: {target: 0.5}}", "more than 256 bands. Take `rows: 5` or fewer"),
        (
            "{minhash: {target: 0.2, bands: 3, rows: 3}}",
            "dedup.minhash.target: input should be greater than or equal to 0.3",
        ),
        ("{minhash: {target: .nan}}", "dedup: "),
        ("{minhash: {target: high}}", "dedup.minhash.target: input should be a valid number"),
        ("{minhash: {rows: many}}", "dedup.minhash.rows: input should be a valid integer"),
        ("{minhash: {rows: 0}}", "dedup: "),
        ("{minhash: {bands: 501, rows: 2}}", "dedup.minhash.bands: input should be less than or equal to 500"),
        ("{minhash: {bnds: 16}}", "unknown key 'bnds' in dedup.minhash. Did you mean 'bands'?"),
        ("{minhash: {shingles: {wrods: 5}}}", "unknown key 'wrods' in dedup.minhash.shingles. Did you mean 'words'?"),
        ("{minhash: {shingles: {words: 5, characters: 3}}}", "say either `words` or `characters`"),
        ("{minhash: true}", "dedup.minhash: input should be a valid dictionary"),
        ("{keep: longst}", "dedup.keep: there is no policy 'longst'. Did you mean 'longest'? Or say {best: MEASURE}"),
        ("{keep: {bset: words}}", "dedup.keep: there is no policy"),
        ("{keep: {best: 5}}", "dedup.keep: there is no policy"),
        ("{keep: [first]}", "dedup.keep: there is no policy"),
        ("{keep: null}", "dedup.keep: there is no policy"),
        ("{keep: {best: wrods}}", "dedup.keep: no step of the recipe computes 'wrods'. Known: extraction_quality"),
        ("{sources: wiki}", "dedup.sources: input should be a valid list"),
        ("{against: RUN}", "dedup.against: input should be a valid list"),
        ("{index: maybe}", "dedup.index: input should be a valid boolean"),
    ],
)
def test_a_mistake_is_one_line(dedup: str, expected: str) -> None:
    assert expected in mistake(dedup)


def test_a_measure_that_no_step_computes_is_told_with_the_nearest() -> None:
    assert "computes 'wrods'. Did you mean 'words'?" in mistake("{keep: {best: wrods}}", MEASURED)


def test_a_mistake_ends_the_command_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n')
    (tmp_path / "r.yaml").write_text("recipe: r\ndedup: {keep: {best: words}}\n")
    done = command("curate", tmp_path / "r.yaml", "-i", tmp_path / "in.jsonl", "-r", tmp_path / "run")
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1
    assert "no step of the recipe computes 'words'" in done.stderr and not (tmp_path / "run").exists()


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.sampled_from(["first", "words"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["best", "words", "characters", "zh", "x", 3]), inner, max_size=3)
    ),
    max_leaves=5,
)
NAMES = ["url", "exact", "minhash", "sources", "keep", "against", "index", "alarm"]
MINHASH = st.dictionaries(
    st.sampled_from(["preset", "target", "bands", "rows", "verify", "shingles"]),
    st.sampled_from(["fineweb", 3, 0.7]) | PLAIN,
)


@given(st.dictionaries(st.sampled_from(NAMES), PLAIN, max_size=3), MINHASH | PLAIN)
def test_whatever_stands_there_it_is_taken_or_refused_in_one_line(plain: dict[str, Any], minhash: Any) -> None:
    try:
        recipe = parse_recipe({"recipe": "r", "dedup": {**plain, "minhash": minhash}}, "r.yaml")
    except UserError as error:
        assert "\n" not in str(error)
    else:
        assert parse_recipe(recipe.resolved(), "r.yaml").digest() == recipe.digest()


@pytest.mark.parametrize("name", ["fineweb", "gopher"])
def test_changes_reach_deduplication(name: str) -> None:
    changed = load_recipe(name, ["dedup.minhash={target: 0.9}", "dedup.url=true", "dedup.keep=newest"])
    assert changed.dedup is not None and changed.dedup.minhash is not None
    assert (changed.dedup.minhash.bands, changed.dedup.url, changed.dedup.keep) == (7, True, "newest")
