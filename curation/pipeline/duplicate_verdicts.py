"""What the finish pass makes of the list of duplicates: verdicts for the ledger."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from curation.dedup.duplicates import EXACT, NEAR
from curation.pipeline.survivors import Match
from curation.run import ledger
from curation.run.documents import REASON, Verdict, with_columns, with_verdicts

ADDRESS = "address"
_MATCH = (
    pa.field(ledger.DUPLICATE_OF, pa.binary(16)),
    pa.field(ledger.SIMILARITY, pa.float32()),
    pa.field(ADDRESS, pa.string()),
    pa.field(ledger.JACCARD, pa.float32()),
)


def mark_duplicates(matches: Sequence[Match | None], threshold: float, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with the verdicts of deduplication: `url` for equal addresses, `exact` for equal texts, `minhash` for similar.

    A duplicate's value is its similarity with the document that is kept for it.
    """
    if not any(matches):
        batch = with_verdicts(batch, "dedup", [None] * len(matches))
        return with_columns(batch, {field.name: pa.nulls(len(matches), field.type) for field in _MATCH})
    batch = with_verdicts(batch, "dedup", [duplicate_verdict(match, threshold) for match in matches])
    columns = {
        ledger.DUPLICATE_OF: pa.array([match and match.kept for match in matches], pa.binary(16)),
        ledger.SIMILARITY: pa.array([match and match.similarity for match in matches], pa.float32()),
        ADDRESS: pa.array([match and match.address for match in matches], pa.string()),
        ledger.JACCARD: pa.array([match and match.jaccard for match in matches], pa.float32()),
    }
    return with_columns(batch, columns)


def measured_near(rows: pa.RecordBatch) -> pa.Array:
    """Which of the rows are near duplicates whose true similarity was measured."""
    return pc.and_(pc.equal(rows.column(REASON), NEAR), pc.is_valid(rows.column(ledger.JACCARD)))


def duplicate_verdict(match: Match | None, threshold: float) -> Verdict | None:
    """The verdict on a duplicate, None for a document that is none."""
    if match is None:
        return None
    thresholds = {NEAR: threshold, EXACT: 1.0}
    return Verdict("duplicate", match.reason, match.similarity, thresholds.get(match.reason))
