"""Our own encoder, for byte-level BPE whose pattern the kernels cut by: from the bytes of a column to ids, no string between.

It claims a `tokenizer.json` only where that says nothing else: no normalisation, no added tokens but special ones, no prefixes,
every byte a token. Like any other encoder it is nothing by itself: `fast` holds it to the reference's ids.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import numpy as np
import pyarrow as pa

from connectors.text_columns import bounds_and_bytes
from curation.text.kernels.compiling import Bytes
from curation.tokenize.byte_alphabet import CHARACTER
from curation.tokenize.character_classes import character_classes
from curation.tokenize.characters import CODE_POINTS, States
from curation.tokenize.huggingface import HuggingFaceTokenizer, uncollected
from curation.tokenize.kernels.byte_level import PADDING, encode_texts, new_group, new_known
from curation.tokenize.kernels.byte_pairs import MOST, Merges, new_merges, new_room
from curation.tokenize.kernels.pre_token_marks import new_marks
from curation.tokenize.split_patterns import PATTERNS
from curation.tokenize.tokenizer import Lengths, Tokens

LOGGER = logging.getLogger(__name__)
SLOTS = 1 << 19  # of pre-tokens that were met: 38 MB


class ByteLevelEncoder:
    """Some 40 MB a worker, and half a byte a byte of the longest text."""

    def __init__(self, merges: Merges, pattern: int, slots: int = SLOTS) -> None:
        """`pattern` is its kind for the kernels; `slots` a power of two."""
        self._merges, self._pattern = merges, pattern
        self._known, self._room, self._group = new_known(slots), new_room(), new_group()
        self._marks, self._longest = new_marks(0), 0
        self._unproven = np.zeros(CODE_POINTS, np.uint8)

    def encode(self, texts: pa.Array, proven: States | None = None) -> tuple[Tokens, Lengths]:
        """See `Encoder`. Gives up on a pre-token of more than 64 KiB."""
        given, data = bounds_and_bytes(texts)
        bounds = given.astype(np.int64)
        longest = int(np.diff(bounds).max(initial=0))
        if longest > self._longest:
            self._marks, self._longest = new_marks(longest), longest
        tokens, lengths = np.empty(int(bounds[-1] - bounds[0]) + 1, np.int32), np.empty(len(texts), np.int64)
        padded = int(np.searchsorted(bounds[1:], len(data) - PADDING, side="right"))  # texts with enough behind them
        self._encode(data, bounds[: padded + 1], proven, tokens, lengths[:padded])
        last = np.concatenate([data[bounds[padded] : bounds[-1]], np.zeros(PADDING, np.uint8)])
        first = int(lengths[:padded].sum())
        self._encode(last, bounds[padded:] - bounds[padded], proven, tokens[first:], lengths[padded:])
        return tokens[: int(lengths.sum())], lengths

    def _encode(self, data: Bytes, bounds: Lengths, proven: States | None, tokens: Tokens, lengths: Lengths) -> None:
        """Of texts with `PADDING` bytes behind them."""
        given = data.view()
        given.flags.writeable = False  # a kernel is compiled for arrays of one kind
        known = self._unproven if proven is None else proven
        if encode_texts(
            character_classes(), given, bounds, self._pattern, self._merges, self._known, self._room, self._marks,
            self._group, known, proven is not None, tokens, lengths,
        ):  # fmt: skip
            raise ValueError("a pre-token is too long, or has a character that is not proven")


@uncollected()
def open_byte_level(reference: HuggingFaceTokenizer) -> ByteLevelEncoder | None:
    """The encoder for a vocabulary; None where it is not such a one."""
    description = json.loads(reference.to_json())
    pattern = pattern_of(description)
    if pattern is None or not is_plain(description):
        LOGGER.info("'%s' is no plain byte-level BPE", reference.name)
        return None
    return ByteLevelEncoder(merges_of(description["model"]), pattern)


def pattern_of(description: dict[str, Any]) -> int | None:
    """The kind of the pattern that a tokenizer.json cuts by; None where it is none of ours, or not all that is done."""
    said = _comparable(description["pre_tokenizer"])
    for pattern in PATTERNS.values():
        if said == _comparable(json.loads(pattern.pre_tokenizer().__getstate__())):
            return pattern.kind
    return None


def _comparable(pre_tokenizer: Any) -> Any:
    """Without what changes no id: `trim_offsets` is of offsets."""
    if isinstance(pre_tokenizer, dict):
        return {key: _comparable(value) for key, value in pre_tokenizer.items() if key != "trim_offsets"}
    return list(map(_comparable, pre_tokenizer)) if isinstance(pre_tokenizer, list) else pre_tokenizer


def is_plain(description: dict[str, Any]) -> bool:
    """Whether bytes and merges are all that makes the tokens of a pre-token."""
    model = description["model"]
    oddities = ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback", "ignore_merges")
    return (
        description["normalizer"] is None
        and all(token["special"] for token in description["added_tokens"])
        and model["type"] == "BPE"
        and max(len(model["merges"]), max(model["vocab"].values())) < MOST
        and not any(model.get(oddity) for oddity in oddities)
        and all(character in model["vocab"] for character in CHARACTER.values())
    )


def merges_of(model: dict[str, Any]) -> Merges:
    """The merges of a byte-level BPE as kernels take them."""
    ids: dict[str, int] = model["vocab"]
    pairs = [pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"]]
    triples = np.array([(ids[left], ids[right], ids[left + right]) for left, right in pairs], np.uint64)
    return new_merges(triples.reshape(-1, 3), np.array([ids[CHARACTER[byte]] for byte in range(256)], np.int32))
