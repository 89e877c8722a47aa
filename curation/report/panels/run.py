"""What the run is: recipe, inputs with their hashes, versions. No clock stands in a run's outputs, so none stands here."""

from __future__ import annotations

from typing import Any

from curation.audit.story import Ledger
from curation.report.markup import Html, code, count, definitions, folded, joined, paragraph, table

ORDER = 10
TITLE = "The run"

MOST_INPUTS = 50


def render(ledger: Ledger) -> Html:
    """Recipe and plan, the inputs, the versions that did the work."""
    manifest = ledger.manifest
    plan, recipe = manifest["plan"], manifest["plan"]["recipe"]
    pairs = [
        ("Recipe", joined(recipe["recipe"], f" ({recipe['source']})" if recipe.get("source") else "")),
        ("Plan", joined(code(manifest["plan_digest"]), " (SHA-256 of recipe, inputs and versions)")),
        ("Corpusmill", plan["corpusmill"]),
        (
            "Inputs",
            f"{_files(len(manifest['inputs']))} of {', '.join(list(manifest['sources'])[:MOST_INPUTS])}",
        ),
        ("Shards", _shards(manifest)),
        ("Steps", " → ".join(ledger.steps())),
    ]
    return joined(
        definitions([(name, value) for name, value in pairs]),
        folded("Inputs and their hashes", _inputs(ledger)),
        folded("Versions and files that decide the result", _versions(ledger)),
        paragraph(
            "No date of the run stands here: nothing in a run depends on the clock, and the same inputs, recipe and versions "
            "give the same bytes at any time."
        ),
    )


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{count(number)} files, or parts of large ones,"


def _shards(manifest: dict[str, Any]) -> str:
    shards = manifest["shards"]
    if not manifest["plan"]["recipe"].get("tokenize"):
        return "none, documents only: the recipe does not tokenize"
    if not shards:
        return "none: no shard was written"
    tokens = f"{count(len(shards))} with {count(sum(shard['tokens'] for shard in shards))} tokens"
    held_out = {part: sum(s["tokens"] for s in shards if s["part"] == part) for part in ("validation", "test")}
    told = [f"{count(number)} for {part}" for part, number in held_out.items() if number]
    return f"{tokens}; of these are held out {' and '.join(told)}" if told else tokens


def _inputs(ledger: Ledger) -> Html:
    inputs = ledger.manifest["inputs"]
    rows = [
        [given["split"], count(given["records"]), count(given["bytes"]), code(given["sha256"])]
        for given in inputs[:MOST_INPUTS]
    ]
    rest = f"{count(len(inputs) - MOST_INPUTS)} more stand in manifest.json." if len(inputs) > MOST_INPUTS else ""
    heads = ["Input", "Records", "Bytes", "SHA-256"]
    return table("Inputs", heads, [list(row) for row in rows], "-rr-", rest)


def _versions(ledger: Ledger) -> Html:
    plan = ledger.manifest["plan"]
    versions = table("Packages", ["Package", "Version"], [[n, v] for n, v in sorted(plan["versions"].items())])
    files = [[path.rpartition("/")[2], code(sha)] for path, sha in sorted(plan["files"].items())]
    tokenizers = sorted({s["tokenizer_sha256"] for s in ledger.manifest["shards"] if "tokenizer_sha256" in s})
    files += [["tokenizer", code(sha)] for sha in tokenizers]
    if not files:
        return versions
    return joined(versions, table("Files and tokenizer", ["File", "SHA-256"], [list(row) for row in files]))
