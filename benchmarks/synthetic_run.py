"""A run folder of any number of documents, of which just the files that a question about one shard reads are really there.

The manifest names everything that a run of so many documents has: its size is what grows. One shard's document index is whole;
its documents come from splits of 100,000, of which some have their ledger files and texts, and as many small files of other
splits lie around as one asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.pipeline.finish import DOCUMENTS
from curation.pipeline.shards import INDEX
from curation.run.documents import DOC_ID
from curation.run.folder import RunFolder
from curation.run.ledger import EDITS, FATES, RECORDS, conform, measures_schema
from curation.run.manifest import write_manifest
from curation.run.parquet_output import ROWS, ParquetOutput

SPLIT_DOCUMENTS = 100_000
DOCUMENT_TOKENS = 700
SHARD = "web/00000"
MEASURES = [f"measure_{number}" for number in range(25)]
STEPS = ("read", "extract", "language", "gopher_quality", "dedup", "tokenize")
TEXT = "Words of a text that is neither long nor short, as they stand on many a page of the web, again and again. " * 8

Ids = npt.NDArray[np.void]


@dataclass(frozen=True)
class SyntheticRun:
    """The run's folder; the splits whose files are there; split, row and first token of each of the shard's documents."""

    folder: RunFolder
    present: list[int]
    split: npt.NDArray[np.int64]
    row: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    tokens: int

    def traceable(self, draw: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
        """Random tokens of the shard whose documents' files are there."""
        known = np.flatnonzero(np.isin(self.split, self.present))
        chosen = draw.choice(known, count)
        stop = np.append(self.first, self.tokens)[chosen + 1]
        return draw.integers(self.first[chosen], stop)


def split_name(number: int) -> str:
    """As a split of a large Parquet file is called."""
    return f"web/{number // 10:05d}.parquet@{number % 10 * SPLIT_DOCUMENTS}-{(number % 10 + 1) * SPLIT_DOCUMENTS}"


