"""Texts made of a batch's lines: citations cut out of them, documents put together of those that are kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.text.batch import Lines, TextBatch
from curation.text.english.tables import load
from curation.text.kernels import lines as facts_of
from curation.text.kernels.compiling import Bytes, Int64s
from curation.text.kernels.rewriting import cut_citations, join_lines
from curation.text.kernels.vocabulary import PADDING


class Cleaned(NamedTuple):
    """A batch's lines, some of them without their citations.

    lines      as they stand in the batch
    facts      the same columns; of a line with citations, what is true of it without them, but LINE_WORDS and LINE_LONGEST
    changed    bool[lines]: positions are in `buffer` instead of the batch's own
    citations  int64[lines]: how many were cut out
    """

    lines: Lines
    facts: Int64s
    buffer: Bytes
    changed: npt.NDArray[np.bool_]
    citations: Int64s


def cleaned_lines(texts: TextBatch, remove_citations: bool) -> Cleaned:
    """The lines of a batch, without citations if asked for. A line that becomes shorter is not stripped again."""
    lines = texts.lines
    changed, citations = np.zeros(len(lines.facts), np.bool_), np.zeros(len(lines.facts), np.int64)
    chosen = np.flatnonzero(lines.bits & facts_of.LINE_HAS_BRACKET) if remove_citations else np.zeros(0, np.int64)
    if not len(chosen):
        return Cleaned(lines, lines.facts, np.zeros(PADDING, np.uint8), changed, citations)
    sizes = lines.facts[chosen, facts_of.LINE_STOP] - lines.facts[chosen, facts_of.LINE_START]
    out, bounds = np.zeros(int(sizes.sum()) + PADDING, np.uint8), np.zeros(len(chosen) + 1, np.int64)
    cut = np.zeros(len(chosen), np.int64)
    cut_citations(load(), texts.buffer, lines.facts, chosen, out, bounds, cut)
    facts = lines.facts.copy()
    copies = TextBatch(out, bounds)
    described = whole_lines(copies)
    for column in (facts_of.LINE_WORDS, facts_of.LINE_LONGEST, facts_of.LINE_DOCUMENT):
        described[:, column] = facts[chosen, column]
    facts[chosen] = described
    changed[chosen] = True
    citations[chosen] = cut
    return Cleaned(lines, facts, copies.buffer, changed, citations)


def whole_lines(texts: TextBatch) -> Int64s:
    """The facts of texts each of which is one line, white space around it included."""
    facts = np.zeros((len(texts), facts_of.LINE_COLUMNS), np.int64)
    lines = texts.lines
    first = lines.offsets[:-1]
    filled = np.flatnonzero(np.diff(lines.offsets))
    facts[filled] = lines.facts[first[filled]]
    facts[:, facts_of.LINE_START], facts[:, facts_of.LINE_STOP] = texts.bounds[:-1], texts.bounds[1:]
    facts[:, facts_of.LINE_SENTENCES] = texts.sentences
    ends = facts_of.LINE_ENDS_3_DOTS | 0xFF << facts_of.LAST_BYTE_SHIFT
    stripped = np.zeros(len(texts), np.bool_)
    stripped[filled] = lines.facts[first[filled], facts_of.LINE_STOP] == texts.bounds[1:][filled]
    facts[~stripped, facts_of.LINE_MARKS] &= ~ends
    return facts


def joined_lines(
    texts: TextBatch,
    cleaned: Cleaned,
    kept: npt.NDArray[np.bool_],
    rewritten: npt.NDArray[np.bool_],
    rows: Int64s,
) -> pa.Array:
    r"""The texts of `rows`: those of `rewritten` rows made of their kept lines joined by `\n`, the others as they are."""
    document = cleaned.facts[:, facts_of.LINE_DOCUMENT]
    wanted = np.zeros(len(texts), np.bool_)
    wanted[rows] = True
    parts = np.flatnonzero(kept & rewritten[document] & wanted[document])
    spans = np.ascontiguousarray(cleaned.facts[parts, facts_of.LINE_START : facts_of.LINE_STOP + 1])
    whole = np.flatnonzero(~rewritten & wanted)  # a document that stays as it is, is one part: itself
    spans = np.concatenate([spans, np.stack([texts.bounds[whole], texts.bounds[whole + 1]], axis=1)])
    owner = np.concatenate([document[parts], whole])
    order = np.argsort(owner, kind="stable")
    counts = np.bincount(owner, minlength=len(texts))[rows]
    changed = np.concatenate([cleaned.changed[parts], np.zeros(len(whole), np.bool_)]).astype(np.uint8)
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return assemble(texts.buffer, cleaned.buffer, spans[order], changed[order], first, ~rewritten[rows])


def assemble(
    first: Bytes, second: Bytes, spans: Int64s, changed: Bytes, offsets: Int64s, as_it_is: npt.NDArray[np.bool_]
) -> pa.Array:
    """A column of strings of spans of two buffers, see the kernel `join_lines`; those `as_it_is` are not stripped."""
    room = int((spans[:, 1] - spans[:, 0] + 1).sum()) + PADDING
    out, bounds = np.empty(room, np.uint8), np.zeros(len(offsets), np.int64)
    join_lines(first, second, spans, changed, offsets, as_it_is.astype(np.uint8), out, bounds)
    return pa.Array.from_buffers(
        pa.large_string(), len(offsets) - 1, [None, pa.py_buffer(bounds), pa.py_buffer(out[: bounds[-1]])]
    )
