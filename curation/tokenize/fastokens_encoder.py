"""The `fastokens` library: byte-level and byte-fallback BPE some thirty times as fast as the reference encoders.

It reads what they read, and is nothing by itself: `fast` holds it to the reference's ids.
"""

from __future__ import annotations

import base64
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from connectors.text_columns import bounds_and_bytes
from curation.tokenize.characters import States
from curation.tokenize.huggingface import HuggingFaceTokenizer
from curation.tokenize.kernels.encoding import PROVEN, are_all
from curation.tokenize.tiktoken_ranks import CL100K_PATTERN, GPT2_PATTERN, TiktokenTokenizer
from curation.tokenize.tokenizer import Lengths, Tokens

LOGGER = logging.getLogger(__name__)
POOL = "RAYON_NUM_THREADS"

# The same splits as models publish them. The library knows these by their letters and has code for them; any other form
# goes through PCRE2, at a quarter of the speed.
PUBLISHED = {
    GPT2_PATTERN: r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    CL100K_PATTERN: r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+",
}


class FastokensEncoder:
    """One of the library's tokenizers, given texts as ordinary text: spelled special tokens too.

    `encode` (see `Encoder`) gives up on a text that the library gives up on.
    """

    def __init__(self, library_tokenizer: Any) -> None:
        self._tokenizer = library_tokenizer

    def encode(self, texts: pa.Array, proven: States | None = None) -> tuple[Tokens, Lengths]:
        bounds, data = bounds_and_bytes(texts)
        if proven is not None and not are_all(data[bounds[0] : bounds[-1]], proven, PROVEN):
            raise ValueError("a text has a character that is not proven")
        try:
            ids, offsets = self._tokenizer.encode_batch_flat(texts.to_pylist(), split_special_tokens=True)
        except BaseException as error:
            if not _is_the_librarys(error):
                raise
            raise ValueError("fastokens can't encode a text") from None
        stops = np.frombuffer(offsets, "<u8").astype(np.int64)
        return np.frombuffer(ids, np.int32), stops[1:] - stops[:-1]


def open_fastokens(reference: HuggingFaceTokenizer | TiktokenTokenizer) -> FastokensEncoder | None:
    """The library on the reference's vocabulary; None where it is not installed or can't read such a one."""
    try:
        import fastokens  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        LOGGER.info("fastokens is not installed: '%s' encodes with its own library", reference.name)
        return None
    with _one_thread():
        try:
            if isinstance(reference, TiktokenTokenizer):
                tokenizer = _from_ranks(fastokens, reference.ranks, reference.pattern, reference.special)
            else:
                tokenizer = fastokens.Tokenizer.from_json_str(reference.to_json())
            encoder = FastokensEncoder(tokenizer)
            encoder.encode(pa.array(["a"]))  # the library starts its threads at the first call
        except BaseException as error:  # WordPiece, Unigram, a normalizer or pattern that it does not know
            if not _is_the_librarys(error):
                raise
            LOGGER.info("fastokens can't read '%s': it encodes with its own library", reference.name)
            return None
    return encoder


def _is_the_librarys(error: BaseException) -> bool:
    """Whether the library raised it, not the user's interrupt. A panic of Rust's is no Exception in Python."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def _from_ranks(fastokens: Any, ranks: Mapping[bytes, int], pattern: str, special: Mapping[str, int]) -> Any:
    """From tiktoken's ranks, which the library takes as a file only."""
    lines = [b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in ranks.items()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ranks.tiktoken"
        path.write_bytes(b"".join(lines))
        published = PUBLISHED.get(pattern, pattern)
        return fastokens.Tokenizer.from_tiktoken(str(path), pattern=published, special_tokens=dict(special))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Threads that the library starts inside are one, unless the user's environment asks for more.

    Workers are processes. The variable is read once, when the threads start, and is not left to other libraries.
    """
    asked = os.environ.get("TOKENIZERS_PARALLELISM", "false").lower() not in ("false", "0", "off", "no", "f", "n", "")
    if asked or POOL in os.environ:
        yield
        return
    os.environ[POOL] = "1"
    try:
        yield
    finally:
        del os.environ[POOL]
