"""Shingles: what two documents are compared by. Runs of words or of characters of a text's normal form, as 64-bit hashes.

Which words there are is the tokenizer's matter. By default it is the English one for all documents, as in datatrove; a Chinese
sentence without blanks is then one word, and most Chinese documents have too few for a shingle. `languages` or
`tokenizer: language` mend that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from pydantic import Field
from pydantic.dataclasses import dataclass

from connectors.errors import UserError
from curation.dedup.kernels.character_shingles import count_characters, hash_characters
from curation.dedup.kernels.word_shingles import hash_words
from curation.dedup.normal_texts import normal_texts
from curation.run.documents import LANG, STRICT, TEXT
from curation.text.batch import Shingles, TextBatch
from curation.text.columns import batch_of, shared_batch
from curation.text.kernels.compiling import Int64s
from curation.text.language_names import name_with_script
from curation.text.languages import assignments, require, word_spans

WORDS = 5  # where nothing is said
LONGEST = 256  # words or characters of a shingle
ENOUGH = 0.5  # of a batch's texts, to cut them all rather than these alone
_CODE = re.compile("[a-z]{2,3}(-[a-z]{2})?(_[A-Z][a-z]{3})?")

Size = Annotated[int, Field(ge=1, le=LONGEST)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Unit:
    """What a shingle is: so many words, or so many characters (code points). Raises `UserError` unless it is one of them."""

    words: Size | None = None
    characters: Size | None = None

    def __post_init__(self) -> None:
        if (self.words is None) == (self.characters is None):
            raise UserError("shingles: say either `words` or `characters`, such as {words: 5} or {characters: 24}")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Shingling(Unit):
    """How a text becomes shingles, `{words: 5}` if nothing is said.

    tokenizer  whose words: `english` cuts all texts, as datatrove does; `language` is the tokenizer of each document's
               language, see `text/languages.py`
    languages  another unit for documents of a language (`{zh: {characters: 5}}`), by the code in the column `lang`, or with
               a script (`cmn_Hani`); its words are those of the language's own tokenizer

    Documents in a language that has no tokenizer are cut by the English one. What is not English is cut by Python, some
    hundred times slower; characters are fast in all languages. Raises `UserError` for what is no language, or a tokenizer
    that is not installed.
    """

    tokenizer: Literal["english", "language"] = "english"
    languages: dict[str, Unit] = Field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.words is None and self.characters is None:
            object.__setattr__(self, "words", WORDS)
        super().__post_init__()
        for language, unit in self.languages.items():
            if unit.words is not None:
                require(name_with_script(language))
            elif not _CODE.fullmatch(language):
                raise UserError(f"shingles: '{language[:40]}' is no language. Use a code such as zh or cmn_Hani")

    @property
    def needs_language(self) -> bool:
        """Whether documents must have a language."""
        return bool(self.languages) or (self.tokenizer == "language" and self.words is not None)


class Way(NamedTuple):
    """How one document is cut: into so many words or characters, words by a language's tokenizer, `""` is the engine's."""

    words: int | None
    characters: int | None
    language: str


def document_shingles(batch: pa.RecordBatch, shingling: Shingling) -> Shingles:
    """The shingles of a batch's texts, row by row; those that an earlier step cut are not cut again.

    Raises `UserError` if languages are asked for and the batch has none, and what `languages.require` does.
    """
    if not shingling.needs_language:
        texts, rows = shared_batch(batch.column(TEXT))
        return text_shingles(texts, shingling, rows=rows)
    if LANG not in batch.schema.names:
        raise UserError("shingles: the documents have no language. Put `language:` in the recipe, or take `{words: 5}`")
    texts, rows = shared_batch(batch.column(TEXT))
    return text_shingles(texts, shingling, batch.column(LANG).to_pylist(), rows)


def text_shingles(
    texts: TextBatch | Sequence[str],
    shingling: Shingling,
    languages: Sequence[str | None] | None = None,
    rows: Int64s | None = None,
) -> Shingles:
    """The shingles of texts, or of some rows of them, in order and with repetitions. `languages` are those of the rows.

    A text of fewer words or characters than a shingle has none.
    """
    texts = texts if isinstance(texts, TextBatch) else batch_of(texts)
    rows = np.arange(len(texts)) if rows is None else rows
    if languages is None or not shingling.needs_language:
        return _shingles(texts, rows, way_of(shingling, None))
    known = {language: way_of(shingling, language) for language in set(languages)}
    places: dict[Way, list[int]] = {}
    for place, language in enumerate(languages):
        places.setdefault(known[language], []).append(place)
    parts = [_shingles(texts, rows[here], way) for way, here in places.items()]
    order = np.argsort(np.concatenate([np.zeros(0, np.int64), *places.values()]).astype(np.int64))
    return taken(concatenated(parts), order)


def way_of(shingling: Shingling, language: str | None) -> Way:
    """How a document in a language is cut; None: it is not known."""
    name = name_with_script(language or "")
    own = {name_with_script(key): unit for key, unit in shingling.languages.items()}.get(name)
    unit = own or shingling
    if unit.words is None:
        return Way(None, unit.characters, "")
    tokenizer = assignments().get(name)
    by_language = own is not None or shingling.tokenizer == "language"
    if tokenizer is None or not by_language or tokenizer == ("spacy", "en"):
        return Way(unit.words, None, "")
    return Way(unit.words, None, name)


def _shingles(texts: TextBatch, rows: Int64s, way: Way) -> Shingles:
    """The shingles of texts that are cut the same way."""
    if way.characters is not None:
        return _of_characters(texts, rows, way.characters)
    assert way.words is not None
    if way.language:
        return _of_words(texts, rows, way.words, way.language)
    if len(rows) >= ENOUGH * len(texts):
        return taken(texts.shingles(way.words), rows)
    return batch_of([texts.string(row) for row in rows.tolist()]).shingles(way.words)


def _of_characters(texts: TextBatch, rows: Int64s, characters: int) -> Shingles:
    normal = normal_texts(texts, rows)
    counts = np.zeros(len(rows), np.int64)
    count_characters(normal.content, normal.bounds, counts)
    offsets = _offsets(counts, characters)
    hashes = np.empty(int(offsets[-1]), np.uint64)
    hash_characters(normal.content, normal.bounds, characters, hashes, offsets)
    return Shingles(hashes, offsets)


def _of_words(texts: TextBatch, rows: Int64s, words: int, language: str) -> Shingles:
    """By the tokenizer of a language. Source: datatrove 0.10.1, pipeline/dedup/minhash.py, `get_shingles`."""
    content, bounds = normal_texts(texts, rows)
    strings = [content[start:stop].tobytes().decode() for start, stop in zip(bounds[:-1], bounds[1:], strict=True)]
    spans = word_spans(strings, language)
    first_words = np.concatenate([[0], np.cumsum(spans.counts)]).astype(np.int64)
    places = np.append(np.flatnonzero((content & 0xC0) != 0x80), len(content))  # where each character begins
    origins = np.searchsorted(places, bounds[:-1])[np.repeat(np.arange(len(strings)), spans.counts)]
    starts, stops = places[origins + spans.starts], places[origins + spans.stops]
    sizes = np.concatenate([[0], np.cumsum(stops - starts + 1)])[first_words]
    joined = np.empty(int(np.diff(sizes).max(initial=0)), np.uint8)
    begins = np.empty(int(spans.counts.max(initial=0)) + 1, np.int64)
    offsets = _offsets(spans.counts, words)
    hashes = np.empty(int(offsets[-1]), np.uint64)
    hash_words(content, starts, stops, first_words, words, joined, begins, hashes, offsets)
    return Shingles(hashes, offsets)


def _offsets(counts: Int64s, size: int) -> Int64s:
    """Where each text's shingles begin, by how many words or characters it has."""
    offsets = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(np.maximum(counts - size + 1, 0), out=offsets[1:])
    return offsets


def taken(shingles: Shingles, rows: Int64s) -> Shingles:
    """The shingles of some documents, in the order of `rows`."""
    lengths = np.diff(shingles.offsets)[rows]
    if len(rows) == len(shingles.offsets) - 1 and np.array_equal(rows, np.arange(len(rows))):
        return shingles
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    places = np.arange(offsets[-1]) + np.repeat(shingles.offsets[rows] - offsets[:-1], lengths)
    return Shingles(shingles.hashes[places], offsets)


def concatenated(parts: Sequence[Shingles]) -> Shingles:
    """The shingles of several lots of documents, one lot behind the other."""
    lengths = [np.diff(part.offsets) for part in parts]
    hashes = np.concatenate([np.zeros(0, np.uint64), *(part.hashes for part in parts)])
    return Shingles(hashes, np.cumsum(np.concatenate([[0], *lengths]).astype(np.int64)))
