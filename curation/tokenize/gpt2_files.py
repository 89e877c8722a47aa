"""GPT-2 style byte-level BPE in two files: `vocab.json` (token to id) and `merges.txt` (pairs, most urgent first)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from connectors.errors import UserError
from curation.tokenize.huggingface import HuggingFaceTokenizer, library


def from_vocabulary_and_merges(folder: Path, name: str, end_of_document: str | None) -> HuggingFaceTokenizer:
    """Open the folder's vocab.json and merges.txt, with GPT-2's split pattern and no normalization."""
    content = (folder / "vocab.json").read_bytes(), (folder / "merges.txt").read_bytes()
    tokenizers = library()
    try:
        vocabulary, merges = json.loads(content[0]), parse_merges(content[1])
        pipeline = tokenizers.Tokenizer(tokenizers.models.BPE(vocabulary, merges))
    except Exception:  # the library raises bare Exception
        raise UserError(f"'{folder}': vocab.json and merges.txt are not those of one byte-level BPE.") from None
    pipeline.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    pipeline.decoder = tokenizers.decoders.ByteLevel()
    return HuggingFaceTokenizer(pipeline, name, digest(*content), end_of_document)


def parse_merges(content: bytes) -> list[tuple[str, str]]:
    """The pairs of a merges.txt, one a line, parted by a space; a first line `#version: …` is none."""
    lines = content.decode().split("\n")
    pairs = [tuple(line.rstrip("\r").split(" ")) for line in lines if line.strip() and not line.startswith("#version")]
    return [(left, right) for left, right in pairs]


def digest(vocab_json: bytes, merges_txt: bytes) -> str:
    """SHA-256 of what both files say, whatever the order of keys and white space of the JSON."""
    canonical = json.dumps(
        [json.loads(vocab_json), parse_merges(merges_txt)], sort_keys=True, separators=(",", ":"), ensure_ascii=True
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def byte_ranks(merges_txt: bytes) -> dict[bytes, int]:
    """The merges as ranks of byte strings, which is how tiktoken takes them: 256 bytes, then one token a merge.

    GPT-2 writes a byte as a printable character: itself where Latin-1 has it printable, else the next one from U+0100.
    """
    printable = [byte for byte in range(256) if chr(byte).isprintable() and chr(byte) != " "]
    rest = [byte for byte in range(256) if byte not in printable]
    byte_of = {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(rest)}
    ranks = {bytes([byte]): rank for rank, byte in enumerate(printable + rest)}
    for left, right in parse_merges(merges_txt):
        ranks[bytes(byte_of[character] for character in left + right)] = len(ranks)
    return ranks
