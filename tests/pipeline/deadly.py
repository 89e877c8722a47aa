"""Steps of a user's own, by dotted path, that do what no step should."""

from __future__ import annotations

import os

import pyarrow as pa
from pydantic.dataclasses import dataclass

from curation.run.documents import STRICT, URL


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DiesOfPages:
    """Takes its whole worker with it when it meets one of the pages."""

    name: str = "dies_of_pages"
    urls: tuple[str, ...]

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if set(self.urls) & set(batch.column(URL).to_pylist()):
            os._exit(1)
        return batch
