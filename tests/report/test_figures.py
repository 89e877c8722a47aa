"""The page's figures against the ledger, counted by plain pyarrow and SQL of the tests' own."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from tests.pipeline import ledger_of
from tests.report.reading import Page, number


def sql(run: Path, question: str) -> list[Any]:
    """Rows of a question to `records`, `refine`, `finish`, `measures` and `edits` of a run."""
    for part in ("records", "refine", "finish", "measures", "edits"):
        question = question.replace(f"@{part}", f"read_parquet('{run}/ledger/{part}/**/*.parquet')")
    return duckdb.sql(question.replace("@documents", f"read_parquet('{run}/documents/**/*.parquet')")).fetchall()


def test_the_balance_of_each_source(run: Path, page: Page) -> None:
    fates = Counter(row["fate"] for row in ledger_of.fates(run).values())
    (row,) = page.figures("The balance of each source").values()
    assert [number(cell) for cell in row[:5]] == [
        fates.total(), *(fates[fate] for fate in ("kept", "removed", "duplicate", "quarantined")),
    ]  # fmt: skip
    assert row[6] == "✓ balances" and "Nothing is lost" in page.sections["flow"]


def test_step_by_step(run: Path, page: Page) -> None:
    ended = Counter((row["step"], row["fate"]) for row in ledger_of.fates(run).values())
    left = ended.total()
    rows = page.figures("Step by step")
    for step, (entered, aside, removed, duplicate, quarantined) in rows.items():
        assert number(entered) == left, step
        if step != "kept":
            assert number(aside) + number(removed) == ended[step, "removed"]
            assert number(duplicate) == ended[step, "duplicate"]
            assert number(quarantined) == ended[step, "quarantined"]
            left -= sum(n for (name, fate), n in ended.items() if name == step and fate != "kept")
    assert len(rows) > 8 and left == sum(n for (_, fate), n in ended.items() if fate == "kept")


def test_every_reason_with_its_count_and_values(run: Path, page: Page) -> None:
    found = sql(run, "SELECT step, reason, count(*), fate FROM @refine WHERE fate <> 'kept' GROUP BY ALL")
    rows = page.figures("Reasons, in the order of the steps")
    assert {name: (number(row[0]), row[5]) for name, row in rows.items()} == {
        f"{step}: {reason}": (n, fate) for step, reason, n, fate in found
    }
    assert rows["gopher_quality: gopher_short_doc"][3] == "words below 50"


def test_samples_are_of_their_reason_and_the_nearest_are_the_nearest(run: Path, page: Page) -> None:
    fates = ledger_of.fates(run)
    seen = 0
    for caption, (_, *rows) in page.tables.items():
        if caption.startswith("Pages ended by "):
            name = caption.removeprefix("Pages ended by ")
            here = {key: row for key, row in fates.items() if f"{row['step']}: {row['reason']}" == name}
            ids = [bytes.fromhex(row[5]) for row in rows]
            assert ids and set(ids) <= set(here) and len(set(ids)) == len(ids)
            near = sorted((abs(row["value"] - row["threshold"]), key) for key, row in here.items() if row["threshold"])
            assert {key for _, key in near[:2]} <= set(ids)
            seen += 1
    assert seen > 10


def test_beyond_a_threshold_are_as_many_as_lie_there_and_no_fewer_than_its_reason_removed(
    run: Path, page: Page
) -> None:
    """More may lie beyond than were removed for it: a rule before may have decided."""
    recipe = yaml.safe_load((run / "recipe.yaml").read_text())
    rules = [
        (step, r) for entry in recipe["filters"] for step, body in entry.items() if type(body) is list for r in body
    ]
    text = page.sections["measures"]
    checked = 0
    for step, rule in rules:
        (removed,) = sql(run, f"SELECT count(*) FROM @refine WHERE step = '{step}' AND reason = '{rule['reason']}'")[0]
        title = rule["measure"].replace("_", " ")
        if not sql(run, f"SELECT 1 FROM @measures WHERE {rule['measure']} IS NOT NULL LIMIT 1"):
            continue
        bound = f"below {rule['min']:,.4g}" if "min" in rule else f"above {rule['max']:,.6g}"
        sign = f"< {rule['min']}" if "min" in rule else f"> {rule['max']}"
        (beyond,) = sql(run, f"SELECT count(*) FROM @measures WHERE {rule['measure']} {sign}")[0]
        assert beyond >= removed
        after = text[text.index(title + ",") :] if title + "," in text else text[text.index(title) :]
        after = after[after.index(f"; {bound}: ") + len(f"; {bound}: ") :]
        assert after.startswith(f"{beyond:,}") and not after[len(f"{beyond:,}")].isdigit(), (title, bound)
        checked += 1
    assert checked > 20


def test_languages_sites_and_tokens(run: Path, page: Page) -> None:
    found = sql(run, "SELECT lang, count(*) FROM @measures GROUP BY lang")
    shown = page.figures("Languages, the best label of each document")
    assert {lang: number(row[0]) for lang, row in shown.items()} == dict(found)
    kept, tokens = sql(run, "SELECT count(*), sum(tokens) FROM @documents")[0]
    assert number(shown["en"][3]) == kept
    (source,) = page.figures("Sources").values()
    assert number(source[2]) == kept and number(source[3]) == tokens
    sites = Counter(url.split("/")[2] for (url,) in sql(run, "SELECT url FROM @documents"))
    rows = page.figures("Sites with the most kept documents")
    assert {site: number(row[0]) for site, row in rows.items()} == {site: sites[site] for site in rows}
    assert f"from {len(sites):,} sites" in page.sections["sources"]


def test_personal_data_by_kind(run: Path, page: Page) -> None:
    found = sql(
        run,
        """SELECT kind, sum(count), count(DISTINCT doc_id) FROM @edits e JOIN @finish f USING (doc_id)
           WHERE e.step = 'redact' AND f.fate = 'kept' GROUP BY kind""",
    )
    shown = page.figures("Replacements in kept documents, by kind")
    nonzero = {kind: (number(row[0]), number(row[2])) for kind, row in shown.items() if number(row[0])}
    assert nonzero == {kind.replace("_", " "): (n, documents) for kind, n, documents in found} and nonzero


def test_clusters(run: Path, page: Page) -> None:
    members = Counter(row["duplicate_of"] for row in ledger_of.fates(run).values() if row["fate"] == "duplicate")
    rows = page.figures("Clusters by size, the kept document included")
    assert sum(number(row[0]) for row in rows.values()) == len(members)
    assert sum(number(row[3]) for row in rows.values()) == members.total()
    assert number(rows["2"][0]) == sum(n == 1 for n in members.values())


@pytest.mark.parametrize("part", ["inputs", "versions"])
def test_what_the_run_is_made_from(run: Path, page: Page, part: str) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    if part == "inputs":
        shown = page.figures("Inputs")
        assert {name: row[2] for name, row in shown.items()} == {i["split"]: i["sha256"] for i in manifest["inputs"]}
    else:
        assert {name: row[0] for name, row in page.figures("Packages").items()} == manifest["plan"]["versions"]
    assert manifest["plan_digest"] in page.sections["run"]
