"""Both passes as one, where nothing lies between them: no deduplication, no repeated spans, a tokenizer that is given.

    records ─► steps of the recipe ─► fates, documents (unless the recipe leaves them out), tokens (a sorted run)

Text is read once and written at most once, and a unit is one split. What comes of it is, file by file, what two passes over
the same units give; only the fit of the tokenizer is not measured, for which documents would have to be read once more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors import storage
from curation.pipeline.finish import Finishing, FinishPass
from curation.pipeline.refine import SURVIVORS, Refinement, RefinePass
from curation.pipeline.segments import Values
from curation.pipeline.units import Unit
from curation.recipes.tokenize import TRAIN
from curation.run import ledger
from curation.run.documents import MEASURE
from curation.run.receipt import Receipt, valid_receipt
from curation.run.split import Split


def is_one_pass(recipe: Mapping[str, Any]) -> bool:
    """Whether a recipe, in its resolved form, is done in one pass. Those of earlier versions never were."""
    tokenize = recipe.get("tokenize") or {}
    between = recipe.get("dedup") or recipe.get("repeated") or tokenize.get("tokenizer", TRAIN) == TRAIN
    return "documents" in recipe and not between


def units_of_splits(splits: Sequence[Split]) -> list[Unit]:
    """A unit for each split, numbered within its source."""
    units: list[Unit] = []
    numbers = Counter[str]()
    for split in splits:
        units.append(Unit(f"{split.source}/{numbers[split.source]:05d}", split.source, (split.name,), split.size))
        numbers[split.source] += 1
    return units


@dataclass(frozen=True)
class OnePass:
    """A task for an engine: a split and its unit in, the receipts of both passes out. What has both is not done again."""

    refine: RefinePass
    finish: FinishPass

    def __call__(self, item: tuple[Split, Unit]) -> tuple[Receipt, Receipt]:
        split, unit = item
        run, plan = self.refine.run, self.refine.plan
        places = [run.uri(run.receipt("refine", split.name)), run.uri(run.receipt("finish", unit.name))]
        refined, finished = (valid_receipt(place, run.root, plan) for place in places)
        if refined is None or finished is None:
            refined, finished = self._work(split, unit)
            for place, receipt in zip(places, (refined, finished), strict=True):
                storage.write_bytes(place, receipt.to_json())
        return refined, finished

    def _work(self, split: Split, unit: Unit) -> tuple[Receipt, Receipt]:
        finishing = Finishing(self.finish, unit)
        settings = self.finish.recipe.tokenize
        buckets = settings.groups.quality if settings else None
        measure = MEASURE + buckets.measure if buckets else ""
        finishing.quality = Measured(measure) if measure else None

        def take(batch: pa.RecordBatch) -> None:
            survivors = ledger.conform(batch, SURVIVORS)
            if measure in batch.schema.names:
                survivors = survivors.append_column(measure, batch.column(measure))
            finishing.take(survivors, [None] * batch.num_rows)

        with finishing.opened():
            refined = Refinement(self.refine, split, take).work()
        return refined, finishing.receipt(refined.facts["text_bytes"])


@dataclass(frozen=True)
class Measured:
    """A measure as the steps put it into the batch."""

    column: str

    def __call__(self, batch: pa.RecordBatch) -> Values:
        """The values, NaN where a document was not measured."""
        index = batch.schema.get_field_index(self.column)
        column = batch.column(index) if index >= 0 else pa.nulls(batch.num_rows, pa.float64())
        values: Values = pc.fill_null(column, float("nan")).to_numpy(zero_copy_only=False)
        return values
