"""A page block by block: what the engine `fast` thinks of each, and what the page says of itself. Redacted as the recipe has it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from curation.extract import Extract, charset
from curation.redact import Redact
from curation.redact.gates import Kind
from curation.run.documents import META, TEXT

MAX_BLOCKS = 20_000  # that a trial has


@dataclass(frozen=True, slots=True)
class BlockTrial:
    """A run of text between block-level boundaries: the probability that it is main text, and whether it was taken."""

    text: str
    chance: float
    kept: bool


@dataclass(frozen=True, slots=True)
class PageTrial:
    """A page as the engine sees it.

    blocks        in the order of the page, the first `MAX_BLOCKS`
    all_blocks    how many there are
    kept_blocks   how many of those were taken
    expected_f1   what the engine expects of its choice, 0 to 1
    metadata      title, author, date, …, as `extract: {metadata: true}` has them, by name
    """

    blocks: tuple[BlockTrial, ...]
    all_blocks: int
    kept_blocks: int
    expected_f1: float
    metadata: dict[str, Any]


def try_page(step: Extract | None, redacted: Sequence[Kind], content: bytes, url: str) -> PageTrial | None:
    """The page's trial; None where another engine extracts, or the page is not extracted at all."""
    if step is None or step.engine != "fast" or len(content) > step.max_page_bytes:
        return None
    html = charset.to_utf8(content, "")
    if html is None:
        return None
    from curation.extract.fast_engine import judged  # whose kernels other engines do without

    found = judged(html, replace(step.output, metadata=True), url)
    known = found.page.known() if found.page else {}
    texts, meta = _redacted(list(map(charset.clean, found.texts[:MAX_BLOCKS])), json.dumps(known), redacted)
    blocks = zip(texts, found.chances.tolist(), found.kept.tolist())
    return PageTrial(
        blocks=tuple(BlockTrial(text, round(chance, 4), kept) for text, chance, kept in blocks),
        all_blocks=len(found.texts),
        kept_blocks=int(found.kept.sum()),
        expected_f1=round(found.expected_f1, 4),
        metadata=json.loads(meta) if meta else {},
    )


def _redacted(texts: list[str], meta: str, kinds: Sequence[Kind]) -> tuple[list[str], str]:
    """Texts and metadata without personal data of these kinds; what cannot be redacted is empty."""
    if not kinds:
        return texts, meta
    step = Redact(kinds=list(kinds))
    shown = step(pa.RecordBatch.from_pydict({TEXT: [*texts, ""], META: [""] * len(texts) + [meta]}))
    return shown.column(TEXT).to_pylist()[:-1], str(shown.column(META)[-1])
