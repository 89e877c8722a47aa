"""The batch and its documents: what a backend is given. Shape letters: B rows of a micro-batch, S tokens of a sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# One row for each run of labels of one document in a row of the micro-batch, in order; host only.
SPANS = np.dtype(
    [
        ("sample", np.int64),  # number of the sample in the whole run
        ("row", np.int32),  # row of this micro-batch
        ("source", np.int32),  # index into the plan's sources
        ("document", np.int64),  # index of the document in its source, over its shards in order; -1 is padding
        ("first", np.int32),  # first label position of the row that belongs to the document
        ("tokens", np.int32),  # how many labels belong to it
    ]
)


@dataclass(frozen=True)
class MicroBatch:
    """`B` rows of `S` tokens, as numpy arrays; backends put them on their device.

    tokens_BS     int64, inputs
    labels_BS     int64, the next token
    weights_BS    float32: 1 trained, 0 not; from positions and spans, never from token values
    positions_BS  int64; restart at a document when documents are isolated
    segments_BS   int32: row of `spans` that owns the label
    spans         structured array of dtype SPANS
    """

    tokens_BS: npt.NDArray[np.int64]
    labels_BS: npt.NDArray[np.int64]
    weights_BS: npt.NDArray[np.float32]
    positions_BS: npt.NDArray[np.int64]
    segments_BS: npt.NDArray[np.int32]
    spans: npt.NDArray[np.void]
    isolated: bool = False  # attention is block-diagonal over the input's documents
