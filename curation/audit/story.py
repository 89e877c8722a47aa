"""Everything that the ledger knows of one document: who it is, its way through the steps, and how it ended."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import duckdb

from connectors import storage
from connectors.errors import UserError, nearest
from curation.audit.single_rows import SingleRows
from curation.run.documents import DOC_ID, ROW
from curation.run.folder import RunFolder
from curation.run.ledger import RECORDS
from curation.run.manifest_search import ManifestSearch

FILE = "file_of_row"  # a column beside the ledger's own: in which file a row was found
NO_TEXT = "keeps no text: its recipe says documents: false"  # of a run


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

    `split` and `unit` say in which files of the ledger it stands. `beside` is there for a duplicate, `copies` for a kept
    document, where they were asked for; `contamination` are the rows of the evaluation items found in it.
    """

    doc_id: str
    split: str
    unit: str
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
    """The ledger of a run, open for questions. Raises `UserError` where the folder holds no finished run.

    A document is known by its split and its row there: all that the ledger has of it is then found without a search, in one
    row group of each file (`story`). Only questions by URL or id look through all files (`rows`, `look_up`).
    """

    def __init__(self, run: str) -> None:
        self.folder = RunFolder(run.rstrip("/"))
        if not storage.exists(self.folder.uri(self.folder.manifest)):
            raise UserError(f"{run} holds no run: there is no {self.folder.manifest}")
        self._search = ManifestSearch(self.folder)
        if self._search.part("status") != "complete":
            raise UserError(
                f"The run in {run} is not finished: run the same curate command again, it goes on where it stopped"
            )

    @property
    def manifest(self) -> dict[str, Any]:
        """The whole manifest."""
        return self._search.whole

    @cached_property
    def database(self) -> duckdb.DuckDBPyConnection:
        """For questions over many rows."""
        return duckdb.connect()

    @cached_property
    def shards(self) -> dict[str, dict[str, Any]]:
        """The manifest's rows of shards, by name."""
        return {row["shard"]: row for row in self._search.part("shards")}

    def shard(self, name: str) -> dict[str, Any]:
        """The manifest's row of a shard. Raises `UserError` for one that is not there."""
        row = self._search.row("shards", "shard", name)
        if row is None:
            raise UserError(f"No shard '{name}' in this run.{nearest(name, self.shards)}")
        return row

    def unit(self, split: str) -> str:
        """The finish unit of a split. Raises `UserError` for one that the run does not have."""
        row = self._search.row("units", "splits", split)
        if row is None:
            raise UserError(f"The run has no split '{split}': run `corpusmill verify {self.folder.root}`")
        return str(row["unit"])

    @property
    def keeps_text(self) -> bool:
        """Whether the run keeps the curated text of its documents."""
        return bool(self.manifest["plan"]["recipe"].get("documents", True))

    def has(self, part: str) -> bool:
        """Whether any file of a part of the ledger is there."""
        return bool(storage.list_files(self.folder.uri(f"ledger/{part}"), ".parquet"))

    def rows(self, part: str, where: str, values: list[Any], columns: str = "*") -> list[dict[str, Any]]:
        """Rows of a part of the ledger, as dictionaries. Looks through all its files."""
        if not self.has(part):
            return []
        files = f"{as_pattern(self.folder.uri(f'ledger/{part}'))}/**/*.parquet"
        query = f"SELECT {columns} FROM read_parquet(?, union_by_name=true, filename='{FILE}') WHERE {where}"
        cursor = self.database.execute(query, [files, *values])
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def unit_of(self, part: str, row: dict[str, Any]) -> str:
        """The split or unit whose file of a part of the ledger a row, found by `rows`, stands in."""
        return str(row[FILE]).removeprefix(self.folder.uri(f"ledger/{part}/")).removesuffix(".parquet")

    def look_up(self, where: str, values: list[Any]) -> list[Story]:
        """The stories of all records for which a condition holds."""
        found = self.rows("records", where, values, f"row, {FILE}")
        return [self.story(self.unit_of("records", row), row["row"]) for row in found]

    def steps(self) -> list[str]:
        """All steps of the run, in order."""
        return [step["step"] for step in self._search.part("steps")]

    def opened(self, path: str) -> SingleRows | None:
        """A file of the run for questions about single rows, None where there is none. Raises `UserError` for a damaged one."""
        uri = self.folder.uri(path)
        return SingleRows(uri) if storage.exists(uri) else None

    def of_row(self, part: str, unit: str, row: int, doc_id: bytes) -> list[dict[str, Any]]:
        """A document's rows in a unit's file of a part of the ledger."""
        file = self.opened(self.folder.ledger(part, unit))
        if file is None:
            return []
        numbers, table = file.among(ROW, [row], [DOC_ID])
        own = [number for number, found in zip(numbers.tolist(), table[DOC_ID].to_pylist()) if found == doc_id]
        rows: list[dict[str, Any]] = file.at(own, file.names).to_pylist() if own else []
        return rows

    def record(self, split: str, row: int) -> dict[str, Any]:
        """Who a document is. Raises `UserError` where the ledger has no such row."""
        file = self.opened(self.folder.ledger("records", split))
        if file is None or not row < file.rows:
            raise UserError(f"The ledger has no record {row} of {split}: run `corpusmill verify {self.folder.root}`")
        record: dict[str, Any] = file.at([row], RECORDS.names).to_pylist()[0]
        return record

    def story(self, split: str, row: int) -> Story:
        """The account of a document."""
        record, unit = self.record(split, row), self.unit(split)
        doc_id = record[DOC_ID]
        fate = self._fate(split, unit, row, doc_id)
        measured = self.of_row("measures", split, row, doc_id)
        measures = dict(measured[0]) if measured else {}
        language = (measures["lang"], measures["lang_score"]) if measures.get("lang") else None
        for key in ("doc_id", "row", "lang", "lang_score"):
            measures.pop(key, None)
        edits = [each for of in (split, f"finish/{unit}") for each in self.of_row("edits", of, row, doc_id)]
        found = self.of_row("contamination", split, row, doc_id)
        steps = self.steps()
        return Story(
            doc_id=doc_id.hex(),
            split=split,
            unit=unit,
            record=record,
            fate=fate,
            passed=steps[: steps.index(fate["step"])] if fate["step"] in steps else steps,
            measures={name: value for name, value in measures.items() if value is not None},
            language=language,
            edits=[(edit["step"], edit["kind"], edit["count"]) for edit in edits],
            duplicate_of=self._url_of(fate["duplicate_of"]),
            contamination=sorted(found, key=lambda item: (-item["ngrams"], item["position"])),
        )

    def _fate(self, split: str, unit: str, row: int, doc_id: bytes) -> dict[str, Any]:
        places = (("refine", split), ("finish", unit))
        found = [fate for part, of in places for fate in self.of_row(part, of, row, doc_id)]
        if len(found) != 1:
            raise UserError(f"The ledger has {len(found)} fates for document {doc_id.hex()}: run `corpusmill verify`")
        return found[0]

    def _url_of(self, doc_id: bytes | None) -> str:
        if doc_id is None:
            return ""
        found = self.rows("records", "doc_id = ?", [doc_id], 'url, archive, "offset"')
        return found[0]["url"] or f"{found[0]['archive']} at {found[0]['offset']}" if found else doc_id.hex()


def as_pattern(path: str) -> str:
    """A path for DuckDB's functions that read files: they take each path for a pattern."""
    return re.sub(r"[*?\[]", r"[\g<0>]", path)
