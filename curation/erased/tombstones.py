"""Tombstones: what a run remembers of what was erased from it, so that no later run brings it back.

    RUN/erasures/tombstones.parquet    a row a document, address, domain or text that was erased; what it lacks is null

    doc_id       the capture itself, wherever its archive lies
    url_hash     of the canonical address: another capture of the page
    domain_hash  of a host name, which stands for all below it
    text_hash    of the text, white space squeezed: the same text elsewhere
    sketch       the smallest hashes of its shingles, of those that were asked for: similar text elsewhere
    similarity   from which on a text is similar to it

Hashes of addresses and texts are keyed by the run, so that no table made beforehand tells what they are of; whoever has the
file and guesses an address can still test the guess. Sketches are hashes of runs of words, as every index of kept documents
holds them. No text and no address stands here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from connectors import storage
from connectors.errors import UserError
from curation.dedup.addresses import canonical
from curation.dedup.shingles import Shingling
from curation.dedup.sketches import SKETCH, Sketches
from curation.erased.likeness import Likeness
from curation.quality.blacklists import host_of, parents
from curation.run.documents import DOC_ID

PATH = "erasures/tombstones.parquet"  # in a run
FORMAT = 1
URL_HASH, DOMAIN_HASH, TEXT_HASH, SKETCHES, SIMILARITY = "url_hash", "domain_hash", "text_hash", "sketch", "similarity"
SCHEMA = pa.schema(
    [
        pa.field(DOC_ID, pa.binary(16)),
        pa.field(URL_HASH, pa.binary(16)),
        pa.field(DOMAIN_HASH, pa.binary(16)),
        pa.field(TEXT_HASH, pa.binary(16)),
        pa.field(SKETCHES, pa.large_binary()),
        pa.field(SIMILARITY, pa.float32()),
    ]
)
_META = b"corpusmill.tombstones"


@dataclass(frozen=True)
class Seal:
    """How a run's tombstones are made: the key of the hashes, and the shingles of the sketches."""

    key: bytes
    shingling: Shingling

    def address(self, url: str) -> bytes | None:
        """Of an address in its canonical form, None where there is none."""
        return self._hashed("url", canonical(url).encode("utf-8", "surrogatepass")) if url else None

    def domain(self, host: str) -> bytes:
        """Of a host name."""
        return self._hashed("domain", host.encode("utf-8", "surrogatepass"))

    def domains(self, url: str) -> list[bytes]:
        """Of the address's host and all domains above it."""
        return [self.domain(name) for name in parents(host_of(url)) if name]

    def text(self, text_hash: bytes) -> bytes:
        """Of a text, by what `dedup.keys.text_hashes` gives for it."""
        return self._hashed("text", text_hash)

    def any(self, kind: str, value: str) -> str:
        """Of a request as it was made, in hex: what an account of an erasure may hold of it."""
        return self._hashed(kind, value.encode("utf-8", "surrogatepass")).hex()

    def _hashed(self, kind: str, content: bytes) -> bytes:
        return hashlib.blake2b(kind.encode() + b"\0" + content, digest_size=16, key=self.key).digest()


def seal_of(plan_digest: str, shingling: Shingling) -> Seal:
    """A run's own seal. The same run has the same one, so that an erasure done again gives the same bytes."""
    return Seal(hashlib.blake2b(plan_digest.encode(), person=b"corpusmill erase").digest(), shingling)


@dataclass(frozen=True, eq=False)
class Tombstones:
    """A run's tombstones, as a table of SCHEMA, and its seal."""

    seal: Seal
    table: pa.Table

    @property
    def schema(self) -> pa.Schema:
        """Of the file, with the seal."""
        content = {"format": FORMAT, "key": self.seal.key.hex(), "shingling": plain_shingling(self.seal.shingling)}
        return SCHEMA.with_metadata({_META: json.dumps(content, sort_keys=True).encode()})

    def with_rows(self, rows: Iterable[dict[str, Any]]) -> Tombstones:
        """These and others, each once, in an order that does not depend on how they came."""
        added = pa.Table.from_pylist(list(rows), SCHEMA)
        keys: dict[tuple[Any, ...], dict[str, Any]] = {}
        for row in [*self.table.to_pylist(), *added.to_pylist()]:
            keys[tuple(row[name] if row[name] is not None else b"" for name in SCHEMA.names[:5])] = row
        return Tombstones(self.seal, pa.Table.from_pylist([keys[key] for key in sorted(keys)], SCHEMA))

    @cached_property
    def named(self) -> dict[str, frozenset[bytes]]:
        """The values of each column of hashes."""
        columns = (DOC_ID, URL_HASH, DOMAIN_HASH, TEXT_HASH)
        return {
            name: frozenset(value for value in self.table[name].to_pylist() if value is not None) for name in columns
        }

    @cached_property
    def likeness(self) -> Likeness:
        """For looking up texts by their sketches."""
        rows = self.table.filter(self.table[SKETCHES].is_valid())
        similarity: npt.NDArray[np.float32] = rows[SIMILARITY].to_numpy().astype(np.float32)
        return Likeness(unpacked(rows[SKETCHES].to_pylist()), similarity, SKETCH)


def packed(sketches: Sketches) -> list[bytes]:
    """Sketches as the bytes of their hashes."""
    bounds = zip(sketches.offsets[:-1].tolist(), sketches.offsets[1:].tolist())
    return [sketches.values[start:stop].astype("<u4").tobytes() for start, stop in bounds]


def unpacked(contents: Iterable[bytes]) -> Sketches:
    """The inverse of `packed`."""
    parts = [np.frombuffer(content, "<u4") for content in contents]
    offsets = np.cumsum([0, *map(len, parts)]).astype(np.int64)
    return Sketches(np.concatenate([np.zeros(0, np.uint32), *parts]).astype(np.uint32), offsets)


def plain_shingling(shingling: Shingling) -> dict[str, Any]:
    """How texts become shingles, as a recipe says it."""
    plain = {name: value for name, value in asdict(shingling).items() if value is not None}
    plain["languages"] = {
        language: {name: value for name, value in unit.items() if value is not None}
        for language, unit in plain["languages"].items()
    }
    return plain


def tombstones_file(path: str) -> str:
    """The tombstones that a recipe names by a run's folder or by the file. Raises `UserError` where there are none."""
    given = path.rstrip("/")
    found = next((f for f in (f"{given}/{PATH}", given) if storage.local_path(f).is_file()), "")
    if not found:
        raise UserError(f"erased: {path} has no tombstones: name a run from which `corpusmill erase` erased something")
    return found


def read_tombstones(uri: str) -> Tombstones:
    """The tombstones of a file. Raises `UserError` for one that is none, or damaged."""
    try:
        with storage.open_input(uri) as file:
            table = pq.read_table(file, use_threads=False)
        content = json.loads((table.schema.metadata or {})[_META])
        if content["format"] != FORMAT:
            raise ValueError
        shingling = TypeAdapter(Shingling).validate_python(content["shingling"])
        seal = Seal(bytes.fromhex(content["key"]), shingling)
        return Tombstones(seal, table.select(SCHEMA.names).cast(SCHEMA))
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{uri} holds no tombstones that this version reads, or is damaged: bring it back") from None


def no_tombstones(seal: Seal) -> Tombstones:
    """Of a run from which nothing was erased."""
    return Tombstones(seal, SCHEMA.empty_table())
