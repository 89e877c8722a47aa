r"""Spans below the document: runs of sentences, lines or paragraphs, each as a 64-bit hash of its normal form.

Sentences are spaCy's and are compared as datatrove compares them: lower case, numbers as 0, punctuation as blanks, no
diacritics. Lines (by `\n`) and paragraphs (by two or more) are compared in the form that CCNet describes: lower case, digits
as 0, neither punctuation nor accents. A unit belongs to no span if it is white space at the document's end; a span without a
letter or digit counts for nothing.

Source: Raffel et al. 2020 (T5), 2.2, "any three-sentence span"; datatrove 0.10.1, pipeline/dedup/sentence_dedup.py, whose
hashes of sentences these are; Wenzek et al. 2020 (CCNet), 3.1. CCNet's code (cc_net/text_normalizer.py,
`normalize_for_dedup`) differs from its paper: it leaves accents and ASCII punctuation.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import regex
import xxhash
from pydantic import Field
from pydantic.dataclasses import dataclass

from curation.dedup.kernels.spans import hash_runs
from curation.dedup.kernels.units import find_lines, find_sentences
from curation.run.documents import STRICT
from curation.text.batch import TextBatch
from curation.text.english.tables import load
from curation.text.normalize import normalized
from curation.text.punctuation import PUNCTUATION

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]

SENTENCES, LINES, PARAGRAPHS = "sentences", "lines", "paragraphs"
UNITS = (SENTENCES, LINES, PARAGRAPHS)
LONGEST_RUN = 16  # units; a document costs its length times this
MOST_DOCUMENTS = 65_535  # what a count of documents can tell

_DIGIT = regex.compile(r"\p{Nd}")
_NO_PUNCTUATION = str.maketrans(dict.fromkeys(c for c in PUNCTUATION if not c.isspace()))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SpanRule:
    """Which spans are looked for, and which of their occurrences are cut out.

    unit            what texts are cut into
    run             so many units, one behind the other, are a span; spans overlap
    within          `corpus`: a span is compared with all others; `domain`: with those of its site, by registered domain. A
                    document without a URL has no site, and so none of these spans
    documents       a span is repeated if it comes again, and is found in at least so many documents
    keep            `first`: the first occurrence stays, in the order of the input; `none`
    min_characters  shorter spans count for nothing, in characters of their normal form
    """

    unit: Literal["sentences", "lines", "paragraphs"]
    run: Annotated[int, Field(ge=1, le=LONGEST_RUN)] = 1
    within: Literal["corpus", "domain"] = "corpus"
    documents: Annotated[int, Field(ge=1, le=MOST_DOCUMENTS)] = 1
    keep: Literal["first", "none"] = "first"
    min_characters: Annotated[int, Field(ge=0)] = 0

    @property
    def kind(self) -> str:
        """What the ledger calls the units that it cuts."""
        return self.unit if self.within == "corpus" else f"{self.unit}_of_{self.within}"


class Units(NamedTuple):
    """Where the units of a batch's documents end, in bytes of its buffer; each begins where the one before ends.

    Document d has stops[offsets[d]:offsets[d + 1]].
    """

    stops: Int64s
    offsets: Int64s


class Hashes(NamedTuple):
    """Hashes of a batch's spans, 0 for those that count for nothing: document d has hashes[offsets[d]:offsets[d + 1]]."""

    hashes: UInt64s
    offsets: Int64s


def find_units(texts: TextBatch, unit: str) -> Units:
    """The units of a batch."""
    if unit != SENTENCES:
        stops, offsets = np.empty(int(texts.bounds[-1]) + 1, np.int64), np.zeros(len(texts) + 1, np.int64)
        find_lines(texts.buffer, texts.bounds, 1 if unit == LINES else 2, stops, offsets)
        return Units(stops[: offsets[-1]].copy(), offsets)
    parts, ends, total = [np.zeros(0, np.int64)], [np.zeros(1, np.int64)], 0
    tables = texts.segmenter.tables
    for portion, view, found in texts.segmented():
        stops = np.empty(int(portion.bounds[-1] - portion.bounds[0]) + len(portion.bounds), np.int64)
        offsets = np.zeros(len(portion.bounds), np.int64)
        lists = (found.joined, found.joined_starts, found.joined_offsets)
        find_sentences(tables, texts.segmenter.vocabulary, view, portion.bounds, *lists, stops, offsets)
        parts.append(stops[: offsets[-1]] + portion.base)
        ends.append(offsets[1:] + total)
        total += int(offsets[-1])
    return Units(np.concatenate(parts), np.concatenate(ends))


def hash_spans(texts: TextBatch, units: Units, rule: SpanRule) -> Hashes:
    """The hashes of a batch's spans by a rule, in order. Which site a document is of is not in them."""
    longest = int(np.diff(texts.bounds).max(initial=0))
    text, begins = np.empty(5 * longest + 256, np.uint8), np.empty(longest + 2, np.int64)
    hashes, offsets = np.empty(len(units.stops), np.uint64), np.zeros(len(texts) + 1, np.int64)
    left, by_line = np.empty(len(texts), np.int64), rule.unit != SENTENCES
    found = (texts.bounds, units.stops, units.offsets)
    count = hash_runs(
        load(), texts.buffer, *found, rule.run, by_line, rule.min_characters, text, begins, hashes, offsets, left
    )
    for document in left[:count].tolist():
        strings = unit_strings(texts, units, document)
        hashes[offsets[document] : offsets[document + 1]] = hashes_of(strings, rule)
    return Hashes(hashes[: offsets[-1]], offsets)


def unit_strings(texts: TextBatch, units: Units, document: int) -> list[str]:
    """The units of one document."""
    stops = units.stops[units.offsets[document] : units.offsets[document + 1]].tolist()
    bounds = [int(texts.bounds[document]), *stops]
    return [texts.buffer[start:stop].tobytes().decode() for start, stop in pairwise(bounds)]


def hashes_of(units: list[str], rule: SpanRule) -> list[int]:
    """`hash_spans` of one document in plain Python: for what depends on neighbouring characters, such as a final sigma."""
    form = normalized if rule.unit == SENTENCES else line_form
    forms = [form(unit) for unit in (units[:-1] if units and not units[-1].strip() else units)]
    hashes = []
    for first in range(len(forms) - rule.run + 1):
        span = " ".join(forms[first : first + rule.run])
        counts = bool(span.strip()) and len(span) >= rule.min_characters
        hashes.append(max(1, xxhash.xxh64_intdigest(span)) if counts else 0)
    return hashes


def line_form(string: str) -> str:
    """The normal form of lines and paragraphs: lower case, each digit as 0, neither punctuation nor accents, single blanks."""
    string = unicodedata.normalize("NFD", _DIGIT.sub("0", string.lower()).translate(_NO_PUNCTUATION))
    return " ".join("".join(c for c in string if unicodedata.category(c) != "Mn").split())
