"""A Merkle tree over the files of a run: one hash that stands for every byte of it, and short proofs that a file is part of it.

The tree of RFC 6962 (Certificate Transparency), section 2.1, with SHA-256, over the manifest's files in the order of their
paths. A leaf and a node are hashed with another first byte, so that neither can be passed off as the other:

    leaf    SHA-256 of 0x00 and the line `SHA256 BYTES PATH` in UTF-8: the file's hash in hex, its size, its path in the run
    node    SHA-256 of 0x01, the left and the right child, 32 bytes each
    split   the left child takes the largest power of two of leaves that is smaller than their number
    empty   SHA-256 of nothing
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors.storage import Written


@dataclass(frozen=True, slots=True)
class Sibling:
    """A step of a proof: the hash beside the one that is at hand, and whether it stands to its left."""

    is_left: bool
    hash: bytes


def merkle_root(files: Mapping[str, Written]) -> str:
    """The root over files by path, 64 hex digits."""
    return _root([leaf(path, files[path]) for path in sorted(files)]).hex()


def inclusion_proof(files: Mapping[str, Written], path: str) -> list[Sibling]:
    """What leads from a file's leaf to the root, from below: about log2 of the number of files. KeyError where it is none."""
    paths = sorted(files)
    if path not in files:
        raise KeyError(path)
    return _proof([leaf(each, files[each]) for each in paths], paths.index(path))


def proven_root(path: str, written: Written, proof: Sequence[Sibling]) -> str:
    """The root that a proof leads to from a file: it needs nothing of the run but that file."""
    found = leaf(path, written)
    for sibling in proof:
        found = node(sibling.hash, found) if sibling.is_left else node(found, sibling.hash)
    return found.hex()


def leaf(path: str, written: Written) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + f"{written.sha256} {written.bytes} {path}".encode()).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of a node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def _root(leaves: Sequence[bytes]) -> bytes:
    """The levels of the RFC's tree, from below: where a level has an odd number of nodes, the last one goes up as it is."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        level = _above(level)
    return level[0]


def _above(level: list[bytes]) -> list[bytes]:
    paired = [node(left, right) for left, right in zip(level[::2], level[1::2])]
    return paired + level[len(level) & ~1 :]


def _proof(leaves: Sequence[bytes], place: int) -> list[Sibling]:
    level, proof = list(leaves), list[Sibling]()
    while len(level) > 1:
        if place ^ 1 < len(level):
            proof.append(Sibling(bool(place & 1), level[place ^ 1]))
        level, place = _above(level), place // 2
    return proof
