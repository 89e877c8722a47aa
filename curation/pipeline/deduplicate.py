"""The stage between the passes, and the only shuffle: keys become clusters, clusters a list of duplicates for each split."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from connectors.storage import Written
from curation.dedup.clusters import Clusters
from curation.dedup.keys import PackKeys, star_edges
from curation.engines.engine import Engine
from curation.recipes.model import Dedup
from curation.run.folder import RunFolder
from curation.run.parquet_output import ParquetOutput
from curation.run.receipt import Receipt

KEYS_PER_PARTITION = 4_000_000  # some 200 MB while a partition is sorted
UNIT = "clusters"

DUPLICATES = pa.schema(
    [
        pa.field("ordinal", pa.uint32(), nullable=False),  # of the duplicate among its split's survivors
        pa.field("kept_unit", pa.string(), nullable=False),  # split of the document that is kept for it
        pa.field("kept_ordinal", pa.uint32(), nullable=False),
    ]
)


def deduplicate(engine: Engine, run: RunFolder, plan: str, dedup: Dedup | None, refined: Sequence[Receipt]) -> Receipt:
    """Finds all duplicates among the survivors of the splits, given their receipts in the order of the plan.

    Documents are numbered over all splits in that order, so the first of a cluster is the kept one, wherever work ran.
    Driver memory: a few bytes a split and some 200 bytes for each document that shares a key with another.
    """
    return run.once("dedup", UNIT, plan, lambda: find_duplicates(engine, run, plan, dedup, refined))


def find_duplicates(
    engine: Engine, run: RunFolder, plan: str, dedup: Dedup | None, refined: Sequence[Receipt]
) -> Receipt:
    """The stage itself, and its receipt."""
    started = time.perf_counter()
    firsts = np.cumsum([0, *[receipt.facts["survivors"] for receipt in refined]])
    clusters = Clusters()
    if dedup is not None:
        bands, rows = (dedup.minhash.bands, dedup.minhash.rows) if dedup.minhash else (0, 0)
        partitions = 1 + int(firsts[-1]) * (bands + 1) // KEYS_PER_PARTITION
        items = [
            (run.uri(run.signatures(receipt.unit)), int(first)) for receipt, first in zip(refined, firsts, strict=False)
        ]
        for edges in engine.shuffle(PackKeys(partitions, bands, rows, dedup.exact), items, star_edges, partitions):
            clusters.add(edges)
    duplicates = clusters.duplicates()
    outputs = write_duplicates(run, [receipt.unit for receipt in refined], firsts, duplicates)
    return Receipt(
        unit=UNIT,
        plan=plan,
        source="",
        records=int(firsts[-1]),
        bytes=0,
        counts={},
        outputs=outputs,
        facts={"duplicates": len(duplicates)},
        timing={"wall": time.perf_counter() - started},
    )


def write_duplicates(
    run: RunFolder, units: Sequence[str], firsts: np.ndarray, duplicates: Sequence[tuple[int, int]]
) -> dict[str, Written]:
    """One file for each split that has duplicates: which of its survivors, and for which document."""
    outputs: dict[str, Written] = {}
    if not duplicates:
        return outputs
    numbers = np.array(duplicates, np.int64)
    of_split = np.searchsorted(firsts, numbers, side="right") - 1
    ordinals = numbers - firsts[of_split]
    splits, begins = np.unique(of_split[:, 0], return_index=True)  # the duplicates come in ascending order
    for split, begin, end in zip(splits, begins, [*begins[1:], len(numbers)], strict=True):
        here = slice(begin, end)
        columns = [
            pa.array(ordinals[here, 0], pa.uint32()),
            pa.array([units[kept] for kept in of_split[here, 1]], pa.string()),
            pa.array(ordinals[here, 1], pa.uint32()),
        ]
        path = run.duplicates(units[split])
        with ParquetOutput(run.uri(path), DUPLICATES) as output:
            output.write(pa.RecordBatch.from_arrays(columns, schema=DUPLICATES))
        assert output.written is not None
        outputs[path] = output.written
    return outputs
