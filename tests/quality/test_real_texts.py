"""Verdicts, reasons, texts that C4 leaves, and signatures of novels and web samples. Oracle: datatrove 0.10.1, as it runs.

CORPUSMILL_ALL_TEXTS=1 takes every piece of every text instead of one in eight.
"""

from __future__ import annotations

import gzip
import json
import lzma
import os
from pathlib import Path

import pytest

pytest.importorskip("datatrove")
from benchmarks.filters import batches, decisions, judge, steps
from benchmarks.minhash_signatures import sign
from benchmarks.peer import Peer

PIECE = 20_000  # characters
EVERY = 1 if os.environ.get("CORPUSMILL_ALL_TEXTS") else 8


@pytest.fixture(scope="module")
def texts(shared: Path) -> list[str]:
    """Novels in pieces, and the documents of the web samples."""
    found: list[str] = []
    for path in sorted((shared / "data/text/novels").glob("*.xz")):
        with lzma.open(path, "rt", encoding="utf-8", newline="") as file:
            book = file.read()
        found += [book[start : start + PIECE] for start in range(0, len(book), PIECE)]
    for path in sorted((shared / "data/text/web-samples").glob("*.json*")):
        opener = gzip.open if path.suffix == ".gz" else lzma.open
        for line in opener(path, "rt", encoding="utf-8", newline="\n"):
            row = json.loads(line)
            found += [row[name] for name in ("text", "raw_content", "content") if isinstance(row.get(name), str)]
    assert len(found) > 500
    return [text for text in found[::EVERY] if "IS_ALPHA" not in text]


def test_decisions_and_signatures(texts: list[str]) -> None:
    peer, given = Peer(), batches(texts)
    ours = decisions(judge(steps(), given))
    assert [text[:60] for text, own in zip(texts, ours, strict=True) if own != peer.decide(text)] == []
    signed = [
        row.astype("<u8").tobytes() if has else None
        for values, present in sign(given)
        for row, has in zip(values, present, strict=True)
    ]
    assert [text[:60] for text, own in zip(texts, signed, strict=True) if own != peer.signature(text)] == []
