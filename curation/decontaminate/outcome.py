"""What becomes of a batch's documents by what was found in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.decontaminate.cutting import characters_at, cut_spans
from curation.decontaminate.index import Index
from curation.decontaminate.items import EvaluationSet
from curation.decontaminate.matching import Found, Hits, hits_of, runs_of_items
from curation.decontaminate.ways import Action
from curation.run.documents import CONTAMINATION, CONTAMINATION_FIELDS, TEXT, with_column, with_removals
from curation.text.batch import TextBatch
from curation.text.kernels.compiling import Int64s

CONTAMINATED = "contaminated"
TOO_MANY_PIECES = "too_many_pieces"
NOTHING_LEFT = "nothing_left"
SPANS, CHARACTERS = "spans", "characters"
CONTAMINATION_TYPE = pa.list_(pa.struct(CONTAMINATION_FIELDS))


class Terms(NamedTuple):
    """What has to be found, `shares` being float64[sets], and what then is done; the keys are those of the step."""

    action: Action
    min_hits: int
    shares: npt.NDArray[np.float64]
    window: int
    min_piece: int
    max_pieces: int


class Outcome:
    """Verdicts, edits and the list of items for the rows of a batch; `take` is called for rows in which anything was found."""

    def __init__(self, terms: Terms, index: Index, sets: Sequence[EvaluationSet], texts: TextBatch, rows: int) -> None:
        self.terms, self.index, self.sets, self.texts = terms, index, sets, texts
        self.listed: dict[int, list[dict[str, object]]] = {}
        self.new_texts: dict[int, str] = {}
        self.edits = {kind: np.zeros(rows, np.int64) for kind in (SPANS, CHARACTERS)}
        self.deciding, self.values = np.full(rows, -1, np.int64), np.zeros(rows)
        self.endings: list[tuple[str, float]] = []  # reason and threshold, of `deciding`

    def take(self, row: int, found: Found) -> None:
        """Judges the document of a row by its runs."""
        hits = hits_of(found, self.index)
        shares = self.terms.shares[self.index.item_sets[hits.items]]
        needed = np.minimum(self.index.item_keys[hits.items], self.terms.min_hits)
        enough = (hits.ngrams >= needed) & (hits.covered >= shares)
        if not enough.any():
            return
        base, stop = self.texts.bounds[found.document], self.texts.bounds[found.document + 1]
        content = self.texts.buffer[base:stop].tobytes()
        hits = Hits(*(part[enough] for part in hits))
        self.listed[row] = self._rows(hits, characters_at(content, hits.starts - base))
        if self.terms.action == "remove":
            worst = int(hits.ngrams.argmax())
            share = float(shares[enough][worst])
            value = float(hits.covered[worst]) if share else float(hits.ngrams[worst])
            self._end(row, CONTAMINATED, value, share or float(needed[enough][worst]))
        elif self.terms.action == "cut":
            runs = runs_of_items(found, hits.items, self.index)
            edges = [characters_at(content, places[runs] - base) for places in (found.starts, found.stops)]
            self._cut(row, content.decode(), *edges)

    def _rows(self, hits: Hits, positions: Int64s) -> list[dict[str, object]]:
        columns = (hits.items.tolist(), hits.ngrams.tolist(), hits.covered.tolist(), positions.tolist())
        return [
            {
                "set": self.sets[self.index.item_sets[item]].name,
                "item": self.index.item_ids[item],
                "ngrams": ngrams,
                "covered": covered,
                "position": position,
            }
            for item, ngrams, covered, position in zip(*columns, strict=True)
        ]

    def _cut(self, row: int, text: str, starts: Int64s, stops: Int64s) -> None:
        cut = cut_spans(text, starts, stops, self.terms.window, self.terms.min_piece)
        if cut.pieces > self.terms.max_pieces:
            self._end(row, TOO_MANY_PIECES, cut.pieces, self.terms.max_pieces)
        elif not cut.text:
            self._end(row, NOTHING_LEFT, 0, self.terms.min_piece)
        else:
            self.new_texts[row] = cut.text
            self.edits[SPANS][row], self.edits[CHARACTERS][row] = cut.spans, cut.characters

    def _end(self, row: int, reason: str, value: float, threshold: float) -> None:
        if (reason, threshold) not in self.endings:
            self.endings.append((reason, threshold))
        self.deciding[row], self.values[row] = self.endings.index((reason, threshold)), value

    def written(self, batch: pa.RecordBatch, step: str) -> pa.RecordBatch:
        """The batch with all of it."""
        lists = [self.listed.get(row, []) for row in range(batch.num_rows)]
        batch = with_column(batch, CONTAMINATION, pa.array(lists, CONTAMINATION_TYPE))
        if self.new_texts:
            column = batch.column(TEXT)
            changed = np.zeros(batch.num_rows, np.bool_)
            changed[list(self.new_texts)] = True
            texts = pa.array([self.new_texts[row] for row in sorted(self.new_texts)], column.type)
            batch = with_column(batch, TEXT, pc.replace_with_mask(column, pa.array(changed), texts))
        edits = self.edits if self.terms.action == "cut" else {}
        reasons, thresholds = [reason for reason, _ in self.endings], [threshold for _, threshold in self.endings]
        named = {f"{step}.{kind}": counts for kind, counts in edits.items()}
        return with_removals(batch, step, self.deciding, reasons, self.values, thresholds, edits=named)
