"""A user's own blocks on datatrove's base classes, found by dotted path."""

from __future__ import annotations

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.extractors.base import BaseExtractor
from datatrove.pipeline.filters.base_filter import BaseFilter


class InBatches(BaseFilter):
    """Judges batches by length, rewrites what it keeps, and says how long it was."""

    name = "in batches"

    def __init__(self, most: int = 10, batch_size: int = 3) -> None:
        super().__init__(batch_size=batch_size)
        self.most = most

    def filter(self, doc: Document) -> bool:
        raise AssertionError("filter_batch stands in its place")

    def filter_batch(self, batch: list[Document]) -> list[bool | tuple[bool, str]]:
        assert len(batch) <= self.batch_size
        for doc in batch:
            if doc.text == "raise":
                raise RuntimeError(doc.text)
            doc.metadata |= {"length": len(doc.text), "title": "none", "even": len(doc.text) % 2 == 0}
            doc.text = doc.text.upper()
        return [(False, "long") if len(doc.text) > self.most else True for doc in batch]


class Unbracketed(BaseExtractor):
    """Takes tags out."""

    def __init__(self) -> None:
        super().__init__()

    def extract(self, text: str) -> str:
        return text.replace("<p>", "")


class NoText(BaseFilter):
    """Gives no text."""

    def filter(self, doc: Document) -> bool:
        doc.text = None
        return True


class Reader(PipelineStep):
    """Neither filter nor formatter."""


def is_short(doc: Document) -> bool:
    return len(doc.text) < 10


NUMBER = 5
