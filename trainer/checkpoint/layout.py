"""Regions of canonical tensors: where each part lies, and how any region is put together from parts of another layout.

A region is `[start, stop)` in each dimension; a scalar's region is the empty tuple. The parts of a tensor cover it without
gap or overlap: what two ranks hold alike is written by one of them, and a part that is written twice is a bug that shows here.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from trainer.backends.protocol import Region, Role

Key = tuple[str, Role]  # a canonical tensor: its name, and which of its values


class BadLayout(ValueError):
    """Parts that do not make up a tensor: a gap, an overlap, or a region that nothing covers."""


@dataclass(frozen=True)
class Part:
    """A part of a canonical tensor: the file that holds it, under the key `part_key` gives."""

    file: str
    region: Region


@dataclass(frozen=True)
class Entry:
    """A canonical tensor of a checkpoint."""

    shape: tuple[int, ...]
    dtype: str  # torch's name: float32
    parts: tuple[Part, ...]


Index = Mapping[Key, Entry]


def whole(shape: Sequence[int]) -> Region:
    """The region that is all of a tensor."""
    return tuple((0, size) for size in shape)


def size_of(region: Region) -> tuple[int, ...]:
    """The shape of a region's values."""
    return tuple(stop - start for start, stop in region)


def overlap(one: Region, other: Region) -> Region | None:
    """What two regions of a tensor have in common, None for nothing."""
    common = tuple((max(a, c), min(b, d)) for (a, b), (c, d) in zip(one, other, strict=True))
    return None if any(start >= stop for start, stop in common) else common


def within(region: Region, origin: Region) -> tuple[slice, ...]:
    """Where a region lies in the values of a region around it."""
    return tuple(slice(start - first, stop - first) for (start, stop), (first, _) in zip(region, origin, strict=True))


def part_key(name: str, role: Role, region: Region) -> str:
    """The key of a part in its file: `exp_avg/layers.0.query[0:32,0:64]`."""
    return f"{role}/{name}[{','.join(f'{start}:{stop}' for start, stop in region)}]"


def check_cover(key: Key, entry: Entry) -> None:
    """Raises `BadLayout` unless the parts of a tensor cover it just once."""
    name, role = key
    for part in entry.parts:
        fits = len(part.region) == len(entry.shape) and all(
            0 <= start <= stop <= size for (start, stop), size in zip(part.region, entry.shape)
        )
        if not fits:
            raise BadLayout(f"{role} of {name}: part {part.region} of {part.file} lies outside the shape {entry.shape}")
    for one, other in itertools.combinations(entry.parts, 2):
        if overlap(one.region, other.region) is not None:
            raise BadLayout(
                f"{role} of {name}: {one.file} and {other.file} both hold {overlap(one.region, other.region)}"
            )
    covered = sum(math.prod(size_of(part.region)) for part in entry.parts)
    if covered != math.prod(entry.shape):
        raise BadLayout(f"{role} of {name}: its parts hold {covered} of {math.prod(entry.shape)} values")


def assemble(key: Key, entry: Entry, region: Region, read: Callable[[Part, tuple[slice, ...]], Tensor]) -> Tensor:
    """The values of a region. `read` gives the values of a slice of a part; nothing outside the region is asked for.

    Raises `BadLayout` where the parts do not hold all of it.
    """
    values = torch.empty(size_of(region), dtype=getattr(torch, entry.dtype))
    found = 0
    for part in entry.parts:
        common = overlap(part.region, region)
        if common is not None:
            values[within(common, region)] = read(part, within(common, part.region))
            found += math.prod(size_of(common))
    if found != values.numel():
        raise BadLayout(f"{key[1]} of {key[0]}: the checkpoint holds {found} of {values.numel()} values of {region}")
    return values


def merge(parts: Iterable[tuple[Key, tuple[int, ...], str, Part]]) -> dict[Key, Entry]:
    """The index of all ranks' parts. Raises `BadLayout` where they disagree or do not cover a tensor just once."""
    gathered: dict[Key, Entry] = {}
    for key, shape, dtype, part in parts:
        known = gathered.get(key, Entry(shape, dtype, ()))
        if (known.shape, known.dtype) != (shape, dtype):
            raise BadLayout(
                f"{key[1]} of {key[0]} is {known.dtype}{known.shape} on one rank, {dtype}{shape} on another"
            )
        gathered[key] = Entry(shape, dtype, (*known.parts, part))
    for key, entry in gathered.items():
        check_cover(key, entry)
    return gathered


def to_json(index: Index) -> dict[str, Any]:
    """The index as plain JSON: role/name → shape, type, parts."""
    return {
        f"{role}/{name}": {
            "shape": list(entry.shape),
            "dtype": entry.dtype,
            "parts": [[part.file, [list(edge) for edge in part.region]] for part in entry.parts],
        }
        for (name, role), entry in sorted(index.items())
    }


def from_json(plain: Mapping[str, Any]) -> dict[Key, Entry]:
    """The inverse of `to_json`."""
    index: dict[Key, Entry] = {}
    for full, entry in plain.items():
        role, _, name = full.partition("/")
        parts = tuple(Part(file, tuple((start, stop) for start, stop in region)) for file, region in entry["parts"])
        index[name, cast(Role, role)] = Entry(tuple(entry["shape"]), entry["dtype"], parts)
    return index
