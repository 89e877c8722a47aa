"""A run of the sample crawl held against the crawl's truth: every fate as intended, every planted value gone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
from rich.table import Table

from connectors import storage
from connectors.errors import UserError
from curation.audit.story import NO_TEXT, Ledger, as_pattern

_QUERY = """
SELECT t.population, t.fate, t.step, t.reason, t.url, t.duplicate_of, t.jaccard,
       coalesce(f.fate, 'missing'), coalesce(f.step, ''), coalesce(f.reason, ''), f.value, f.threshold,
       (SELECT any_value(o.url) FROM read_parquet($records) o WHERE o.doc_id = f.duplicate_of),
       t.pii, d.text, d.url
FROM read_parquet($truth) t
LEFT JOIN read_parquet($records) r ON r.archive = t.file AND r."offset" = t."offset"
LEFT JOIN read_parquet($fates) f ON f.doc_id = r.doc_id
LEFT JOIN read_parquet($documents) d ON d.doc_id = r.doc_id
ORDER BY t.file, t."offset"
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """A page whose fate is another than intended."""

    population: str
    url: str
    intended: str
    found: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Pages by population and how many ended as intended; the others one by one; personal data planted and left."""

    populations: dict[str, tuple[int, int, str]]
    differences: list[Difference]
    planted: int
    left: int


def compare(sample: Path, run: str) -> Comparison:
    """Every page of the sample's truth against the run's ledger. Raises `UserError` where there is no sample or no run."""
    if not (sample / "truth").is_dir():
        raise UserError(f"{sample} holds no sample: there is no folder truth/ in it")
    ledger = Ledger(run)
    if not ledger.keeps_text:
        raise UserError(f"The run in {run} {NO_TEXT}: there is nothing to compare")
    folder = as_pattern(ledger.folder.root)
    cursor = duckdb.connect().execute(
        _QUERY,
        {
            "truth": f"{as_pattern(str(sample))}/truth/*.parquet",
            "records": f"{folder}/ledger/records/**/*.parquet",
            "fates": [f"{folder}/ledger/{part}/**/*.parquet" for part in ("refine", "finish")],
            "documents": f"{folder}/documents/**/*.parquet",
        },
    )
    tokenizer = ledger.folder.uri(ledger.folder.tokenizer)
    vocabulary = storage.read_bytes(tokenizer).decode() if storage.exists(tokenizer) else ""
    populations: dict[str, tuple[int, int, str]] = {}
    differences: list[Difference] = []
    planted = left = 0
    while row := cursor.fetchone():
        population, fate, step, reason, url, original, jaccard, *found_row = row
        found_fate, found_step, found_reason, value, threshold, found_original, spans, text, shown_url = found_row
        values = [span["value"] for span in spans]
        intended = " ".join(filter(None, (fate, step, reason)))
        found = " ".join(filter(None, (found_fate, found_step, found_reason if found_fate != "kept" else "")))
        if fate == "kept":
            intended, found = "kept", found if found_fate != "kept" else "kept"
        if fate == found_fate == "duplicate":
            intended = found = "duplicate"  # by which key depends on what the extractor left of both pages
        if fate == "duplicate" and original != found_original:
            found += f" of {found_original or 'none'}"
            intended += f" of {original} (Jaccard {jaccard:.3f})"
        elif intended != found and value is not None:
            found += f" {value:.4g} against {threshold}"
        pages, right, _ = populations.get(population, (0, 0, ""))
        populations[population] = (
            pages + 1,
            right + (intended == found),
            intended if fate != "duplicate" else "duplicate",
        )
        if intended != found:
            differences.append(Difference(population, url, intended, found))
        planted += len(values)
        left += sum(value in (text or "") or value in (shown_url or "") or value in vocabulary for value in values)
    return Comparison(populations, differences, planted, left)


def comparison_tables(comparison: Comparison) -> list[Table | str]:
    """The comparison for a person: populations, then what differs."""
    table = Table(title="Fates against the truth", title_justify="left", header_style="bold", pad_edge=False)
    for name in ("population", "intended", "pages", "as intended"):
        table.add_column(name, justify="right" if name in ("pages", "as intended") else "left")
    for population, (pages, right, intended) in comparison.populations.items():
        table.add_row(population, intended, f"{pages:,}", f"{right:,}", style="" if pages == right else "red")
    parts: list[Table | str] = [table]
    if comparison.differences:
        listed = Table(title="What differs", title_justify="left", header_style="bold", pad_edge=False)
        for name in ("population", "intended", "found", "page"):
            listed.add_column(name, overflow="fold")
        for difference in comparison.differences:
            listed.add_row(difference.population, difference.intended, difference.found, difference.url)
        parts.append(listed)
    pages = sum(count for count, _, _ in comparison.populations.values())
    parts.append(
        f"{pages - len(comparison.differences):,} of {pages:,} records ended as intended; "
        f"{comparison.left} of {comparison.planted:,} planted personal values are left"
    )
    return parts
