"""A finished run written by hand: duplicates of every reason, of several sources, some of documents of an earlier run."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curation.pipeline.finish import DOCUMENTS
from curation.run.ledger import ELSEWHERE, FATES, NEAR_DUPLICATES, RECORDS, REMOVAL_RATES

SOURCES = ("web", "old", "wet")
TARGET = 0.8
PROSE = (
    "The mill at the river's bend ground corn for nine villages until the flood of that spring took its wheel and half of "
    "the weir. Nobody built it up again. The stones were sold to a man from the coast, who made a terrace of them."
)
HOSTILE = "\x1b[31m\u202eevil <script>alert(1)</script> [red]x[/red]"


@dataclass
class Written:
    """The run's folder and its rows by part, as they were written."""

    folder: Path
    records: list[dict[str, Any]] = field(default_factory=list)
    fates: list[dict[str, Any]] = field(default_factory=list)
    near: list[dict[str, Any]] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=list)
    rates: list[dict[str, Any]] = field(default_factory=list)
    elsewhere: list[dict[str, Any]] = field(default_factory=list)

    def url_of(self, doc_id: bytes) -> str:
        """Of a record of this run, or of a document that an earlier run kept; its id where there is neither."""
        urls = {row["duplicate_of"]: row["address"] for row in self.elsewhere if row["address"]}
        urls |= {row["doc_id"]: row["url"] for row in self.records}
        return urls.get(doc_id, doc_id.hex())


def write(folder: Path, seed: int = 1, kept: int = 12, duplicates: int = 160, verify: bool = True) -> Written:
    """`duplicates` of `kept` documents and of two of an earlier run, one without an address; every third near duplicate was
    measured.
    """
    draw = random.Random(seed)
    run = Written(folder)
    earlier = [draw.randbytes(16) for _ in range(2)]
    ids = [draw.randbytes(16) for _ in range(kept)]
    for number, doc_id in enumerate(ids):
        row = record(run, doc_id, f"https://kept.example/{number}", draw.choice(SOURCES))
        text = f"{PROSE} Page {number} {HOSTILE if number == 3 else ''} ends here."
        run.documents.append({**row, "lang": "en", "lang_score": 1.0, "text": text, "meta": "{}", "tokens": 20})
        run.fates.append(fate(row, "kept", "tokenize", shard="web/00000", tokens=20, position=20 * number))
    for number in range(duplicates):
        row = record(run, draw.randbytes(16), f"https://copy{number % 7}.example/{number}", draw.choice(SOURCES))
        of = draw.choice(earlier) if draw.random() < 0.2 else ids[min(draw.randrange(kept), draw.randrange(kept))]
        if of in earlier:
            address = f"https://earlier.example/{HOSTILE}" if of == earlier[0] else None
            run.elsewhere.append({"doc_id": row["doc_id"], "duplicate_of": of, "address": address})
        reason = draw.choice(("url", "exact", "minhash", "minhash"))
        similarity = {"url": None, "exact": 1.0}.get(reason, round(draw.uniform(0.78, 1), 3))
        threshold = {"url": None, "exact": 1.0}.get(reason, TARGET)
        verdict = {"reason": reason, "value": similarity, "threshold": threshold, "similarity": similarity}
        run.fates.append(fate(row, "duplicate", "dedup", duplicate_of=of, **verdict))
        if reason == "minhash" and number % 3 == 0:
            text = f"{HOSTILE if number % 2 else ''} {PROSE.replace('spring', 'autumn')} Page {number} is at its end."
            jaccard = draw.choice((0.8, 0.85, 0.9, 0.79))
            run.near.append(
                {
                    "doc_id": row["doc_id"],
                    "duplicate_of": of,
                    "similarity": similarity,
                    "jaccard": jaccard,
                    "text": text,
                }
            )
    for kind, name in (("source", "web"), ("source", "old"), ("language", "en"), ("domain", "<b>x</b>\u202e.example")):
        documents = draw.randrange(2000, 5000)
        counts = [draw.randrange(600) for _ in range(3)]
        removed = dict(zip(("url", "exact", "minhash"), counts, strict=True))
        run.rates.append({"kind": kind, "name": name, "documents": documents, **removed, "elsewhere": counts[0] // 2})
    store(run, verify)
    return run


def record(run: Written, doc_id: bytes, url: str, source: str) -> dict[str, Any]:
    row = len(run.records)
    place = {"archive": "a.warc.gz", "offset": 100 * row, "date": "2024-05-06T07:08:09Z"}
    run.records.append({"doc_id": doc_id, "row": row, "source": source, "url": url, **place})
    return run.records[-1]


def fate(row: dict[str, Any], name: str, step: str, **columns: Any) -> dict[str, Any]:
    return {"doc_id": row["doc_id"], "row": row["row"], "fate": name, "step": step, **columns}


def store(run: Written, verify: bool) -> None:
    """The files of the run, and a manifest with what readers ask of it."""
    parts = {
        "ledger/records/web/a": (run.records, RECORDS),
        "ledger/finish/web/00000": (run.fates, FATES),
        "ledger/near_duplicates/web/00000": (run.near, NEAR_DUPLICATES),
        "ledger/elsewhere/web/00000": (run.elsewhere, ELSEWHERE),
        "ledger/removal_rates/removal_rates": (run.rates, REMOVAL_RATES),
        "documents/web/00000": (run.documents, DOCUMENTS),
    }
    for name, (rows, schema) in parts.items():
        path = run.folder / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema), path)
    minhash = {"bands": 16, "rows": 6, "target": TARGET, "verify": True} if verify else {"bands": 14, "rows": 8}
    dedup = {"exact": True, "minhash": minhash, "alarm": {"documents": 1000}}
    recipe = {"recipe": "written", "filters": [], "dedup": dedup, "redact": [], "tokenize": {}}
    steps = [{"step": step, "entered": 0, "went_on": 0, "ended": {}} for step in ("read", "dedup", "tokenize")]
    manifest = {
        "status": "complete",
        "plan_digest": "0" * 64,
        "plan": {"corpusmill": "0", "recipe": recipe, "versions": {}, "files": {}},
        "inputs": [],
        "sources": {},
        "steps": steps,
        "units": [{"unit": "web/00000", "splits": ["web/a"]}],
        "shards": [{"shard": "web/00000", "tokens": 20 * len(run.documents), "documents": len(run.documents)}],
        "files": {},
    }
    (run.folder / "manifest.json").write_text(json.dumps(manifest))
