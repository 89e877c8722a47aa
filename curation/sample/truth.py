"""What is true of each record of the sample: one row a response, written beside the crawl."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from curation.sample.pages import Page, Place
from curation.sample.populations import Population, prose
from curation.sample.sites import url_of

SCHEMA = pa.schema(
    [
        pa.field("file", pa.string(), nullable=False),
        pa.field("offset", pa.uint64(), nullable=False),
        pa.field("url", pa.string(), nullable=False),
        pa.field("population", pa.string(), nullable=False),
        pa.field("page_type", pa.string(), nullable=False),
        pa.field("topic", pa.string(), nullable=False),
        pa.field("language", pa.string(), nullable=False),
        pa.field("main_text", pa.string(), nullable=False),
        pa.field("fate", pa.string(), nullable=False),
        pa.field("step", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("duplicate_of", pa.string(), nullable=False),
        pa.field("jaccard", pa.float64()),
        pa.field(
            "pii",
            pa.list_(
                pa.struct([("type", pa.string()), ("value", pa.string()), ("start", pa.int32()), ("end", pa.int32())])
            ),
            nullable=False,
        ),
        pa.field("contamination", pa.string(), nullable=False),
    ]
)


def row(seed: int, population: Population, page: Page, file: str, offset: int, url: str) -> dict[str, Any]:
    """The truth about one page; a copy for which nothing earlier was found is a good page like any other."""
    text = page.text
    fate, step, reason = population.fate, population.step, population.reason
    if fate == "duplicate" and page.original < 0:
        fate, step, reason = "kept", "", ""
    duplicate_of = ""
    if page.original >= 0:
        duplicate_of = url_of(seed, page.original, prose(Place.of(seed, page.original)))
    return {
        "file": file,
        "offset": offset,
        "url": url,
        "population": population.name,
        "page_type": text.page_type if text else population.name,
        "topic": text.topic if text else "",
        "language": text.language if text else "",
        "main_text": text.main_text if text else "",
        "fate": fate,
        "step": step,
        "reason": reason,
        "duplicate_of": duplicate_of,
        "jaccard": page.jaccard,
        "pii": [{"type": s.type, "value": s.value, "start": s.start, "end": s.end} for s in page.spans],
        "contamination": page.contamination,
    }
