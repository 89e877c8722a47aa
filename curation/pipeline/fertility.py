"""How well a run's tokenizer fits its text: tokens a word, bytes a token, and how much of the vocabulary is used.

Measured in the stage `vocabulary` on a sample of the kept text, by source and language, and written to the ledger. It is
another sample than the one that is trained on, and there is one whether or not the tokenizer was trained here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from connectors.storage import Written
from curation.engines.engine import Engine
from curation.pipeline.token_runs import opened_tokenizer
from curation.pipeline.training_sample import Sample, draw, in_tasks
from curation.recipes.tokenize import Tokenize
from curation.recipes.vocabulary import Weights
from curation.run.documents import LANG, SOURCE, TEXT
from curation.run.folder import RunFolder
from curation.run.parquet_output import ParquetOutput
from curation.run.receipt import Receipt

SAMPLE_BYTES = 16 << 20
SEED = 2

FERTILITY = pa.schema(
    [
        pa.field("source", pa.string()),  # null: all sources together
        pa.field("lang", pa.string()),  # null: all languages together; "" where none was recognised
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("characters", pa.int64(), nullable=False),
        pa.field("words", pa.int64(), nullable=False),  # runs of characters that are no white space
        pa.field("tokens", pa.int64(), nullable=False),  # end-of-document tokens left out
        pa.field("used", pa.int64(), nullable=False),  # distinct tokens among them
        pa.field("vocabulary", pa.int64(), nullable=False),  # all that there are
    ]
)

Key = tuple[str | None, str | None]  # source and language, None for all


@dataclass
class Counts:
    """Sums over some documents: documents, bytes, characters, words, tokens; and which tokens came up, uint8[vocabulary]."""

    used: npt.NDArray[np.uint8]
    sums: list[int] = field(default_factory=lambda: [0] * 5)

    def add(self, sums: Sequence[int], used: npt.NDArray[np.uint8]) -> None:
        """Adds other documents' sums, and the tokens that came up there."""
        self.sums = [mine + more for mine, more in zip(self.sums, sums, strict=True)]
        self.used |= used


@dataclass(frozen=True)
class MeasureFertility:
    """A task: what the documents of a sample come to, by source and language. The tokens that came up travel as bits."""

    sample: Sample
    tokenizer: str
    settings: Tokenize

    def __call__(self, units: tuple[str, ...]) -> dict[Key, tuple[list[int], bytes]]:
        tokenizer = opened_tokenizer(self.tokenizer, self.settings.end_of_document, self.settings.engine)
        found: dict[Key, Counts] = {}
        for unit in units:
            for batch, _ in self.sample.batches(unit):
                texts = batch.column(TEXT).to_pylist()
                tokens, lengths = tokenizer.encode_batch(texts)
                ends = np.cumsum(lengths).tolist()
                keys = zip(batch.column(SOURCE).to_pylist(), batch.column(LANG).to_pylist(), strict=True)
                for (source, lang), text, start, end in zip(keys, texts, [0, *ends], ends, strict=False):
                    if (key := (source, lang or "")) not in found:
                        found[key] = Counts(np.zeros(tokenizer.vocabulary_size, np.uint8))
                    found[key].used[tokens[start:end]] = 1
                    sums = [1, len(text.encode()), len(text), len(text.split()), end - start]
                    found[key].sums = [mine + more for mine, more in zip(found[key].sums, sums, strict=True)]
        return {key: (counts.sums, np.packbits(counts.used).tobytes()) for key, counts in found.items()}


def measure_fertility(
    engine: Engine, run: RunFolder, refined: Sequence[Receipt], tokenizer: str, settings: Tokenize
) -> dict[str, Written]:
    """Measures a sample of `SAMPLE_BYTES` and writes the ledger's table: its path, size and hash. No rows without text."""
    plain = draw(engine, run, refined, SAMPLE_BYTES, Weights())
    task = MeasureFertility(Sample(run, plain.share, seed=SEED), tokenizer, settings)
    size = opened_tokenizer(tokenizer, settings.end_of_document, settings.engine).vocabulary_size
    total: dict[Key, Counts] = {}
    for _, found in engine.map(task, in_tasks(refined)):
        for (source, lang), (sums, bits) in found.items():
            used = np.unpackbits(np.frombuffer(bits, np.uint8), count=size)
            for key in ((source, lang), (source, None), (None, lang), (None, None)):
                total.setdefault(key, Counts(np.zeros(size, np.uint8))).add(sums, used)
    path = run.ledger("vocabulary", "fertility")
    with ParquetOutput(run.uri(path), FERTILITY) as output:
        output.write(pa.RecordBatch.from_pylist(list(_rows(total, size)), FERTILITY))
    assert output.written is not None
    return {path: output.written}


def _rows(total: Mapping[Key, Counts], size: int) -> Iterator[dict[str, object]]:
    """The table's rows: the whole, each source and each language, each pair; the larger ones first."""
    names = ("documents", "bytes", "characters", "words", "tokens")
    whole_first = sorted(
        total.items(),
        key=lambda item: (-item[0].count(None), -item[1].sums[1], item[0][0] or "", item[0][1] or ""),
    )
    for (source, lang), counts in whole_first:
        row = dict(zip(names, counts.sums, strict=True))
        yield {"source": source, "lang": lang, **row, "used": int(counts.used.sum()), "vocabulary": size}
