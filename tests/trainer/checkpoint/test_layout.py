"""Any region of a tensor, put together from any parts of it, equals the same slice of the whole."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainer.backends.protocol import Region
from trainer.checkpoint import layout
from trainer.checkpoint.layout import BadLayout, Entry, Part

KEY: layout.Key = ("weight", "parameter")


def cut(draw: st.DrawFn, region: Region, depth: int) -> list[Region]:
    """A region cut at random into boxes."""
    dimensions = [d for d, (start, stop) in enumerate(region) if stop - start > 1]
    if not dimensions or depth == 0 or draw(st.booleans()):
        return [region]
    d = draw(st.sampled_from(dimensions))
    at = draw(st.integers(region[d][0] + 1, region[d][1] - 1))
    low, high = (
        tuple(edge if k == d else other for k, other in enumerate(region))
        for edge in ((region[d][0], at), (at, region[d][1]))
    )
    return [*cut(draw, low, depth - 1), *cut(draw, high, depth - 1)]


@st.composite
def tensors_cut_and_regions(draw: st.DrawFn) -> tuple[torch.Tensor, list[Region], Region]:
    shape = tuple(draw(st.lists(st.integers(1, 9), max_size=3)))
    region = []
    for size in shape:
        start = draw(st.integers(0, size - 1))
        region.append((start, draw(st.integers(start + 1, size))))
    values = torch.arange(torch.Size(shape).numel(), dtype=torch.float32).reshape(shape)
    return values, cut(draw, layout.whole(shape), 5), tuple(region)


def within(values: torch.Tensor, region: Region) -> torch.Tensor:
    return values[tuple(slice(*edge) for edge in region)]


@settings(deadline=None, max_examples=200)
@given(tensors_cut_and_regions())
def test_a_region_of_any_parts_is_the_slice_of_the_whole(given: tuple[torch.Tensor, list[Region], Region]) -> None:
    whole, parts, region = given
    index = layout.merge(
        (KEY, tuple(whole.shape), "float32", Part(f"{number}", part)) for number, part in enumerate(parts)
    )
    asked = 0

    def read(part: Part, inside: tuple[slice, ...]) -> torch.Tensor:
        nonlocal asked
        values = within(whole, part.region)[inside]
        asked += values.numel()
        return values

    found = layout.assemble(KEY, index[KEY], region, read)
    assert torch.equal(found, within(whole, region))
    assert asked == found.numel(), "just what is needed is read"
    assert layout.from_json(layout.to_json(index)) == index


@settings(deadline=None, max_examples=50)
@given(tensors_cut_and_regions(), st.randoms())
def test_a_part_twice_or_nowhere_is_refused(given: tuple[torch.Tensor, list[Region], Region], random: object) -> None:
    whole, parts, _ = given
    chosen = random.choice(parts)  # type: ignore[attr-defined]

    def merge(regions: list[Region]) -> None:
        layout.merge((KEY, tuple(whole.shape), "float32", Part("0", region)) for region in regions)

    with pytest.raises(BadLayout, match="both hold"):
        merge([*parts, chosen])
    remaining = [part for part in parts if part != chosen]
    if remaining:
        with pytest.raises(BadLayout, match="of .* values"):
            merge(remaining)


def test_ranks_that_disagree_on_a_shape_are_refused() -> None:
    with pytest.raises(BadLayout, match="on one rank"):
        layout.merge([(KEY, (2,), "float32", Part("0", ((0, 2),))), (KEY, (3,), "float32", Part("1", ((2, 3),)))])


def test_a_part_outside_the_shape_is_refused() -> None:
    with pytest.raises(BadLayout, match="outside"):
        layout.check_cover(KEY, Entry((2,), "float32", (Part("0", ((0, 3),)),)))
