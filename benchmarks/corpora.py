"""The documents that benchmarks run on: a file of the user's, or texts composed by the sample's grammar."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from connectors.errors import UserError
from curation.sample.populations import compose

COMPOSED = 2_000


def documents(path: str) -> list[str]:
    """The texts of a JSONL file (`text` in each line, also with .gz), or of the composed crawl where no file is named."""
    if not path:
        pages = [compose(1, number)[1] for number in range(COMPOSED)]
        return [page.text.main_text for page in pages if page.text is not None]
    if not Path(path).is_file():
        raise UserError(f"No such file: '{path}'. Name a JSONL file with a text in each line")
    with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as lines:
        return [json.loads(line)["text"] for line in lines]


def megabytes(texts: list[str]) -> float:
    """Bytes of all texts in UTF-8, by a million."""
    return sum(len(text.encode()) for text in texts) / 1e6
