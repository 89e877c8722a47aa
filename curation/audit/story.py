"""Everything that the ledger knows of one document: who it is, its way through the steps, and how it ended."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import duckdb

from connectors import storage
from connectors.errors import UserError
from curation.run.folder import RunFolder
from curation.run.manifest import read_manifest


@dataclass(frozen=True, slots=True)
class Beside:
    """What a duplicate is a duplicate of.

    elsewhere   the kept document is none of this run's but an earlier one's, by the index that the run was given
    address     its URL there, "" where it is this run's own
    jaccard     true, where the pair was drawn to be measured
    removed     how the duplicate's own text begins, "" where the run keeps nothing of it
    kept        how the kept document's text begins, "" where it is elsewhere
    """

    doc_id: str
    place: str
    elsewhere: bool
    address: str
    jaccard: float | None
    removed: str
    kept: str


@dataclass(frozen=True, slots=True)
class Copies:
    """The duplicates that a kept document stands for: how many, by reason, and the first addresses."""

    reasons: dict[str, int]
    urls: list[str]

    @property
    def documents(self) -> int:
        """All of them."""
        return sum(self.reasons.values())


@dataclass(frozen=True, slots=True)
class Story:
    """One document's account. `passed` are the steps that it went through; `fate` is the ledger's row.

    `beside` is there for a duplicate, `copies` for a kept document, where they were asked for; `contamination` are the rows of
    the evaluation items found in it.
    """

    doc_id: str
    record: dict[str, Any]
    fate: dict[str, Any]
    passed: list[str]
    measures: dict[str, float]
    language: tuple[str, float] | None
    edits: list[tuple[str, str, int]]
    duplicate_of: str = ""
    tokens: dict[str, Any] = field(default_factory=dict)
    beside: Beside | None = None
    copies: Copies | None = None
    contamination: list[dict[str, Any]] = field(default_factory=list)


class Ledger:
    """The ledger of a run, open for questions. Raises `UserError` where the folder holds no finished run."""

    def __init__(self, run: str) -> None:
        self.folder = RunFolder(run.rstrip("/"))
        manifest = read_manifest(self.folder)
        if manifest is None:
            raise UserError(f"{run} holds no run: there is no {self.folder.manifest}")
        self.manifest = manifest
        if self.manifest["status"] != "complete":
            raise UserError(
                f"The run in {run} is not finished: run the same curate command again, it goes on where it stopped"
            )
        self.database = duckdb.connect()

    def has(self, part: str) -> bool:
        """Whether any file of a part of the ledger is there."""
        return bool(storage.list_files(self.folder.uri(f"ledger/{part}"), ".parquet"))

    def rows(self, part: str, where: str, values: list[Any], columns: str = "*") -> list[dict[str, Any]]:
        """Rows of a part of the ledger, as dictionaries."""
        if not self.has(part):
            return []
        files = f"{as_pattern(self.folder.uri(f'ledger/{part}'))}/**/*.parquet"
        query = f"SELECT {columns} FROM read_parquet(?, union_by_name=true) WHERE {where}"
        cursor = self.database.execute(query, [files, *values])
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def steps(self) -> list[str]:
        """All steps of the run, in order."""
        return [step["step"] for step in self.manifest["steps"]]

    def story(self, record: dict[str, Any]) -> Story:
        """The account of a record."""
        doc_id = bytes(record["doc_id"])
        fate = self._fate(doc_id)
        measured = self.rows("measures", "doc_id = ?", [doc_id])
        measures = dict(measured[0]) if measured else {}
        language = (measures["lang"], measures["lang_score"]) if measures.get("lang") else None
        for key in ("doc_id", "row", "lang", "lang_score"):
            measures.pop(key, None)
        edits = [(row["step"], row["kind"], row["count"]) for row in self.rows("edits", "doc_id = ?", [doc_id])]
        steps = self.steps()
        return Story(
            doc_id=doc_id.hex(),
            record=record,
            fate=fate,
            passed=steps[: steps.index(fate["step"])] if fate["step"] in steps else steps,
            measures={name: value for name, value in measures.items() if value is not None},
            language=language,
            edits=edits,
            duplicate_of=self._url_of(fate["duplicate_of"]),
            contamination=self.rows("contamination", "doc_id = ? ORDER BY ngrams DESC, position", [doc_id]),
        )

    def _fate(self, doc_id: bytes) -> dict[str, Any]:
        found = [row for part in ("refine", "finish") for row in self.rows(part, "doc_id = ?", [doc_id])]
        if len(found) != 1:
            raise UserError(f"The ledger has {len(found)} fates for document {doc_id.hex()}: run `corpusmill verify`")
        return found[0]

    def _url_of(self, doc_id: bytes | None) -> str:
        if doc_id is None:
            return ""
        found = self.rows("records", "doc_id = ?", [bytes(doc_id)], 'url, archive, "offset"')
        return found[0]["url"] or f"{found[0]['archive']} at {found[0]['offset']}" if found else bytes(doc_id).hex()


def as_pattern(path: str) -> str:
    """A path for DuckDB's functions that read files: they take each path for a pattern."""
    return re.sub(r"[*?\[]", r"[\g<0>]", path)
