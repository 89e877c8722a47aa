"""The real tokenizers of the test data, unpacked."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True, scope="session")
def packages() -> None:
    """The extra `tokenizers`."""
    pytest.importorskip("tiktoken")
    pytest.importorskip("sentencepiece")


@pytest.fixture(scope="session")
def tokenizers_folder(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `data/tokenizers` of the test data with every file unpacked."""
    packed, folder = shared / "data" / "tokenizers", tmp_path_factory.mktemp("tokenizers")
    for path in sorted(packed.rglob("*.xz")):
        target = folder / path.relative_to(packed).with_suffix("")
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(lzma.decompress(path.read_bytes()))
    return folder


@pytest.fixture(scope="session")
def vectors(tokenizers_folder: Path) -> dict[str, Any]:
    """`texts`: 594 texts; and for each of 11 tokenizers the ids of each text."""
    with open(tokenizers_folder / "vectors.jsonl", encoding="utf-8") as file:
        first, *rest = map(json.loads, file)
    return first | {row["tokenizer"]: row["ids"] for row in rest}


@pytest.fixture(scope="session")
def novel(shared: Path) -> str:
    """Alice's Adventures in Wonderland, 144,395 characters."""
    return lzma.decompress((shared / "data/text/novels/carroll-alice.txt.xz").read_bytes()).decode()
