"""`corpusmill explain` as a person types it."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from connectors.errors import UserError
from curation.audit.pages import page
from curation.audit.show_recipe import in_bytes, settings_of
from curation.pipeline.explain import explain
from curation.quality.measure import resolve
from curation.recipes.load import load_recipe
from jobs.explain import main
from tests.pipeline.prepared import command


def explained(*words: str | Path) -> str:
    done = command("explain", *words)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def cells(shown: str, row: str) -> list[str]:
    """The cells of the first row that begins with this one."""
    line = next(line for line in shown.splitlines() if line.startswith(f"{row} "))
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_a_shipped_recipe_step_by_step() -> None:
    shown = explained("fineweb", "--set", "language.min_score=0.5")
    loaded = load_recipe("fineweb")
    rows = [line.split()[0] for line in shown.splitlines() if line and not line.startswith(" ")]
    steps = rows[rows.index("read") :]
    assert steps[: 1 + len(loaded.refine_steps)] == ["read", *(step.name for step in loaded.refine_steps)]
    lines = [line.strip() for line in shown.splitlines()]
    assert "engine: lid176; keep: en; min_score: 0.5" in lines
    assert cells(shown, "extract")[2:] == ["media, charset, content", "text, 1 measure, verdict"]
    assert "C4's cleaning: drops lines that are no prose" in shown
    assert any(line.startswith("source: Raffel et al. 2020 (T5), 2.2") for line in lines)
    for step in loaded.filter_steps:
        for rule in getattr(step, "rules", ()):
            row = next(line for line in shown.splitlines() if f" {rule.reason} " in line and line.startswith(step.name))
            sign = "<" if rule.min is not None else ">"
            told = [
                rule.measure.name,
                rule.measure.unit,
                f"{sign} {rule.threshold:,g}",
                rule.reason,
                rule.measure.source,
            ]
            assert [cell.strip() for cell in row.split("  ") if cell.strip()][1:] == told
    assert [name for name in rows if name in ("refine", "dedup", "vocabulary", "finish")] == [
        "refine",
        "dedup",
        "vocabulary",
        "finish",
    ]
    assert "a shuffle: keys, no text; of alike documents the first is kept" in shown and "only shuffle" not in shown
    assert "MB of the kept text; a shuffle of its own: counts of its distinct pre-tokens" in shown
    assert "a key of 14 bytes a document, the hash of its text" in shown
    assert "14 keys of 14 bytes a document (14 × 8)" in shown
    assert "250 MB" in shown and "16 MB" in shown and "lid.176" in shown
    assert "\x1b" not in shown  # plain, as it is piped


@pytest.mark.parametrize(
    ("change", "passes"),
    [
        ("tokenize.tokenizer=gpt2", ["one pass", "shards"]),
        ("tokenize.tokenizer=train", ["refine", "vocabulary", "finish", "shards"]),
    ],
)
def test_a_recipe_with_nothing_between_the_passes_is_one(change: str, passes: list[str]) -> None:
    recipe = load_recipe("gopher", ["dedup=null", change])
    told = dict(explain(recipe).passes)
    assert [name for name in told if name != "dedup"] == passes


def test_what_deduplication_sends_and_who_is_kept(tmp_path: Path) -> None:
    dedup = "{url: true, minhash: {target: 0.7}, keep: longest, sources: [wiki, web], index: true}"
    shown = explained("fineweb", "--set", f"dedup={dedup}")
    told = {line.split("  ")[0]: line for line in shown.splitlines()}
    assert (
        "the longest of the earliest source in wiki, web is kept; the driver holds 1 byte a document" in told["dedup"]
    )
    assert "a key of 16 bytes a document, the hash of its address" in told["dedup: url"]
    assert "37 keys of 8 bytes a document (37 × 6), then in up to 2 rounds 55 (55 × 4)" in told["dedup: minhash"]
    assert "asks 128 bytes of its signature, and looks up a sketch of at most 4 kB" in told["dedup: homes"]
    assert "within 0.1 of 0.7" in told["dedup: homes"]
    assert "RUN/index" in told["index"] and "37 a document" in shown
    loaded = load_recipe("fineweb", [f"dedup={dedup}"])
    assert loaded.dedup is not None and loaded.dedup.minhash is not None
    assert (loaded.dedup.minhash.bands, str(loaded.dedup.minhash.finer)) == (37, "55 × 4")
    unverified = explained("fineweb", "--set", "dedup={minhash: {preset: fineweb}}")
    assert (
        "14 keys of 14 bytes a document (14 × 8); whatever shares one, however far around, counts as one" in unverified
    )
    assert "the driver holds 6 bytes a document" in unverified and "dedup: homes" not in unverified
    plain = explained("fineweb", "--set", "dedup={exact: true}")
    assert "dedup: exact" in plain and "dedup: minhash" not in plain and "dedup: url" not in plain


def test_files_and_own_steps(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("bad.example\n" * 100)
    (tmp_path / "own.yaml").write_text(
        f"recipe: own\nurl: {{domains: {tmp_path}/bad.txt}}\ndedup: null\ntokenize: null\n"
        "filters: [{line_rules: {rules: [{reason: calls, contains: [read more]}]}}]\n"
    )
    shown = explained(tmp_path / "own.yaml")
    assert f"files: {tmp_path}/bad.txt (1.2 kB)" in shown
    assert "rules: {reason: calls, contains: read more, ignore_case: true}" in shown
    assert "no deduplication, and so no shuffle" in shown and "no tokens" in shown
    assert "Rules, of which" not in shown


def test_how_often_each_rule_fired_in_a_run(light_recipe: Path, light_run: Path) -> None:
    shown = explained(light_recipe, "--run", light_run)
    step, measure, unit, removed_if, reason, count, source = cells(shown, "lengths  characters")
    assert (step, measure, unit, removed_if, reason) == ("lengths", "characters", "characters", "< 200", "short")
    assert source == resolve("characters").source
    steps = json.loads((light_run / "manifest.json").read_text())["steps"]
    (ended,) = [step["ended"] for step in steps if step["step"] == "lengths"]
    documents = ended.get("removed", {}).get("short", 0)
    assert int(count) == documents
    assert shown.endswith("\nnever fired: lengths: short\n") == (documents == 0)


def test_curate_names_the_rules_that_never_fired(light_recipe: Path, crawl: Path, tmp_path: Path) -> None:
    rules = (
        "filters=[{lengths: [{measure: characters, min: 1000, reason: short},"
        " {measure: characters, max: 1.0e+9, reason: endless}]}]"
    )
    words = ("-i", f"{crawl}/00000.warc.gz", "-r", tmp_path / "run", "--workers", "1", "--set", rules)
    done = command("curate", light_recipe, *words)
    assert done.returncode == 0, done.stderr
    assert "\nnever fired: lengths: endless\n" in done.stdout
    shown = explained(light_recipe, "--set", rules, "--run", tmp_path / "run")
    assert shown.endswith("\nnever fired: lengths: endless\n")
    assert int(cells(shown, "lengths  characters")[5]) > 0


def test_a_mistake_is_one_line() -> None:
    done = command("explain", "finewebb")
    assert done.returncode == 2 and done.stdout == ""
    assert (
        done.stderr
        == "corpusmill: Unknown recipe 'finewebb'. Did you mean 'fineweb'? A file of your own ends in .yaml\n"
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("filters=[{x: [{measure: wrods, min: 1, reason: r}]}]", "Did you mean 'words'?"),
        ("filters=[{normalize: {}}]", "Did you mean 'normalise'?"),
        ("tokenise=null", "Did you mean 'tokenize'?"),
    ],
)
def test_names_that_are_not_known(change: str, told: str) -> None:
    with pytest.raises(UserError, match=re.escape(told)):
        main("fineweb", set=[change])


def test_a_folder_that_holds_no_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no run"):
        main("fineweb", run=str(tmp_path))


def test_a_terminal_keeps_its_width_and_a_pipe_has_none() -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=70)
    assert page(terminal) is terminal
    piped = page(Console(file=io.StringIO(), force_terminal=False, width=70))
    assert piped.width > 1000 and not piped.is_terminal


@pytest.mark.parametrize(
    ("size", "told"),
    [(0, "0 bytes"), (1023, "1,023 bytes"), (1536, "1.5 kB"), (16 << 20, "16 MB"), (5 << 50, "5,120 TB")],
)
def test_sizes(size: int, told: str) -> None:
    assert in_bytes(size) == told


def test_settings_as_in_a_recipe() -> None:
    settings = {"a": True, "b": None, "c": ("x", "y"), "d": (), "e": {"f": 1}, "g": 0.0, "h": ""}
    assert settings_of(settings) == "a: true; c: x, y; e: {f: 1}; g: 0.0"
