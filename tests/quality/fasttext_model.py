"""A small fastText classifier, written byte by byte, and its scores in plain Python: the oracle for the step.

Format and computation are those of fastText 0.9.2: args.cc, dictionary.cc, densematrix.cc, model.cc, loss.cc.
"""

from __future__ import annotations

import math
import re
import struct
from pathlib import Path

WORDS = ["</s>", "the", "report", "of", "cheap", "shoes", "naïve", "中文", "x"]
LABELS = ["__label__hq", "__label__cc"]
DIMENSION, BUCKETS, SMALLEST, LARGEST = 4, 50, 2, 3
MASK = (1 << 64) - 1


def weight(row: int, column: int, salt: int) -> float:
    """A number between -1 and 1 that float32 holds."""
    return (((row * 7919 + column * 104729 + salt * 31) * 2654435761 >> 7) % 2001 - 1000) / 1024


INPUT = [[weight(r, c, 1) for c in range(DIMENSION)] for r in range(len(WORDS) + BUCKETS)]
OUTPUT = [[weight(r, c, 2) for c in range(DIMENSION)] for r in range(len(LABELS))]


def write(path: Path, kind: int = 3) -> Path:
    """Writes the model: `kind` 3 is a classifier with softmax, 1 word vectors."""
    arguments = (DIMENSION, 5, 5, 1, 5, 2, 3, kind, BUCKETS, SMALLEST, LARGEST, 100)
    content = struct.pack("<2i12id", 793712314, 12, *arguments, 1e-4)
    content += struct.pack("<3i2q", len(WORDS) + len(LABELS), len(WORDS), len(LABELS), 100, -1)
    for entries, kind_of_entry in ((WORDS, 0), (LABELS, 1)):
        for entry in entries:
            content += entry.encode() + b"\0" + struct.pack("<qb", 10, kind_of_entry)
    for matrix in (INPUT, OUTPUT):
        content += b"\0" + struct.pack("<2q", len(matrix), DIMENSION)
        content += b"".join(struct.pack(f"<{DIMENSION}f", *row) for row in matrix)
    path.write_bytes(content)
    return path


def hashed(piece: bytes) -> int:
    """32-bit FNV-1a over signed bytes."""
    value = 2166136261
    for byte in piece:
        value = ((value ^ (byte - 256 if byte > 127 else byte)) & 0xFFFFFFFF) * 16777619 & 0xFFFFFFFF
    return value


def signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def rows_of(line: str) -> list[int]:
    """The rows of the input matrix that a line sums: words, their character n-grams, pairs of neighbours."""
    tokens = [token for token in re.split("[ \n\r\t\v\f\0]+", line) if token] + ["</s>"]
    rows, hashes = [], []
    for token in tokens:
        if token in LABELS or (token not in WORDS and token.startswith("__label__")):
            continue
        hashes.append(signed(hashed(token.encode())))
        if token in WORDS:
            rows.append(WORDS.index(token))
        if token != "</s>":
            whole = f"<{token}>"
            for start in range(len(whole)):
                for stop in range(start + 1, min(start + LARGEST, len(whole)) + 1):
                    if stop - start >= SMALLEST:
                        rows.append(len(WORDS) + hashed(whole[start:stop].encode()) % BUCKETS)
        if token == "</s>":
            break
    for first, second in zip(hashes, hashes[1:]):
        rows.append(len(WORDS) + ((first & MASK) * 116049371 + (second & MASK) & MASK) % BUCKETS)
    return rows


def scores(line: str) -> dict[str, float]:
    """The probability of each label as fastText reports it: with 0.00001 on top."""
    rows = rows_of(line)
    hidden = [math.fsum(INPUT[row][c] for row in rows) / len(rows) for c in range(DIMENSION)]
    sums = [math.fsum(w * h for w, h in zip(row, hidden)) for row in OUTPUT]
    total = math.fsum(map(math.exp, sums))
    return {label: math.exp(value) / total + 1e-5 for label, value in zip(LABELS, sums)}
