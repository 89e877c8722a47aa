"""What was erased from a run stays out of later ones: tombstones, and the step of the first pass that obeys them.

- `tombstones`  what a run remembers of what was erased, without the text or the address
- `likeness`    which of given texts a text is similar to, with none missed
- `step`        the step `Erased`, for `erased: [RUN]` in a recipe
"""

from __future__ import annotations

from curation.erased.step import Erased

__all__ = ["Erased"]
