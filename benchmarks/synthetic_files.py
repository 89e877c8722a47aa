"""Synthetic signatures in the form in which deduplication takes them: signature files, and sketches in place of texts."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.synthetic_signatures import SHINGLES, VALUES, Array, Planted
from curation.dedup.banding import Banding
from curation.dedup.homes import Home
from curation.dedup.keys import Signing
from curation.dedup.signature_files import (
    AGREEMENT,
    FINER_KEYS,
    KEYS,
    POLICY,
    SKETCH,
    TEXT_HASH,
    URL_HASH,
    binary,
    signature_schema,
)
from curation.run.arrow_output import ArrowOutput
from curation.run.documents import DOC_ID
from curation.run.folder import RunFolder

BATCH = 8192  # documents that are made at once


@dataclass(frozen=True)
class WriteSignatures:
    """A task: writes the signature file of a split, given by name and first and last document. A document's id is its number."""

    planted: Planted
    run: RunFolder
    signing: Signing

    def __call__(self, split: tuple[str, int, int]) -> None:
        unit, first, stop = split
        finer = self.signing.finer or Banding(0, 0)
        schema = signature_schema(self.signing.banding.bands, finer.bands, VALUES)
        with ArrowOutput(self.run.uri(self.run.signatures(unit)), schema) as file:
            for start in range(first, stop, BATCH):
                file.write(self._batch(start, min(start + BATCH, stop), finer, schema))

    def _batch(self, first: int, stop: int, finer: Banding, schema: pa.Schema) -> pa.RecordBatch:
        planted, banding = self.planted, self.signing.banding
        numbers = np.zeros((stop - first, 2), np.uint64)
        numbers[:, 0] = np.arange(first, stop)
        values = {
            DOC_ID: numbers,
            TEXT_HASH: planted.text_hashes(first, stop),
            KEYS: planted.keys(first, stop, banding.bands, banding.rows),
            FINER_KEYS: planted.keys(first, stop, finer.bands, finer.rows),
            AGREEMENT: planted.agreement(first, stop),
        }
        columns = {name: binary(array, schema.field(name).type) for name, array in values.items()}
        columns |= {name: pa.nulls(stop - first, schema.field(name).type) for name in (URL_HASH, SKETCH)}
        columns[POLICY] = pa.array(np.ones(stop - first, np.uint16))
        return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


@dataclass(frozen=True)
class PlantedSketches:
    """In place of sketches of texts, those of the planted truth. What making them takes is noted in a folder, a file a process:
    to make a file costs up to a millisecond.
    """

    planted: Planted
    notes: str

    def __call__(self, home: Home, places: Array, size: int) -> pa.Array:
        assert size >= SHINGLES
        started = time.process_time()
        values = self.planted.sketches(places + home.first)
        offsets = np.arange(len(places) + 1, dtype=np.int64) * SHINGLES * 4
        Path(self.notes).mkdir(parents=True, exist_ok=True)
        with Path(self.notes, str(os.getpid())).open("a") as notes:
            notes.write(f"{time.process_time() - started}\n")
        return pa.Array.from_buffers(
            pa.large_binary(), len(places), [None, pa.py_buffer(offsets), pa.py_buffer(values)]
        )

    def seconds(self) -> float:
        """CPU seconds that went into making them."""
        return sum(float(line) for path in Path(self.notes).glob("*") for line in path.read_text().split())
