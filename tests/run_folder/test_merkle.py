"""The Merkle tree against RFC 6962: its own recursion, and the test vectors of Certificate Transparency."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.storage import Written
from curation.run.merkle import Sibling, inclusion_proof, leaf, merkle_root, node, proven_root

paths = st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=40, unique=True)


def files_of(names: Sequence[str]) -> dict[str, Written]:
    return {name: Written(len(name), hashlib.sha256(name.encode()).hexdigest()) for name in names}


def by_the_rfc(leaves: list[bytes]) -> bytes:
    """Section 2.1: k is the largest power of two smaller than n."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + by_the_rfc(leaves[:k]) + by_the_rfc(leaves[k:])).digest()


@given(paths)
def test_the_root_is_that_of_the_rfc(names: list[str]) -> None:
    files = files_of(names)
    assert merkle_root(files) == by_the_rfc([leaf(name, files[name]) for name in sorted(names)]).hex()
    assert merkle_root(dict(reversed(files.items()))) == merkle_root(files)


def test_a_root_that_can_be_made_with_any_tool() -> None:
    """Oracle: hashlib, by the definition in words."""
    files = {"b": Written(1, "00" * 32), "a": Written(2, "ff" * 32)}
    first = hashlib.sha256(b"\x00" + f"{'ff' * 32} 2 a".encode()).digest()
    second = hashlib.sha256(b"\x00" + f"{'00' * 32} 1 b".encode()).digest()
    assert merkle_root(files) == hashlib.sha256(b"\x01" + first + second).hexdigest()
    assert merkle_root({}) == hashlib.sha256(b"").hexdigest()


@given(paths, st.data())
def test_every_file_is_proven_and_no_other(names: list[str], data: st.DataObject) -> None:
    files, name = files_of(names), data.draw(st.sampled_from(names))
    proof, root = inclusion_proof(files, name), merkle_root(files)
    assert len(proof) <= (len(names) - 1).bit_length()
    assert proven_root(name, files[name], proof) == root
    assert proven_root(name, Written(files[name].bytes + 1, files[name].sha256), proof) != root
    assert proven_root(name + "x", files[name], proof) != root
    if proof:
        turned = [Sibling(not proof[0].is_left, proof[0].hash), *proof[1:]]
        assert proven_root(name, files[name], turned) != root


def test_a_node_is_no_leaf() -> None:
    """Without the first byte, a file whose line is two hashes could stand for a node."""
    left, right = (hashlib.sha256(text).digest() for text in (b"l", b"r"))
    assert node(left, right) not in (
        hashlib.sha256(left + right).digest(),
        hashlib.sha256(b"\x00" + left + right).digest(),
    )


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        inclusion_proof(files_of(["a"]), "b")
