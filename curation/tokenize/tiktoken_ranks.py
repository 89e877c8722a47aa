"""tiktoken's vocabularies: a file of ranks; its hash tells what it does not say (split pattern, special tokens)."""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from connectors.errors import UserError, missing_extra
from curation.tokenize import gpt2_files
from curation.tokenize.tokenizer import Lengths, Tokens, end_of_document_name

END_OF_TEXT = "<|endoftext|>"

# A word, a number or a run of signs, each with one space before it; then white space, whose last character is left to
# the word that follows. Possessive quantifiers (`++`) mean the same here and never go back.
GPT2_PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"

# Numbers in threes, line ends with the signs before them, any sign before a word.
CL100K_PATTERN = "|".join(
    [
        r"'(?i:[sdmt]|ll|ve|re)",
        r"[^\r\n\p{L}\p{N}]?+\p{L}++",
        r"\p{N}{1,3}+",
        r" ?[^\s\p{L}\p{N}]++[\r\n]*+",
        r"\s++$",
        r"\s*[\r\n]",
        r"\s+(?!\S)",
        r"\s",
    ]
)

# As before, with words cut where lower case turns to upper case and contractions kept with their word.
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
O200K_PATTERN = "|".join(
    [
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_CONTRACTION}",
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_CONTRACTION}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)


@dataclass(frozen=True)
class Vocabulary:
    """What tiktoken knows of a vocabulary beside its ranks (tiktoken 0.14.0, tiktoken_ext/openai_public.py)."""

    name: str
    pattern: str
    special: Mapping[str, int] = field(hash=False)


GPT2 = Vocabulary("gpt2", GPT2_PATTERN, {END_OF_TEXT: 50256})

BY_SHA256 = {
    "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930": GPT2,  # r50k_base.tiktoken: GPT-2's ranks
    "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7": Vocabulary(
        "cl100k_base",
        CL100K_PATTERN,
        {
            END_OF_TEXT: 100257,
            "<|fim_prefix|>": 100258,
            "<|fim_middle|>": 100259,
            "<|fim_suffix|>": 100260,
            "<|endofprompt|>": 100276,
        },
    ),
    "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d": Vocabulary(
        "o200k_base", O200K_PATTERN, {END_OF_TEXT: 199999, "<|endofprompt|>": 200018}
    ),
}
GPT2_MERGES = "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"  # OpenAI's vocab.bpe
GPT2_VOCABULARY = "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783"  # OpenAI's encoder.json
NAMES = ("cl100k_base", "gpt2", "o200k_base")


class TiktokenTokenizer:
    """A `Tokenizer` on the `tiktoken` library."""

    def __init__(
        self, vocabulary: Vocabulary, ranks: dict[bytes, int], digest: str, end_of_document: str | None = None
    ) -> None:
        try:
            import tiktoken
        except ImportError:
            raise missing_extra("tiktoken", "tokenizers") from None
        end = end_of_document_name(vocabulary.special, end_of_document, vocabulary.name)
        self.name, self.digest = vocabulary.name, digest
        self.end_of_document = vocabulary.special[end]
        self.ranks, self.pattern, self.special = ranks, vocabulary.pattern, dict(vocabulary.special)
        self._encoding = tiktoken.Encoding(
            vocabulary.name,
            pat_str=vocabulary.pattern,
            mergeable_ranks=ranks,
            special_tokens=self.special,
        )
        self.vocabulary_size: int = self._encoding.n_vocab

    def encode_batch(self, strings: Sequence[str]) -> tuple[Tokens, Lengths]:
        encoded = [self._encode(string) for string in strings]
        lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
        return np.concatenate([np.zeros(0, np.int32), *encoded]), lengths

    def spellings(self) -> list[str]:
        """The text of every token, in the order of ids; bytes that are no UTF-8 as U+FFFD."""
        return [token.decode(errors="replace") for token in sorted(self.ranks, key=self.ranks.__getitem__)]

    def added_spellings(self) -> list[str]:
        """The text of the special tokens."""
        return list(self.special)

    def _encode(self, string: str) -> Tokens:
        try:
            ids: Tokens = self._encoding.encode_to_numpy(string, disallowed_special=()).astype(np.int32)
        except ValueError:  # a run of a million white-space characters is more than tiktoken's regex engine goes back
            return self._encode_by_pieces(string)
        return ids

    def _encode_by_pieces(self, string: str) -> Tokens:
        """The same ids, split by an engine without that limit: `regex`, which tiktoken itself brings along."""
        pieces = _compiled(self.pattern).finditer(string)
        ids = [self._encoding._encode_single_piece(piece.group()) for piece in pieces]
        return np.fromiter(chain.from_iterable(ids), dtype=np.int32)


@functools.cache
def _compiled(pattern: str) -> Any:
    import regex  # type: ignore[import-untyped,unused-ignore]

    return regex.compile(pattern)


def from_rank_file(path: Path, end_of_document: str | None) -> TiktokenTokenizer:
    """Open a `.tiktoken` file: on each line a token in base64 and its rank. Its hash tells which vocabulary it is."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    vocabulary = BY_SHA256.get(digest)
    if vocabulary is None:
        raise UserError(
            f"The split pattern of '{path}' is not known: its SHA-256 is none of {', '.join(NAMES)}. "
            "Give the tokenizer as a tokenizer.json, which holds its pattern."
        )
    pairs = (line.split() for line in content.splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    return TiktokenTokenizer(vocabulary, ranks, digest, end_of_document)


def from_name(name: str, end_of_document: str | None) -> TiktokenTokenizer:
    """Open one of `NAMES` from the folder where tiktoken keeps its downloads. Nothing is downloaded.

    The files there are known by their content: their names are hashes of addresses.
    """
    files = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in _cached_files()}
    for digest, vocabulary in BY_SHA256.items():
        if vocabulary.name == name and digest in files:
            return from_rank_file(files[digest], end_of_document)
    if name == GPT2.name and GPT2_MERGES in files and GPT2_VOCABULARY in files:
        merges = files[GPT2_MERGES].read_bytes()
        digest = gpt2_files.digest(files[GPT2_VOCABULARY].read_bytes(), merges)
        return TiktokenTokenizer(GPT2, gpt2_files.byte_ranks(merges), digest, end_of_document)
    raise UserError(
        f"The tokenizer '{name}' is not in tiktoken's cache on this machine, and nothing is downloaded: give the path "
        "of its files (tokenizer.json, or vocab.json with merges.txt, or a .tiktoken file)."
    )


def _cached_files() -> list[Path]:
    """Files in tiktoken's cache (tiktoken 0.14.0, load.py, `read_file_cached`), by name; none larger than 16 MB."""
    default = os.path.join(tempfile.gettempdir(), "data-gym-cache")
    named = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR", default))
    folder = Path(named)
    if not named or not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir()) if path.is_file() and path.stat().st_size < 16_000_000]
