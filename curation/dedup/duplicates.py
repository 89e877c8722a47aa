"""What the stage between the passes hands to the second one: which of a split's survivors are duplicates, and of what."""

from __future__ import annotations

import pyarrow as pa

URL = "url"  # the same page, captured twice
EXACT = "exact"  # the same text, normalised
NEAR = "minhash"  # similar text
REASONS = (URL, EXACT, NEAR)

ORDINAL = "ordinal"
DUPLICATES = pa.schema(
    [
        pa.field(ORDINAL, pa.uint32(), nullable=False),  # of the duplicate among its split's survivors, ascending
        pa.field("reason", pa.string(), nullable=False),  # one of REASONS
        pa.field("kept", pa.binary(16), nullable=False),  # doc_id of the kept document that stands for it
        pa.field(
            "similarity", pa.float32()
        ),  # Jaccard with that document: measured, or estimated by signatures; null for URL
        pa.field("jaccard", pa.float32()),  # the true one; computed for a sample of the near duplicates, else null
        pa.field(
            "elsewhere", pa.bool_(), nullable=False
        ),  # whether the kept document is an earlier run's, by its index
        pa.field("address", pa.string()),  # the URL of such a document: no ledger of this run has it
    ]
)
PLAIN = (ORDINAL, "kept", "similarity", "jaccard")  # columns in which hardly a value comes twice
