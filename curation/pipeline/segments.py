"""Which shards a document may go into: the part of its address, and the group of its language and quality.

A part is drawn by the canonical form of the URL, so that a page which is crawled again, by whatever scheme and with whatever
tracking parameters, is never trained on where it is held out. A document without a URL is drawn by its id. The validation part
is the lowest range of the keys and the test part the highest, so neither share moves what the other has.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.dedup.addresses import address_hash
from curation.recipes.shards import HeldOut
from curation.recipes.tokenize import Tokenize
from curation.run.documents import DOC_ID, LANG, URL
from curation.tokenize.document_keys import KEYS, PART, document_keys, ids_of

TRAIN, VALIDATION, TEST = PARTS = ("train", "validation", "test")
UNDETERMINED = "und"  # ISO 639's code for a language that is not known
UNMEASURED = "unmeasured"  # bucket of the documents without the measure

Codes = npt.NDArray[np.uint32]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Segment:
    """A part and a group; "" for a language or bucket where the recipe does not tell them apart."""

    part: str
    language: str = ""
    quality: str = ""

    @property
    def group(self) -> str:
        """The group's folder: `en`, `q1`, `en-q1`; "" for none."""
        return "-".join(name for name in (self.language, self.quality) if name)

    def folder(self, source: str) -> str:
        """Where such shards of a source lie: `web`, `web/en`, `validation/web/en`."""
        return "/".join(name for name in (self.part if self.part != TRAIN else "", source, self.group) if name)

    @property
    def rank(self) -> tuple[int, str, int, str]:
        """The order of segments: parts as in `PARTS`, languages by name, buckets from the lowest."""
        return PARTS.index(self.part), self.language, len(self.quality), self.quality


class Segmenting:
    """Gives each document a number for its segment. Numbers follow from the order of the documents: only `named` says more."""

    def __init__(self, settings: Tokenize) -> None:
        self._seed, self._held_out = settings.seed, settings.held_out
        self._by_language = settings.groups.language
        quality = settings.groups.quality
        self._edges = np.array(quality.edges if quality else [])
        self._buckets = [f"q{n}" for n in range(len(self._edges) + 1)] + [UNMEASURED] if quality else [""]
        self._languages: dict[str, int] = {}

    def __call__(self, batch: pa.RecordBatch, quality: Values | None) -> Codes:
        """The numbers of a batch. `quality` holds each document's measure, NaN where it has none, if buckets are asked for."""
        number = self._language_numbers(batch) * np.uint32(len(self._buckets))
        if len(self._edges):
            assert quality is not None and len(quality) == batch.num_rows
            buckets = np.digitize(quality, self._edges)
            buckets[np.isnan(quality)] = len(self._edges) + 1
            number = number + buckets.astype(np.uint32)
        return number * np.uint32(len(PARTS)) + parts(batch, self._held_out, self._seed)

    def _language_numbers(self, batch: pa.RecordBatch) -> Codes:
        if not self._by_language:
            return np.zeros(batch.num_rows, np.uint32)
        encoded = batch.column(LANG).dictionary_encode(null_encoding="encode")
        names = [language_folder(name) for name in encoded.dictionary.to_pylist()]
        known = [self._languages.setdefault(name, len(self._languages)) for name in names]
        numbers: Codes = np.array(known, np.uint32)[encoded.indices.to_numpy()]
        return numbers

    def named(self, number: int) -> Segment:
        """The segment behind a number."""
        number, part = divmod(number, len(PARTS))
        language, bucket = divmod(number, len(self._buckets))
        name = list(self._languages)[language] if self._by_language else ""
        return Segment(PARTS[part], name, self._buckets[bucket])


def parts(batch: pa.RecordBatch, held_out: HeldOut, seed: int) -> Codes:
    """The part of each document, as its place in `PARTS`."""
    found = np.zeros(batch.num_rows, np.uint32)
    low, high = int(held_out.validation * KEYS), int((1 - held_out.test) * KEYS)
    if low == 0 and high == KEYS:
        return found
    ids = ids_of(batch.column(DOC_ID)).copy()
    for place, url in enumerate(batch.column(URL).to_pylist()):
        if address := address_hash(url):
            ids[place] = np.void(address)
    keys = document_keys(ids, seed, PART)
    if low:
        found[keys < np.uint64(low)] = PARTS.index(VALIDATION)
    if high < KEYS:
        found[keys >= np.uint64(high)] = PARTS.index(TEST)
    return found


def language_folder(code: str | None) -> str:
    """A language's code as the name of a folder."""
    if code and len(code) <= 40 and code.replace("-", "").replace("_", "").isalnum() and code.isascii():
        return code
    return UNDETERMINED
