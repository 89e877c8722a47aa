"""The text that a vocabulary is trained on: kept documents of a run, drawn by a hash of their ids, by source and language.

A document is drawn, once or more often, by its id, source and language alone: the sample is the same whatever the engine, the
order and the number of partitions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from connectors import storage
from connectors.errors import UserError, nearest
from curation.engines.engine import Engine
from curation.pipeline.segments import PARTS, TRAIN, parts
from curation.pipeline.survivors import read_matches
from curation.pipeline.units import grouped
from curation.recipes.shards import HeldOut
from curation.recipes.vocabulary import Weights
from curation.run.documents import DOC_ID, LANG, SOURCE, TEXT, URL
from curation.run.folder import RunFolder
from curation.run.receipt import Receipt

Int64s = npt.NDArray[np.int64]

TASK_BYTES = 32 << 20  # of text that a task looks through, at least
TASKS = 1024  # at most, roughly
HASHES = 2.0**64
NOTHING = HeldOut()


@dataclass(frozen=True)
class Sample:
    """Which documents are drawn: each `share` times its weight, on average. `seed` tells one sample from another.

    What the recipe holds out (`held_out`, by the key `parts_seed`) is in no sample, as it is in no training data.
    """

    run: RunFolder
    share: float
    weights: Weights = Weights()
    seed: int = 1
    held_out: HeldOut = NOTHING
    parts_seed: int = 0

    def batches(self, unit: str) -> Iterator[tuple[pa.RecordBatch, Int64s]]:
        """What is drawn of a split: source, language and text, and how often each. Holds a row group at a time."""
        matches, first = read_matches(self.run, unit), 0
        with storage.open_input(self.run.uri(self.run.survivors(unit))) as file:
            survivors = pq.ParquetFile(file)
            for group in range(survivors.num_row_groups):
                heads = survivors.read_row_group(group, columns=[DOC_ID, SOURCE, LANG, URL]).combine_chunks()
                times = self._times(heads.to_batches()[0])
                for ordinal in matches:
                    if first <= ordinal < first + heads.num_rows:
                        times[ordinal - first] = 0
                first += heads.num_rows
                if times.any():
                    rows = survivors.read_row_group(group, columns=[SOURCE, LANG, TEXT]).filter(pa.array(times > 0))
                    yield rows.combine_chunks().to_batches()[0], times[times > 0]

    def _times(self, heads: pa.RecordBatch) -> Int64s:
        """How often each of some documents is drawn."""
        ids, sources, languages = (heads.column(name).to_pylist() for name in (DOC_ID, SOURCE, LANG))
        wanted = np.array([self.share * self.weights.of(*pair) for pair in zip(sources, languages, strict=True)])
        draws = np.array([xxhash.xxh3_64_intdigest(doc_id, seed=self.seed) for doc_id in ids], np.uint64)
        certain = np.floor(wanted).astype(np.int64)
        times: Int64s = certain + (draws < (wanted - certain) * HASHES)
        times[parts(heads, self.held_out, self.parts_seed) != PARTS.index(TRAIN)] = 0
        return times


@dataclass(frozen=True)
class MeasureText:
    """A task: bytes of a sample's text in some splits, by source and language."""

    sample: Sample

    def __call__(self, units: tuple[str, ...]) -> dict[tuple[str, str | None], int]:
        found: dict[tuple[str, str | None], int] = {}
        for unit in units:
            for batch, _ in self.sample.batches(unit):
                keys = zip(batch.column(SOURCE).to_pylist(), batch.column(LANG).to_pylist(), strict=True)
                for key, size in zip(keys, pc.binary_length(batch.column(TEXT)).to_pylist(), strict=True):
                    found[key] = found.get(key, 0) + size
        return found


def draw(
    engine: Engine,
    run: RunFolder,
    refined: Sequence[Receipt],
    wanted_bytes: int,
    weights: Weights,
    held_out: HeldOut = NOTHING,
    parts_seed: int = 0,
) -> Sample:
    """The sample that has about so many bytes, or all text if there is less. Weights cost a pass over the text.

    Raises `UserError` for a weight of a source that there is not.
    """
    require_known_sources(weights, [receipt.source for receipt in refined])
    whole = Sample(run, 1.0, held_out=held_out, parts_seed=parts_seed)
    if weights.all_alike:
        total = sum(receipt.facts["text_bytes"] for receipt in refined) * (1 - held_out.validation - held_out.test)
    else:
        total = 0.0
        for _, found in engine.map(MeasureText(whole), in_tasks(refined)):
            total += sum(size * weights.of(*key) for key, size in sorted(found.items(), key=str))
    return replace(whole, share=min(1.0, wanted_bytes / max(1.0, total)), weights=weights)


def require_known_sources(weights: Weights, sources: Sequence[str]) -> None:
    """Raises `UserError` for a weight of a source that is none of these."""
    for source in weights.sources:
        if source not in sources:
            told = " ".join(source[:60].split())
            raise UserError(
                f"tokenize.training.weights.sources: no input is called '{told}'.{nearest(source, sources)}"
            )


def in_tasks(refined: Sequence[Receipt]) -> list[tuple[str, ...]]:
    """The splits with survivors in groups of some text."""
    total = sum(receipt.facts["text_bytes"] for receipt in refined)
    return grouped(refined, "text_bytes", max(TASK_BYTES, total // TASKS))
