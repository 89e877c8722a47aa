"""An index: what a run kept, for later runs to be deduplicated against. Hashes, keys and sketches, no text.

    INDEX/index.json      how documents were signed; the files, their documents and hashes
    INDEX/…parquet        a row a document: the columns of a signature file, and its URL

Some 1.9 kB a document, most of it the sketch, by which a later run measures what the signatures leave uncertain.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from connectors import storage
from connectors.errors import UserError
from connectors.storage import Written
from curation.dedup.homes import Part
from curation.dedup.keys import Signing
from curation.run.documents import URL

FORMAT = 1
NAME = "index.json"
FOLDER = "index"  # in a run


def index_schema(signatures: pa.Schema) -> pa.Schema:
    """The schema of an index's files, from that of the signature files."""
    return signatures.append(pa.field(URL, pa.string(), nullable=False))


@dataclass(frozen=True, slots=True)
class IndexFile:
    """One file of an index: its path there, how many documents it holds, size and hash."""

    path: str
    documents: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Index:
    """An index that is whole. `signing` is what `description` gives; None where only hashes are held."""

    folder: str
    signing: dict[str, Any] | None
    files: tuple[IndexFile, ...]

    @property
    def documents(self) -> int:
        """How many documents it holds."""
        return sum(file.documents for file in self.files)


def description(near: Signing | None) -> dict[str, Any] | None:
    """How documents are signed, as plain data: two that are equal make signatures that can be compared."""
    if near is None:
        return None
    plain: dict[str, Any] = json.loads(json.dumps(asdict(near)))
    return plain


def read_index(path: str) -> Index:
    """The index of a run, or of a folder. Raises `UserError` where there is none, or files of it are missing or cut."""
    folder = next((f for f in (path.rstrip("/"), f"{path.rstrip('/')}/{FOLDER}") if storage.exists(f"{f}/{NAME}")), "")
    if not folder:
        raise UserError(
            f"{path} holds no index: there is no {NAME}. A run makes one with `dedup: {{index: true}}` in its recipe"
        )
    try:
        content = json.loads(storage.read_bytes(f"{folder}/{NAME}"))
        files = tuple(IndexFile(**file) for file in content["files"])
        index = Index(folder, content["signing"], files)
        known = content["format"] == FORMAT
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise UserError(f"{folder}/{NAME} is not what this version writes: make the index again")
    for file in files:
        uri = f"{folder}/{file.path}"
        if not storage.exists(uri) or storage.size(uri) != file.bytes:
            raise UserError(f"{uri} is missing or not whole: bring it back, or make the index again")
    return index


def require_comparable(index: Index, near: Signing | None) -> None:
    """Raises `UserError` where a recipe signs documents in another way than an index has them."""
    wanted = description(near)
    if wanted is not None and index.signing != wanted:
        held = index.signing or {}
        name = next((name for name in wanted if held.get(name) != wanted[name]), "minhash")
        raise UserError(
            f"{index.folder} was made with {name} {held.get(name)}, the recipe's dedup.minhash gives {wanted[name]}: "
            "signatures of two kinds cannot be compared. Use the recipe of the index"
        )


def index_parts(indexes: Sequence[Index]) -> list[Part]:
    """The files of indexes as parts, numbered from 0 in their order."""
    parts: list[Part] = []
    first = 0
    for index in indexes:
        for file in index.files:
            parts.append(Part(file.path, f"{index.folder}/{file.path}", "", first, file.documents))
            first += file.documents
    return parts


def write_description(folder: str, signing: Mapping[str, Any] | None, files: Sequence[IndexFile]) -> Written:
    """Writes an index's description, last of all."""
    content = {"format": FORMAT, "signing": signing, "files": [asdict(file) for file in files]}
    return storage.write_bytes(f"{folder}/{NAME}", (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def merge_indexes(indexes: Sequence[Index], folder: str) -> Index:
    """Indexes as one: their files copied side by side. Raises `UserError` unless all were made alike and
    the folder can be written, or where an index is already.

    A document that two of them hold is held twice, which changes nothing but the size.
    """
    if storage.exists(f"{folder}/{NAME}"):
        raise UserError(f"{folder} holds an index already: give another --to")
    storage.require_writable(folder)
    files: list[IndexFile] = []
    for number, index in enumerate(indexes):
        if index.signing != indexes[0].signing:
            raise UserError(
                f"{indexes[0].folder} and {index.folder} were made with other dedup.minhash: they cannot be merged"
            )
        for file in index.files:
            path = f"{number:03d}/{file.path}"
            storage.copy(f"{index.folder}/{file.path}", f"{folder}/{path}")
            files.append(IndexFile(path, file.documents, file.bytes, file.sha256))
    write_description(folder, indexes[0].signing, files)
    return read_index(folder)
