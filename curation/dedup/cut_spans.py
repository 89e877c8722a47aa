"""Cuts repeated spans out of texts, and ends documents of which too little is left.

All rules look at the text as it was: a unit goes if any rule's span covers it. A text of which something went does not begin
with white space, nor end with it if its end went. If it falls short of the recipe's least, its document is removed; documents
of which nothing went are not looked at.

Source: datatrove 0.10.1, pipeline/dedup/sentence_dedup.py, `SentenceDedupFilter`, whose texts and decisions these are, but
for a single blank at a text's end, which stays, and empty documents, which are left alone. Its counts, too: a mark of
punctuation is a word, white space behind the last sentence is one more sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.dedup.kernels.units import trim
from curation.dedup.spans import Int64s, SpanRule, find_units
from curation.run.documents import ROW, TEXT, with_column, with_removals
from curation.text.batch import TextBatch
from curation.text.columns import text_batch
from curation.text.english.tables import load
from curation.text.kernels.compiling import Bytes
from curation.text.kernels.words import COUNT_TOKENS

NAME = "repeated"
REASONS = ("too_few_words", "too_few_sentences")

RULE, SPAN = "rule", "span"
CUTS = pa.schema(
    [
        pa.field(ROW, pa.uint32(), nullable=False),  # of the document in its split, ascending
        pa.field(RULE, pa.uint8(), nullable=False),  # number of the recipe's rule
        pa.field(SPAN, pa.uint32(), nullable=False),  # the span's first unit
    ]
)


@dataclass(frozen=True)
class CutSpans:
    """The step. `cuts` is a table of the schema `CUTS`: the spans of a split that are cut out.

    A document of which something was cut is removed where it has less than `min_words` words, one at least, or
    `min_sentences` sentences. A column `edit:repeated.KIND` for each kind of
    rule counts the units that went, also of documents that are removed.
    """

    rules: Sequence[SpanRule]
    min_words: int
    min_sentences: int
    cuts: pa.Table
    name: str = NAME

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with its texts cut, edits and verdicts."""
        rows = batch.column(ROW).to_numpy()
        cuts = self.cuts.filter(pc.is_in(self.cuts[ROW], batch.column(ROW)))
        touched = np.flatnonzero(np.isin(rows, cuts[ROW]))
        edits = {f"{NAME}.{rule.kind}": np.zeros(len(rows), np.int64) for rule in self.rules}
        deciding, values = np.full(len(rows), -1, np.int64), np.zeros(len(rows))
        if len(touched):
            texts = text_batch(batch.column(TEXT).take(pa.array(touched)))
            covered = np.zeros(len(texts.buffer), np.uint8)
            for rule, (documents, spans) in zip(self.rules, self._by_rule(cuts, rows[touched]), strict=True):
                edits[f"{NAME}.{rule.kind}"][touched] += cover(texts, rule, documents, spans, covered)
            strings = without(texts, covered)
            deciding[touched], values[touched] = self._judge(text_batch(strings))
            batch = with_column(batch, TEXT, replaced(batch.column(TEXT), touched, strings))
        thresholds = (float(max(1, self.min_words)), float(self.min_sentences))
        return with_removals(batch, NAME, deciding, REASONS, values, thresholds, edits=edits)

    def _by_rule(self, cuts: pa.Table, rows: npt.NDArray[np.uint32]) -> Iterator[tuple[Int64s, Int64s]]:
        """For each rule which of the documents at `rows` it cuts spans out of, and which spans."""
        order = np.argsort(rows)
        documents = order[np.searchsorted(rows[order], cuts[ROW].to_numpy())]
        for number in range(len(self.rules)):
            here = cuts[RULE].to_numpy() == number
            yield documents[here], cuts[SPAN].to_numpy()[here].astype(np.int64)

    def _judge(self, texts: TextBatch) -> tuple[Int64s, npt.NDArray[np.float64]]:
        """For each text the number of the reason that removes it, or -1, and the value that decides."""
        words, sentences = texts.word_counts[:, COUNT_TOKENS], texts.sentences
        few_words, few_sentences = words < max(1, self.min_words), sentences < self.min_sentences
        deciding = np.where(few_words, 0, np.where(few_sentences, 1, -1))
        return deciding, np.where(few_words, words, sentences).astype(np.float64)


def cover(texts: TextBatch, rule: SpanRule, documents: Int64s, spans: Int64s, covered: Bytes) -> Int64s:
    """Marks the bytes of spans, given by document and first unit; gives how many units that are, for each document."""
    stops, offsets = find_units(texts, rule.unit)
    units = np.unique((offsets[documents] + spans)[:, None] + np.arange(rule.run))
    of_document = np.searchsorted(offsets, units, side="right") - 1
    starts = np.where(units == offsets[of_document], texts.bounds[of_document], stops[units - 1])
    change = np.zeros(len(covered), np.int8)
    np.add.at(change, starts, 1)
    np.add.at(change, stops[units], -1)
    covered |= np.cumsum(change, dtype=np.int8).view(np.uint8)
    return np.bincount(of_document, minlength=len(texts))


def without(texts: TextBatch, covered: Bytes) -> pa.Array:
    """The texts without the bytes that are covered, and without the white space that they would begin with."""
    trim(load(), texts.buffer, texts.bounds, covered)
    kept = covered[: texts.bounds[-1]] == 0
    left = texts.buffer[: len(kept)][kept]
    bounds = np.concatenate([[0], np.cumsum(kept)])[texts.bounds]
    return pa.Array.from_buffers(pa.large_string(), len(texts), [None, pa.py_buffer(bounds), pa.py_buffer(left)])


def replaced(column: pa.Array, rows: Int64s, strings: pa.Array) -> pa.Array:
    """A column with other strings in some of its rows."""
    places = np.full(len(column), -1, np.int64)
    places[rows] = np.arange(len(rows))
    return pc.coalesce(strings.cast(column.type).take(pa.array(places, mask=places < 0)), column)
