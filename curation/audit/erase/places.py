"""Everything in a run folder, what of a page it may hold, and what an erasure does with it.

A file of a run that no place here takes in is a mistake: a test holds the list against whole runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

Fate = Literal["rewritten", "blanked", "removed", "stays"]


@dataclass(frozen=True, slots=True)
class Place:
    """Files of a run by their paths (`*` takes in folders, too).

    holds  what of a page, or of a person, may stand there
    fate   `rewritten` without it, `blanked` row by row, `removed` whole, or it `stays`
    """

    pattern: str
    holds: str
    fate: Fate


PLACES = (
    Place("documents/*.parquet", "text, address, the user's own columns", "rewritten"),
    Place("shards/*.erased.parquet", "positions of erased tokens", "rewritten"),
    Place("shards/*.docs.parquet", "ids and positions", "stays"),
    Place("shards/*.bin", "tokens", "rewritten"),
    Place("shards/*.idx", "lengths", "stays"),
    Place("ledger/records/*.parquet", "addresses of all records", "blanked"),
    Place("ledger/finish/*.parquet", "fates, ids, places", "rewritten"),
    Place("ledger/near_duplicates/*.parquet", "beginnings of texts", "blanked"),
    Place("ledger/elsewhere/*.parquet", "addresses of documents of earlier runs", "blanked"),
    Place("ledger/removal_rates/*.parquet", "names of domains", "rewritten"),
    Place("ledger/refine/*.parquet", "fates, ids, figures", "stays"),
    Place("ledger/measures/*.parquet", "figures", "stays"),
    Place("ledger/edits/*.parquet", "counts", "stays"),
    Place("ledger/contamination/*.parquet", "names of evaluation items", "stays"),
    Place("ledger/vocabulary/*.parquet", "figures by language and source", "stays"),
    Place("index/*.parquet", "addresses, hashes of texts", "rewritten"),
    Place("index/index.json", "counts and hashes of its files", "rewritten"),
    Place("receipts/*.json", "counts, hashes of files", "rewritten"),
    Place("manifest.json", "counts, hashes of files", "rewritten"),
    Place("erasures/tombstones.parquet", "keyed hashes of addresses and texts, sketches", "rewritten"),
    Place("erasures/*", "ids, places, keyed hashes of requests", "stays"),
    Place("report/*", "excerpts and addresses", "removed"),
    Place("work/*", "texts and addresses between the passes", "removed"),
    Place("recipe.yaml", "nothing", "stays"),
    Place("blend.*", "names of sources and figures", "stays"),
    Place("tokenizer.json", "pieces of words that are frequent in the corpus", "stays"),
    Place("tokenizer/*", "pieces of words", "stays"),
    Place("train/*", "figures; weights that were trained on the tokens: told of, one by one", "stays"),
    Place(".lock", "nothing", "stays"),
)


def place_of(path: str) -> Place | None:
    """The place that a file of a run belongs to, None for one that nobody has thought of."""
    return next((place for place in PLACES if fnmatchcase(path, place.pattern)), None)
