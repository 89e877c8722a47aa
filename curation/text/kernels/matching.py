"""Which rows of an earlier batch of texts a later one has kept."""

from __future__ import annotations

from curation.text.kernels.compiling import Bytes, Int64s, entry
from curation.text.kernels.primitives import same_bytes


@entry
def match_rows(old: Bytes, old_bounds: Int64s, new: Bytes, new_bounds: Int64s, rows: Int64s) -> bool:
    """Whether the new texts are some of the old ones, in their order; fills in which, int64[new texts]."""
    row = 0
    for document in range(len(new_bounds) - 1):
        start, size = new_bounds[document], new_bounds[document + 1] - new_bounds[document]
        while True:
            if row >= len(old_bounds) - 1:
                return False
            old_start = old_bounds[row]
            row += 1
            if old_bounds[row] - old_start == size and same_bytes(old, old_start, new, start, size):
                rows[document] = row - 1
                break
    return True
