"""The step that adds what deduplication compares: hashes of address and text, the keys of bands, the policy's class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from curation.dedup.addresses import address_hash
from curation.dedup.banding import Banding
from curation.dedup.kernels.squeezing import squeeze
from curation.dedup.policy import Policy
from curation.dedup.shingles import Shingling, document_shingles
from curation.dedup.signature import AGREEMENT as AGREEMENT_BYTES
from curation.dedup.signature import Signed, sign
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
from curation.dedup.sketches import as_binary, sketches
from curation.run.documents import TEXT, URL, with_columns
from curation.text.columns import shared_batch


@dataclass(frozen=True)
class Signing:
    """How documents are signed: shingles, how many values, and their bands in the first round and in later ones."""

    shingling: Shingling
    values: int
    banding: Banding
    finer: Banding | None

    @property
    def agreement(self) -> int:
        """Bytes of a signature that are compared."""
        return min(self.values, AGREEMENT_BYTES)


@dataclass(frozen=True)
class Keys:
    """The step. No document ends here.

    url, exact  whether addresses and texts are hashed; else their column is null
    near        how documents are signed, None for not at all
    sketched    whether they are sketched too: up to 4 kB each, by which similar ones are measured
    """

    url: bool
    exact: bool
    near: Signing | None
    policy: Policy = Policy()
    sketched: bool = True
    name: str = "keys"

    @property
    def schema(self) -> pa.Schema:
        """Of the signature files."""
        near = self.near
        if near is None:
            return signature_schema(0, 0, 0)
        return signature_schema(near.banding.bands, near.finer.bands if near.finer else 0, near.agreement)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with the columns of a signature file."""
        rows, schema = batch.num_rows, self.schema
        columns = {
            URL_HASH: pa.nulls(rows, pa.binary(16)),
            TEXT_HASH: text_hashes(batch.column(TEXT)) if self.exact else pa.nulls(rows, pa.binary(16)),
            POLICY: pa.array(self.policy.classes(batch)),
        }
        if self.url:
            columns[URL_HASH] = pa.array([address_hash(url) for url in batch.column(URL).to_pylist()], pa.binary(16))
        if self.near is None:
            columns |= {name: pa.nulls(rows, schema.field(name).type) for name in (KEYS, FINER_KEYS, AGREEMENT, SKETCH)}
        else:
            shingles = document_shingles(batch, self.near.shingling)
            signed = sign(shingles, self.near.values, self.near.banding, self.near.finer)
            columns |= signed_columns(signed, schema)
            columns[SKETCH] = as_binary(sketches(shingles)) if self.sketched else pa.nulls(rows, pa.large_binary())
        return with_columns(batch, columns)


def signed_columns(signed: Signed, schema: pa.Schema) -> dict[str, pa.Array]:
    """What MinHash gives, as columns; null where a text has no shingle."""
    present = pa.array(signed.present)
    values: dict[str, npt.NDArray[Any]] = {KEYS: signed.keys, FINER_KEYS: signed.fine_keys, AGREEMENT: signed.agreement}
    return {name: binary(array, schema.field(name).type, present) for name, array in values.items()}


def text_hashes(column: pa.Array) -> pa.Array:
    """xxh3-128 of each text with its white space squeezed: runs of it one blank, none at the ends."""
    texts, rows = shared_batch(column)
    squeezed, bounds = np.empty(len(texts.buffer), np.uint8), np.zeros(len(texts) + 1, np.int64)
    squeeze(texts.buffer, texts.bounds, squeezed, bounds)
    content, places = memoryview(squeezed.data), rows.tolist()
    hashes = [xxhash.xxh3_128_digest(content[bounds[row] : bounds[row + 1]]) for row in places]
    return pa.array(hashes, pa.binary(16))
