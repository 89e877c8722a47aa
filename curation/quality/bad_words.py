"""Removes documents with words of a list, one list a language.

Source: Raffel et al. 2020 (T5), 2.2; datatrove 0.10.1, filters/c4_filters.py, `C4BadWordsFilter`. As there, a text is
compared in lower case, and an entry counts where no word character stands next to it; in languages written without
spaces it counts anywhere. Unlike there, the share that is kept is drawn from the document's id, so that it is the
same in every run, and a document in a language without a list goes on unless told otherwise. The lists that C4 uses
are LDNOOBW's (github.com/LDNOOBW); they are not shipped.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Literal

import pyarrow as pa
import xxhash
from pydantic import Field
from pydantic.dataclasses import dataclass

from connectors.errors import UserError, nearest
from curation.quality.word_trie import WordTrie
from curation.run import documents
from curation.run.documents import DOC_ID, LANG, STRICT, Verdict

UNSPACED = ("ja", "th", "zh")
ALLOWED = ("sm", "グロ", "女の子", "性")  # parts of so many words that each alone took over a tenth of a language


@dataclass(frozen=True, kw_only=True, config=STRICT)
class BadWords:
    """The step. Entries found are the measure of the step's name and the verdict's value; it is null without a list.

    lists             a folder of files `xx.txt`, xx being a language's code: one entry a line, in UTF-8
    language          compares all documents with this language's list; None: with that of the batch's column `lang`
    max_count         a document with more entries is removed, reason `bad_words`; two that begin at one place are one
    keep_fraction     this share of the documents that would be removed goes on, drawn by a keyed hash of the id
    seed              another draw
    unspaced          languages in which an entry counts inside of words
    allow             entries that no list has, whatever its file says
    lower_case_lists  lists are read in lower case; without it, as in C4, an entry with a capital letter is never found
    without_list      what becomes of a document in a language without a list; reason `no_bad_words_list`

    Raises `UserError` for a folder without lists and for a `language` that has none, and at the first batch where no
    `language` is given and documents have none.
    """

    name: str = "bad_words"
    lists: str
    language: str | None = None
    max_count: Annotated[int, Field(ge=0)] = 0
    keep_fraction: Annotated[float, Field(ge=0, le=1)] = 0.0
    seed: Annotated[int, Field(ge=0, lt=2**64)] = 0
    unspaced: tuple[str, ...] = UNSPACED
    allow: tuple[str, ...] = ALLOWED
    lower_case_lists: bool = False
    without_list: Literal["keep", "remove"] = "keep"

    def __post_init__(self) -> None:
        known = _languages(self.lists)
        if not known:
            raise UserError(f"{self.name}: '{self.lists}' is no folder of lists. Name one with files such as en.txt.")
        if self.language is not None and self.language not in known:
            raise UserError(f"{self.name}: '{self.lists}' has no '{self.language}.txt'.{nearest(self.language, known)}")

    @property
    def measures(self) -> tuple[str, ...]:
        """The measure that the step adds to the ledger."""
        return (self.name,)

    @property
    def files(self) -> tuple[str, ...]:
        """The lists that decide what the step does."""
        languages = _languages(self.lists) if self.language is None else (self.language,)
        return tuple(str(Path(self.lists) / f"{language}.txt") for language in languages)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with measure and verdicts."""
        strings = documents.texts(batch)
        counts = [self.count(string, language) for string, language in zip(strings, self._spoken(batch), strict=True)]
        verdicts = [self._verdict(count) for count in counts]
        if self.keep_fraction:
            ids = batch.column(DOC_ID).to_pylist()
            verdicts = [None if v and self._kept(id) else v for v, id in zip(verdicts, ids, strict=True)]
        return documents.with_verdicts(batch, self.name, verdicts, measures={self.name: counts})

    def count(self, string: str, language: str | None) -> int | None:
        """How many entries of the language's list the text has; None where there is no list."""
        if language is None or language not in _languages(self.lists):
            return None
        trie = _trie(self.lists, language, self.allow, self.lower_case_lists)
        return trie.count(string.lower(), whole_words=language not in self.unspaced)

    def _spoken(self, batch: pa.RecordBatch) -> list[str | None]:
        """Each document's language."""
        if self.language is not None:
            return [self.language] * batch.num_rows
        if LANG not in batch.schema.names:
            raise UserError(f"{self.name}: the documents have no language. Give the step one, e.g. language: en.")
        languages: list[str | None] = batch.column(LANG).to_pylist()
        return languages

    def _verdict(self, count: int | None) -> Verdict | None:
        if count is None:
            return Verdict("removed", "no_bad_words_list") if self.without_list == "remove" else None
        return Verdict("removed", "bad_words", count, self.max_count) if count > self.max_count else None

    def _kept(self, doc_id: bytes) -> bool:
        key = xxhash.xxh3_64_intdigest(self.name.encode() + b"\0" + doc_id, seed=self.seed)
        return bool(key < self.keep_fraction * 2.0**64)


@functools.cache
def _languages(folder: str) -> tuple[str, ...]:
    """The languages that a folder has lists of, in alphabetical order; none where it is no folder."""
    return tuple(sorted(file.stem for file in Path(folder).glob("*.txt") if file.is_file()))


@functools.cache
def _trie(folder: str, language: str, allow: tuple[str, ...], lower_case: bool) -> WordTrie:
    try:
        content = (Path(folder) / f"{language}.txt").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise UserError(f"The list '{language}.txt' in '{folder}' cannot be read, or is not UTF-8.") from None
    entries = {line.strip() for line in (content.lower() if lower_case else content).splitlines()}
    return WordTrie.of(entries - set(allow))
