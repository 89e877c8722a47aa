"""Which part of which canonical tensor each parameter of Megatron holds, on any rank, down to a flat shard of it.

Three things are between the two: Megatron fuses (query, key and value by group of heads; gate and up), cuts by tensor rank
(rows of `linear_qkv`, `linear_fc1` and the vocabulary, columns of `linear_proj` and `linear_fc2`), and its distributed
optimizer cuts a parameter's flat values anywhere, by data rank. A parameter is therefore seen as `Block`s, runs of its rows
that are one rectangle of a canonical tensor, and a flat range of it as `Piece`s: each block's part of the range is at most
three rectangles (the end of a row, whole rows, the beginning of a row). Nothing is gathered and nothing is copied.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from trainer.backends.protocol import Region
from trainer.config import Model
from trainer.models import naming

_OUTSIDE_LAYERS = {
    "embedding.word_embeddings": "embedding",
    "embedding.position_embeddings": "positions",
    "decoder.final_layernorm": "final_norm",
    "output_layer": "output",
}
_NORMS = {"input_layernorm": "attention_norm", "pre_mlp_layernorm": "feed_forward_norm"}
_CUT_BY_COLUMNS = {"self_attention.linear_proj": "attention_output", "mlp.linear_fc2": "down"}


@dataclass(frozen=True)
class Block:
    """Rows of a parameter that are one rectangle of a canonical tensor: `first_row` of the parameter is the region's first."""

    name: str
    shape: tuple[int, ...]  # of the canonical tensor
    region: Region
    first_row: int

    @property
    def rows(self) -> int:
        return self.region[0][1] - self.region[0][0]

    @property
    def width(self) -> int:
        return math.prod(stop - start for start, stop in self.region[1:])


@dataclass(frozen=True)
class Piece:
    """A region of a canonical tensor, and where its values lie in a flat run of a parameter: [start, stop) of the run."""

    name: str
    shape: tuple[int, ...]
    region: Region
    start: int
    stop: int

    @property
    def size(self) -> tuple[int, ...]:
        """The shape of the values."""
        return tuple(stop - start for start, stop in self.region)

    @property
    def is_first(self) -> bool:
        """Whether it holds the canonical tensor's first value: true on one data rank and one tensor rank of those that cut it."""
        return all(start == 0 for start, _ in self.region)


@dataclass(frozen=True)
class Names:
    """The map for one tensor rank of a layout. `parameter` names have global layer numbers: `decoder.layers.N.…`."""

    model: Model
    sequence_length: int
    tensor: int = 1
    tensor_rank: int = 0

    @cached_property
    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return naming.shapes(self.model, self.sequence_length)

    def blocks(self, parameter: str) -> list[Block]:
        """The blocks of a parameter, grouped by canonical name. Raises KeyError for a name that no model of ours has."""
        module, _, kind = parameter.rpartition(".")
        bias = ".bias" if kind == "bias" else ""
        if module in _OUTSIDE_LAYERS:
            name = "embedding" if module == "output_layer" and self.model.is_tied else _OUTSIDE_LAYERS[module]
            cut = name in {"embedding", "output"}
            return [self._cut(name, 0) if cut else self._whole(name + bias)]
        _, _, layer, part = module.split(".", 3)
        canonical = f"layers.{layer}."
        if part in _NORMS:
            return [self._whole(canonical + _NORMS[part] + bias)]
        if part in _CUT_BY_COLUMNS:  # their biases are added after the sum over tensor ranks: whole on each
            name = canonical + _CUT_BY_COLUMNS[part]
            return [self._whole(name + bias) if bias else self._cut(name, 1)]
        if part == "self_attention.linear_qkv":
            return self._fused_attention(canonical, bias)
        if part == "mlp.linear_fc1":
            ups = ["up"] if self.model.architecture == "gpt2" else ["gate", "up"]
            rows = self.model.feed_forward_size // self.tensor
            return [
                self._rows(canonical + up + bias, self.tensor_rank * rows, rows, i * rows) for i, up in enumerate(ups)
            ]
        raise KeyError(parameter)

    def _fused_attention(self, canonical: str, bias: str) -> list[Block]:
        """Rows go group by group: the queries of a group's heads, its key, its value; tensor ranks hold whole groups."""
        head, groups = self.model.hidden // self.model.heads, self.model.key_value_heads // self.tensor
        queries = self.model.heads // self.model.key_value_heads * head
        found = []
        for name, rows, after in (("query", queries, 0), ("key", head, queries), ("value", head, queries + head)):
            for group in range(groups):
                start = (self.tensor_rank * groups + group) * rows
                found.append(self._rows(canonical + name + bias, start, rows, group * (queries + 2 * head) + after))
        return found

    def _whole(self, name: str) -> Block:
        shape = self._shapes[name]
        return Block(name, shape, tuple((0, size) for size in shape), 0)

    def _rows(self, name: str, start: int, rows: int, first_row: int) -> Block:
        shape = self._shapes[name]
        return Block(name, shape, ((start, start + rows), *((0, size) for size in shape[1:])), first_row)

    def _cut(self, name: str, dimension: int) -> Block:
        """This tensor rank's equal part along a dimension."""
        shape = self._shapes[name]
        part = shape[dimension] // self.tensor
        mine = (self.tensor_rank * part, (self.tensor_rank + 1) * part)
        return Block(name, shape, tuple(mine if i == dimension else (0, size) for i, size in enumerate(shape)), 0)


def pieces(blocks: Sequence[Block], start: int, stop: int) -> Iterator[Piece]:
    """The canonical regions that make up the run [start, stop) of a parameter's flat values."""
    for block in blocks:
        width, first = block.width, block.first_row * block.width
        low, high = max(start - first, 0), min(stop - first, block.rows * width)
        while low < high:
            row, column = divmod(low, width)
            if column or high - low < width:  # within one row
                end = min(high, (row + 1) * width)
                columns = (column, column + end - low)
            else:
                end, columns = high - high % width, (0, width)
            yield _piece(block, (row, -(-end // width)), columns, first + low - start, first + end - start)
            low = end


def _piece(block: Block, rows: tuple[int, int], columns: tuple[int, int], start: int, stop: int) -> Piece:
    """The rectangle of a block, in its canonical tensor."""
    inside = (rows, columns)[: len(block.shape)]
    region = tuple((low + first, high + first) for (low, high), (first, _) in zip(inside, block.region, strict=True))
    return Piece(block.name, block.shape, region, start, stop)
