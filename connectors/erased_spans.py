"""Which tokens of a shard were erased: a small file beside the shard, written by an erasure, read by the trainer.

    shards/SOURCE/00000.erased.parquet    first_token u64, tokens u32: spans in ascending order, none of which overlap

In the shard itself these tokens are the end-of-document token, but only this file says that they were erased: what is not to
be learned follows from positions, never from token values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.errors import UserError

SUFFIX = "erased.parquet"
SCHEMA = pa.schema(
    [pa.field("first_token", pa.uint64(), nullable=False), pa.field("tokens", pa.uint32(), nullable=False)]
)

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ErasedSpans:
    """Spans [first[i], stop[i]) of tokens, ascending, none empty, none overlapping. Raises ValueError for any other."""

    first: Positions
    stop: Positions

    def __post_init__(self) -> None:
        ordered = len(self.first) == len(self.stop) and (self.first >= 0).all() and (self.first < self.stop).all()
        if not ordered or not (self.stop[:-1] <= self.first[1:]).all():
            raise ValueError("erased spans do not ascend, or overlap")

    def __len__(self) -> int:
        return len(self.first)

    @property
    def tokens(self) -> int:
        """Tokens in all spans."""
        return int(self._sums[-1])

    @cached_property
    def _sums(self) -> Positions:
        """Tokens in the spans before each one, and in all."""
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(self.stop - self.first)])

    def inside(self, first: int, stop: int) -> tuple[Positions, Positions]:
        """The parts of the spans that lie in [first, stop): where they begin and end."""
        low, high = np.searchsorted(self.stop, first, side="right"), np.searchsorted(self.first, stop)
        return np.maximum(self.first[low:high], first), np.minimum(self.stop[low:high], stop)

    def count(self, first: int, stop: int) -> int:
        """How many tokens of [first, stop) are erased. Two binary searches."""
        edges = self.before(np.array([first, stop], np.int64))
        return max(0, int(edges[1] - edges[0]))

    def before(self, positions: Positions) -> Positions:
        """How many erased tokens lie before each position."""
        at = np.searchsorted(self.first, positions)
        ends = np.concatenate([np.zeros(1, np.int64), self.stop])[at]
        return self._sums[at] - np.maximum(0, ends - positions)

    def holds(self, positions: Positions) -> npt.NDArray[np.bool_]:
        """Which of the positions are erased."""
        at = np.searchsorted(self.first, positions, side="right") - 1
        return (
            (at >= 0) & (positions < self.stop[np.maximum(at, 0)]) if len(self) else np.zeros(len(positions), np.bool_)
        )


def no_spans() -> ErasedSpans:
    """Where nothing was erased."""
    return ErasedSpans(np.zeros(0, np.int64), np.zeros(0, np.int64))


def of_lengths(first: Positions, tokens: Positions) -> ErasedSpans:
    """The spans that begin at `first` and have so many tokens, in any order; spans of no token are left out, repeated ones once."""
    first, tokens = np.asarray(first, np.int64), np.asarray(tokens, np.int64)
    both = np.unique(np.stack([first[tokens > 0], (first + tokens)[tokens > 0]], axis=1), axis=0)
    return ErasedSpans(both[:, 0].copy(), both[:, 1].copy())


def joined(parts: Sequence[tuple[int, ErasedSpans]]) -> ErasedSpans:
    """Spans of several shards as those of one stream, in which each shard begins at a position; these ascend."""
    first = [np.zeros(0, np.int64), *(spans.first + base for base, spans in parts)]
    stop = [np.zeros(0, np.int64), *(spans.stop + base for base, spans in parts)]
    return ErasedSpans(np.concatenate(first), np.concatenate(stop))


def table_of(spans: ErasedSpans) -> pa.RecordBatch:
    """The rows of the file."""
    columns = [pa.array(spans.first, pa.uint64()), pa.array(spans.stop - spans.first, pa.uint32())]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def read_erased(path: str | Path, tokens: int) -> ErasedSpans:
    """The spans of a file beside a shard of so many tokens.

    Raises `UserError` where it is missing or damaged: without it what was erased would be learned as ends of documents.
    """
    try:
        table = pq.read_table(path, schema=SCHEMA)
        first, count = (table[name].to_numpy().astype(np.int64) for name in SCHEMA.names)
        spans = ErasedSpans(first, first + count)
    except FileNotFoundError:
        raise UserError(f"'{path}' is missing: it says which tokens of the shard were erased. Bring it back") from None
    except (pa.ArrowException, OSError, ValueError):
        raise UserError(f"'{path}' is damaged: it is to say which tokens of the shard were erased") from None
    if len(spans) and spans.stop[-1] > tokens:
        raise UserError(
            f"'{path}' is of another shard: it names token {spans.stop[-1] - 1:,}, the shard has {tokens:,}"
        )
    return spans