def write_run(folder: str, documents: int, shard_documents: int, present: int, around: int) -> SyntheticRun:
    """Writes the folder.

    documents        of the whole run, as its manifest has it
    shard_documents  of the one shard; a multiple of 100,000
    present          splits of the shard whose files are there
    around           other splits with small files
    """
    draw, run = np.random.default_rng(7), RunFolder(folder)
    order = draw.permutation(shard_documents)
    split, row = np.divmod(order, SPLIT_DOCUMENTS)
    lengths = draw.integers(20, 2 * DOCUMENT_TOKENS, shard_documents)
    first = np.cumsum(lengths) - lengths
    ids: Ids = np.frombuffer(draw.bytes(16 * shard_documents), "V16")
    _write_index(run, ids, first, lengths, split, row)
    splits = documents // SPLIT_DOCUMENTS
    _write_manifest(run, splits, int(lengths.sum()), shard_documents)
    places = np.argsort(split * SPLIT_DOCUMENTS + row)  # documents of the shard by split and row
    chosen = sorted(draw.choice(shard_documents // SPLIT_DOCUMENTS, present, replace=False).tolist())
    for number in chosen:
        own = places[number * SPLIT_DOCUMENTS : (number + 1) * SPLIT_DOCUMENTS]
        _write_split(run, number, ids[own], first[own], lengths[own])
    for number in range(splits, splits + around):
        _write_split(run, number, np.frombuffer(draw.bytes(160), "V16"), first[:10], lengths[:10])
    return SyntheticRun(run, chosen, split, row, first, int(lengths.sum()))


def _write_index(run: RunFolder, ids: Ids, first: Any, lengths: Any, split: Any, row: Any) -> None:
    names = pa.array([split_name(number) for number in range(len(ids) // SPLIT_DOCUMENTS)], pa.string())
    with ParquetOutput(run.uri(run.shard(SHARD, "docs.parquet")), INDEX, [DOC_ID]) as output:
        for start in range(0, len(ids), ROWS):
            part = slice(start, start + ROWS)
            columns = [
                _ids(ids[part]),
                pa.array(first[part], pa.uint64()),
                pa.array(lengths[part], pa.uint32()),
                pa.DictionaryArray.from_arrays(pa.array(split[part], pa.int32()), names),
                pa.array(row[part], pa.uint32()),
            ]
            output.write(pa.RecordBatch.from_arrays(columns, schema=INDEX))


def _ids(ids: Ids) -> pa.Array:
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), len(ids), [None, pa.py_buffer(np.ascontiguousarray(ids))]
    )


def _write_split(run: RunFolder, number: int, ids: Ids, first: Any, lengths: Any) -> None:
    """Ledger and texts of a split, which is a finish unit by itself; every tenth document was edited."""
    name, rows, tenth = split_name(number), len(ids), pa.array(np.arange(0, len(ids), 10))
    edits = {"step": "redact", "kind": "email", "count": 1}
    fate = {"fate": "kept", "step": "tokenize", "shard": SHARD}
    for path, schema, filled in (
        (run.ledger("records", name), RECORDS, {"source": "web", "archive": f"{number // 10:05d}.parquet"}),
        (run.ledger("finish", unit_name(number)), FATES, fate),
        (run.ledger("measures", name), measures_schema(MEASURES), {"lang": "en"}),
        (run.documents(unit_name(number)), DOCUMENTS, {"source": "web", "archive": "", "meta": "{}", "text": TEXT}),
        (run.ledger("edits", name), EDITS, edits),
        (run.ledger("refine", name), FATES, None),
    ):
        with ParquetOutput(run.uri(path), schema) as output:
            for batch in _batches(schema, ids, first, lengths, filled, rows):
                output.write(batch.take(tenth.slice(0)) if schema is EDITS else batch)


def _batches(
    schema: pa.Schema, ids: Ids, first: Any, lengths: Any, filled: dict[str, Any] | None, rows: int
) -> Iterator[pa.RecordBatch]:
    """One batch with the columns that a schema has; none where nothing is filled in."""
    if filled is None:
        return
    known = {
        DOC_ID: _ids(ids),
        "row": pa.array(np.arange(rows), pa.uint32()),
        "offset": pa.array(np.arange(rows) * 5000, pa.uint64()),
        "url": pa.array([f"https://site{n % 997}.example/page/{n}" for n in range(rows)]),
        "date": pa.array(["2024-01-02T03:04:05Z"] * rows),
        "tokens": pa.array(lengths, pa.uint32()),
        "position": pa.array(first, pa.uint64()),
        **{name: pa.array(np.arange(rows) / 7) for name in MEASURES},
        **{name: pa.array([value] * rows) for name, value in filled.items()},
    }
    names = [name for name in schema.names if name in known]
    yield conform(pa.RecordBatch.from_arrays([known[name] for name in names], names), schema)


def unit_name(number: int) -> str:
    """The finish unit of a split."""
    return f"web/{number:05d}"


def _write_manifest(run: RunFolder, splits: int, tokens: int, shard_documents: int) -> None:
    """What a run of so many splits says of itself, a shard a unit, and the one shard that is there."""
    written = {"bytes": 123_456_789, "sha256": "0123456789abcdef" * 4}
    shard = {"part": "train", "source": "web", "dtype": "uint16", "vocabulary_size": 50257, "end_of_document": 50256}
    shard |= {"tokenizer_sha256": "0123456789abcdef" * 4, "documents": shard_documents, "tokens": tokens}
    names, units = [split_name(n) for n in range(splits)], [unit_name(n) for n in range(splits)]
    files = [run.ledger(part, name) for part in ("records", "refine", "measures", "edits") for name in names]
    files += [run.ledger("finish", unit) for unit in units] + [run.documents(unit) for unit in units]
    files += [run.shard(unit, suffix) for unit in units for suffix in ("bin", "idx", "docs.parquet")]
    content = {
        "status": "complete",
        "plan_digest": "0" * 64,
        "plan": {"recipe": {}},
        "inputs": [{"split": name, **written, "records": SPLIT_DOCUMENTS} for name in names],
        "sources": {"web": {"in": splits * SPLIT_DOCUMENTS}},
        "steps": [{"step": step} for step in STEPS],
        "units": [{"unit": unit, "splits": [name]} for unit, name in zip(units, names)],
        "shards": [{"shard": unit, **shard} for unit in units],
        "merkle_root": "0" * 64,
        "files": dict.fromkeys(sorted(files), written),
    }
    write_manifest(run, content)
