"""Our words against spaCy's on all real text at hand: every distinct chunk by itself, and whole documents.

Oracle: the tokenizer of `spacy.blank("en")`. A token `IS_ALPHA` is left out: it makes spaCy stumble, see docs/decisions.md.
"""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.text.columns import batch_of
from curation.text.segmentation import Text

spacy = pytest.importorskip("spacy")
FOLDERS = ("data/text", "data/eval", "data/dedup", "data/pii", "bench")
OPENERS = {".gz": gzip.open, ".xz": lzma.open}
SUFFIXES = (".json", ".jsonl", ".txt", ".train")


def strings_of(value: Any) -> Iterator[str]:
    """All strings in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings_of(part)


def texts_of(path: Path) -> Iterator[str]:
    """A file's texts: the strings in its JSON lines, or the whole of it."""
    content = OPENERS.get(path.suffix, open)(path, "rb").read().decode("utf-8", "replace")
    if ".json" not in path.name:
        yield content
        return
    try:
        yield from strings_of([json.loads(line) for line in content.split("\n") if line.strip()])
    except ValueError:
        yield from strings_of(json.loads(content))


@pytest.fixture(scope="module")
def real_texts(shared: Path) -> list[str]:
    files = [path for folder in FOLDERS for path in sorted((shared / folder).rglob("*")) if path.is_file()]
    chosen = [path for path in files if any(suffix in path.name for suffix in SUFFIXES) and "golden" not in path.name]
    return [text for path in chosen for text in texts_of(path)]


def test_every_distinct_chunk(real_texts: list[str]) -> None:
    tokenizer = spacy.blank("en").tokenizer
    chunks = sorted({chunk for text in real_texts for chunk in text.split()} - {"IS_ALPHA"})
    chunks = [chunk for chunk in chunks if len(chunk) < 2_000]  # spaCy is quadratic in the length of a chunk
    batch = batch_of(chunks)
    begins = np.concatenate([[0], np.cumsum((batch.buffer[: batch.bounds[-1]] & 0xC0) != 0x80)])
    ours: list[list[int]] = []
    for starts, stops, offsets in batch.word_spans():
        sizes = (begins[stops] - begins[starts]).tolist()
        ours += [sizes[first:stop] for first, stop in zip(offsets[:-1], offsets[1:], strict=True)]
    assert len(chunks) > 200_000
    assert [
        (chunk, sizes)
        for chunk, sizes in zip(chunks, ours, strict=True)
        if sizes != [len(token) for token in tokenizer(chunk)]
    ] == []


def test_whole_documents(real_texts: list[str]) -> None:
    tokenizer = spacy.blank("en").tokenizer
    documents = [text for text in real_texts if len(text) > 1_000 and "IS_ALPHA" not in text][::7]
    documents = [text for text in documents if max(map(len, text.split()), default=0) < 2_000]
    assert len(documents) > 400
    for text in documents:
        expected = [word for token in tokenizer(text) if (word := token.text.strip())]
        assert Text(text).words == expected
