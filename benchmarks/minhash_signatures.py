"""MinHash signatures (14 bands of 8, runs of 5 words) against datatrove, the same bytes.

python -m benchmarks.minhash_signatures
python -m benchmarks.minhash_signatures --corpus documents.jsonl.gz
"""

from __future__ import annotations

import time
from typing import Annotated

import numpy as np
import pyarrow as pa
import typer

from benchmarks.corpora import documents
from benchmarks.filters import WARM_UP, batches
from benchmarks.peer import Peer
from benchmarks.rounds import cold as print_cold
from benchmarks.rounds import race
from curation.dedup.signature import Signatures, signatures
from curation.run.documents import TEXT
from curation.text.columns import text_batch
from jobs import command


def sign(given: list[pa.RecordBatch]) -> list[tuple[Signatures, np.ndarray]]:
    """Signatures of each batch, and which documents have one."""
    return [signatures(text_batch(batch.column(TEXT))) for batch in given]


def main(
    corpus: Annotated[str, typer.Option(help="JSONL with a text in each line; default: composed pages.")] = "",
    cold: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Compare speeds and bytes."""
    texts = documents(corpus)
    given = batches(texts)
    if cold:
        before = time.process_time()
        sign(batches([WARM_UP]))
        return print_cold(time.process_time() - before, lambda: sign(given))
    peer = Peer()
    expected: dict[str, bytes | None] = {}
    speeds = race(
        "benchmarks.minhash_signatures",
        corpus,
        lambda: sign(given),
        lambda part: expected.update((text, peer.signature(text)) for text in part),
    )
    ours = [
        row.astype("<u8").tobytes() if has else None
        for values, present in sign(given)
        for row, has in zip(values, present, strict=True)
    ]
    agreed = sum(signature == expected[text] for text, signature in zip(texts, ours, strict=True))
    speeds.show("minhash_signatures: 112 values of 64 bits", f"{agreed}/{len(texts)}")


if __name__ == "__main__":
    command.run(main)
