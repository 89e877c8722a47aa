"""datatrove as the peer that speeds are compared with: its filters and signatures, called as its blocks call them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from connectors.errors import missing_extra

Decision = tuple[str | None, ...]


class Peer:
    """datatrove's four filters of FineWeb with their defaults, and its MinHash signatures."""

    def __init__(self) -> None:
        try:
            from datatrove.data import Document
            from datatrove.pipeline import filters
            from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
        except ImportError:
            raise missing_extra("datatrove", "parity") from None
        from loguru import logger

        logger.disable("datatrove")
        self._document = Document
        # In the order that suits it best: it keeps the words of the last five texts, and C4 asks for those of every line.
        self._filters = {
            "gopher_repetition": filters.GopherRepetitionFilter(),
            "gopher_quality": filters.GopherQualityFilter(),
            "fineweb": filters.FineWebQualityFilter(),
            "c4": filters.C4QualityFilter(),
        }
        self._minhash = MinhashDedupSignature(tempfile.mkdtemp(), MinhashConfig())

    def decide(self, text: str) -> Decision:
        """The reason of each filter, None where it keeps the text, and the text that C4 leaves, None if it removes it."""
        reasons: list[str | None] = []
        for name, judge in self._filters.items():
            document: Any = self._document(text=text, id="")
            outcome = judge.filter(document)
            reasons.append(outcome[1] if isinstance(outcome, tuple) else None)
            if name == "c4":
                reasons.append(document.text if reasons[-1] is None else None)
        return tuple(reasons)

    def chain(self, text: str) -> str | None:
        """Filters one after another until one removes the text, each on what the one before left, then the signature.

        The text that is left, None if it was removed.
        """
        document: Any = self._document(text=text, id="")
        for judge in self._filters.values():
            if judge.filter(document) is not True:
                return None
        self.signature(document.text)
        left: str = document.text
        return left

    def tokenize(self, texts: Sequence[str], tokenizer: str, end: str) -> int:
        """Writes the tokens of the texts as datatrove does; gives their number, one for the end of each text included."""
        from datatrove.pipeline.tokens import DocumentTokenizer

        with tempfile.TemporaryDirectory() as folder:
            step = DocumentTokenizer(
                folder,
                tokenizer_name_or_path=tokenizer,
                eos_token=end,
                shuffle_documents=False,
                max_tokens_per_file=None,
            )
            step.run([self._document(text=text, id=str(number)) for number, text in enumerate(texts)])
            return sum(path.stat().st_size for path in Path(folder).glob("*.ds")) // step.token_size

    def signature(self, text: str) -> bytes | None:
        """The 112 values, None for a text that has no signature."""
        shingles = self._minhash.get_shingles(text)
        if not shingles.size:
            return None
        return np.array(self._minhash.get_signature(shingles), "<u8").tobytes()
