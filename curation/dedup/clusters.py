"""From edges to clusters: connected components, the smallest number of each being its kept member."""

from __future__ import annotations

import numpy as np


class Clusters:
    """Union-find over the documents that have an edge. Memory: some 200 bytes for each of those, none for the others."""

    def __init__(self) -> None:
        self._parent: dict[int, int] = {}

    def add(self, packed_edges: bytes) -> None:
        """Joins the two ends of each edge; edges as `keys.star_edges` packs them."""
        for smaller, larger in np.frombuffer(packed_edges, "<u8").reshape(-1, 2).tolist():
            a, b = self._root(smaller), self._root(larger)
            if a != b:
                self._parent[max(a, b)] = min(a, b)

    def _root(self, number: int) -> int:
        parent = self._parent
        root = number
        while (above := parent.setdefault(root, root)) != root:
            root = above
        while number != root:  # path compression
            parent[number], number = root, parent[number]
        return root

    def duplicates(self) -> list[tuple[int, int]]:
        """(document, the document that is kept for it), ascending: every member but the smallest of each cluster."""
        return [(number, root) for number in sorted(self._parent) if (root := self._root(number)) != number]
