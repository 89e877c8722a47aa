"""The chain that a text goes through: four filters one after another, signature, tokens in a shard; against datatrove.

    python -m benchmarks.chain                                                     on composed pages, a vocabulary trained on them
    python -m benchmarks.chain --corpus documents.jsonl.gz --tokenizer gpt2/tokenizer.json

Both sides drop a text at the first filter that removes it, and C4 rewrites what goes on. Opening the tokenizer is no part of it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import typer

from benchmarks.corpora import documents
from benchmarks.filters import WARM_UP, batches, steps
from benchmarks.peer import Peer
from benchmarks.rounds import cold as print_cold
from benchmarks.rounds import race
from connectors.megatron import ShardWriter, optimal_dtype
from curation.dedup.banding import Banding
from curation.dedup.keys import Keys, Signing
from curation.dedup.shingles import Shingling
from curation.run.documents import FATE, Step, texts
from curation.tokenize.loading import load_tokenizer
from curation.tokenize.tokenizer import Tokenizer
from curation.tokenize.train import train_bpe
from jobs import command

END = "<|endoftext|>"
KEYS = Keys(
    url=False, exact=True, near=Signing(Shingling(), 112, Banding(14, 8), None), sketched=False
)  # as datatrove signs


class Chain:
    """Ours: `run` takes batches through it and keeps what was left of each text, in order, and the number of tokens."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.filters: list[Step] = steps()
        self.tokenizer = tokenizer
        self.left: list[str] = []
        self.tokens = 0

    def run(self, given: Sequence[pa.RecordBatch]) -> None:
        """From texts to a shard."""
        self.left, self.tokens = [], 0
        with tempfile.TemporaryDirectory() as folder:
            dtype = optimal_dtype(self.tokenizer.vocabulary_size)
            with ShardWriter(Path(folder, "0.bin"), Path(folder, "0.idx"), dtype) as writer:
                for batch in given:
                    self._write(writer, self._judged(batch))
                writer.finish()

    def _judged(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        for step in self.filters:
            batch = step(batch)
            batch = batch.filter(pc.is_null(batch.column(FATE)))
        return KEYS(batch)

    def _write(self, writer: ShardWriter, batch: pa.RecordBatch) -> None:
        strings = texts(batch)
        ids, lengths = self.tokenizer.encode_batch(strings)
        writer.add_documents(np.insert(ids, np.cumsum(lengths), self.tokenizer.end_of_document), lengths + 1)
        self.left += strings
        self.tokens += len(ids) + len(lengths)


def tokenizer_file(given: str, corpus: str) -> str:
    """The user's, or one that is trained on the documents, beside other temporary files."""
    if given:
        return given
    path = Path(tempfile.gettempdir(), "corpusmill-benchmark-tokenizer.json")
    if not path.exists():
        path.write_bytes(train_bpe(documents(corpus), 8192, END))
    return str(path)


def main(
    corpus: Annotated[str, typer.Option(help="JSONL with a text in each line; default: composed pages.")] = "",
    tokenizer: Annotated[str, typer.Option(help="A tokenizer.json; default: trained on the documents.")] = "",
    cold: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Compare speeds and what is left."""
    path = tokenizer_file(tokenizer, corpus)
    chain = Chain(load_tokenizer(path))
    given = batches(documents(corpus))
    if cold:
        before = time.process_time()
        chain.run(batches([WARM_UP * 10]))
        return print_cold(time.process_time() - before, lambda: chain.run(given))
    peer, kept, tokens = Peer(), set[str](), 0

    def theirs(part: Sequence[str]) -> None:
        nonlocal tokens
        left = [text for text in map(peer.chain, part) if text is not None]
        kept.update(left)
        tokens += peer.tokenize(left, path, END)

    arguments = ["--tokenizer", path]
    speeds = race("benchmarks.chain", corpus, lambda: chain.run(given), theirs, arguments)
    same = set(chain.left) == kept and chain.tokens == tokens
    agreement = (
        f"{len(kept & set(chain.left))}/{len(kept)}" if same else f"texts {len(kept)} tokens {chain.tokens}/{tokens}"
    )
    speeds.show("chain: filters, signature, tokens in a shard", agreement)


if __name__ == "__main__":
    command.run(main)
