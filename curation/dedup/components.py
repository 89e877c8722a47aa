"""Connected components: documents that edges join, however far around. For unverified MinHash as datatrove does it, and for
reports; verified duplicates are never removed by way of others.

In one process while the documents fit a stated memory, range by range beyond; the labels are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from connectors import storage
from curation.dedup.component_files import EdgeFiles, Labels, Numbers, number_type, write_numbers
from curation.dedup.external_components import Mapper, label_in_ranges, range_size
from curation.dedup.kernels.union_find import choose_by_rank, flatten, unite

MEMORY = 1 << 30


def label_components(
    engine: Mapper, scratch: str, edge_files: Sequence[str], firsts: Sequence[int], memory: int = MEMORY
) -> Labels:
    """The label of each document: the smallest number in its component.

    scratch     folder of this stage and this plan alone; what lies there already is not done again
    edge_files  see `component_files`
    firsts      number of each home's first document, and behind them that of all documents
    memory      bytes of the process that holds labels, beside some 60 MB for its program and edges in transit: 4 a document
                (8 beyond 2^32 of them) or it is done in ranges, which hold 20 (40) for each of their documents at most
    """
    edges = EdgeFiles(tuple(edge_files), tuple(firsts))
    if edges.documents * number_type(edges.documents).itemsize > memory:
        return label_in_ranges(engine, scratch, edges, range_size(edges.documents, memory))
    if not edges.documents:
        return Labels((), 0, 1)
    labels = Labels((f"{scratch}/labels-in-one",), edges.documents, edges.documents)
    for _ in engine.map(LabelInProcess(edges), labels.files):
        pass
    return labels


@dataclass(frozen=True)
class LabelInProcess:
    """The task that labels all documents at once. An item is the URI of the file of labels."""

    edges: EdgeFiles

    def __call__(self, uri: str) -> None:
        if storage.exists(uri):
            return
        documents = self.edges.documents
        parents = np.arange(documents, dtype=number_type(documents))
        for edges in self.edges.between(0, documents):
            unite(edges, parents)
        flatten(parents)
        write_numbers(uri, parents)


def smallest_by_rank(labels: Numbers, classes: npt.NDArray[np.uint16]) -> Numbers:
    """The kept member of each document's component: that of the least (class, number). A document alone is kept.

    labels   of all documents, as `Labels.read` gives them; they become the result, so that a document takes no more than
             its label and class, 6 bytes (10 beyond 2^32 documents)
    classes  of the keep policy, the least first
    """
    assert len(labels) == len(classes)
    choose_by_rank(labels, classes)
    return labels
