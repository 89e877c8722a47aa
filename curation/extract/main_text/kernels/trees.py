"""Boosted trees over rows of numbers: how they are packed, and the walk, eight rows at a time.

A node is one word of 64 bits: from the lowest, 16 bits the left child, counted from the tree's first node (the right one follows
it), 16 bits the column, 32 bits the threshold. A leaf is its own left child and its threshold is infinite, so a walk may go on
below it. Numbers are compared as integers: the bits of a float32, turned so that they sort as the numbers do. Rows are turned
once, a tile of them at a time, and all trees pass over the tile while it is in the cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import intrinsic

from curation.extract.main_text.kernels.arithmetic import exponential
from curation.extract.main_text.kernels.measuring import Trees
from curation.text.kernels.compiling import Bytes, Int32s, inlined, kernel

GROUP = 8  # rows whose walks go on side by side: each waits for memory, and the others fill the gap
TILE = 32  # rows; a multiple of GROUP
_CHILD = np.uint64(0xFFFF)
_COLUMN_SHIFT, _THRESHOLD_SHIFT = np.uint64(16), np.uint64(32)
_ALL_BUT_SIGN = np.int32(0x7FFFFFFF)


Array = npt.NDArray[Any]


def ordered(values: Array) -> Array:
    """Integers that compare as the numbers do; minus zero counts as zero."""
    bits = (np.asarray(values, np.float32) + np.float32(0)).view(np.int32)
    return np.where(bits < 0, bits ^ _ALL_BUT_SIGN, bits).astype(np.int32)


def pack(columns: Array, left: Array, thresholds: Array, values: Array, roots: Array, depths: Array) -> Trees:
    """Trees from an array for each property of nodes, in which `left` counts from the first node of the first tree."""
    sizes = np.diff(np.append(roots, len(columns)))
    child = (left - np.repeat(roots, sizes)).astype(np.uint64)
    column = columns.astype(np.uint64) << _COLUMN_SHIFT
    nodes = child | column | (ordered(thresholds).view(np.uint32).astype(np.uint64) << _THRESHOLD_SHIFT)
    return Trees(nodes, values, roots, depths)


@intrinsic
def _bits(_context, _value):  # type: ignore[no-untyped-def]
    def generate(context, builder, _signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], context.get_value_type(types.int32))

    return types.int32(types.float32), generate


@kernel
def fill_tile(rows: Bytes, chosen: Int32s, first: int, last: int, tile: Int32s, columns: int) -> None:
    """Turns the chosen rows first..last into ordered integers, one row after the other; fills the last group with copies."""
    count = last - first
    for place in range((count + GROUP - 1) // GROUP * GROUP):
        row = rows[chosen[first + min(place, count - 1)]]
        turned = tile[place * columns : (place + 1) * columns]
        for column in range(columns):
            bits = _bits(row[column] + np.float32(0))
            turned[column] = bits ^ ((bits >> np.int32(31)) & _ALL_BUT_SIGN)


@inlined
def step(nodes, at, tile, row):  # type: ignore[no-untyped-def]
    """The child to which a row goes from a node."""
    node = nodes[at]
    value = tile[row + np.int64((node >> _COLUMN_SHIFT) & _CHILD)]
    threshold = np.int32(np.int64(node) >> 32)
    return np.int64(node & _CHILD) + (np.int64(value) > np.int64(threshold))


@kernel
def walk_group(nodes, values, depth, tile, first, columns, scores):  # type: ignore[no-untyped-def]
    """Adds one tree's values for eight rows of a tile. nodes and values are the tree's own; scores float32[8]."""
    r0 = first
    r1 = r0 + columns
    r2 = r1 + columns
    r3 = r2 + columns
    r4 = r3 + columns
    r5 = r4 + columns
    r6 = r5 + columns
    r7 = r6 + columns
    a = b = c = d = e = f = g = h = np.int64(0)
    for _ in range(depth):
        a = step(nodes, a, tile, r0)
        b = step(nodes, b, tile, r1)
        c = step(nodes, c, tile, r2)
        d = step(nodes, d, tile, r3)
        e = step(nodes, e, tile, r4)
        f = step(nodes, f, tile, r5)
        g = step(nodes, g, tile, r6)
        h = step(nodes, h, tile, r7)
    scores[0] += values[a]
    scores[1] += values[b]
    scores[2] += values[c]
    scores[3] += values[d]
    scores[4] += values[e]
    scores[5] += values[f]
    scores[6] += values[g]
    scores[7] += values[h]


@kernel
def add_trees(rows: Bytes, chosen: Int32s, count: int, columns: int, trees: Trees, tile: Int32s, scores: Bytes) -> None:
    """The sum of all trees for each chosen row, into scores[0:count], whose room is a multiple of GROUP.

    Sums are taken in the order of the trees, so that they do not depend on how rows are grouped.
    """
    first = 0
    while first < count:
        last = min(first + TILE, count)
        fill_tile(rows, chosen, first, last, tile, columns)
        scores[first : first + (last - first + GROUP - 1) // GROUP * GROUP] = 0
        for tree in range(len(trees.roots)):
            root = trees.roots[tree]
            tree_nodes, tree_values = trees.nodes[root:], trees.values[root:]
            for place in range(0, last - first, GROUP):
                group = scores[first + place : first + place + GROUP]
                walk_group(tree_nodes, tree_values, trees.depths[tree], tile, place * columns, columns, group)
        first = last


@kernel
def class_chances(row: Bytes, trees: Trees, tile: Int32s, chances: Bytes) -> None:
    """Probabilities of classes for one row: trees take turns, one for each class, and a softmax of their sums."""
    classes = chances.shape[0]
    for column in range(row.shape[0]):
        bits = _bits(row[column] + np.float32(0))
        tile[column] = bits ^ ((bits >> np.int32(31)) & _ALL_BUT_SIGN)
    chances[:] = 0
    for tree in range(len(trees.roots)):
        root, at = trees.roots[tree], np.int64(0)
        tree_nodes = trees.nodes[root:]
        for _ in range(trees.depths[tree]):
            at = step(tree_nodes, at, tile, 0)
        chances[tree % classes] += trees.values[root + at]
    greatest = chances[0]
    for place in range(classes):
        greatest = max(greatest, chances[place])
    total = 0.0
    for place in range(classes):
        chances[place] = np.float32(exponential(chances[place] - greatest))
        total += chances[place]
    for place in range(classes):
        chances[place] /= total
