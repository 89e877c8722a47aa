"""Which keys of a round count, where it need not look at all."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.wanted_keys import WantedKeys

KEY = st.integers(0, 9) | st.integers(0, 2**64 - 1) | st.integers(0, 2**48 - 1).map(lambda high: high << 16)


@given(st.lists(st.tuples(KEY, KEY, KEY), min_size=1, max_size=30), st.lists(KEY, max_size=10), st.data())
def test_keys_among_those_wanted(keys: list[tuple[int, int, int]], others: list[int], data: st.DataObject) -> None:
    places = sorted(data.draw(st.sets(st.integers(0, len(keys) - 1))))
    wanted = {*others, *(document[1] for document in keys[::3])}
    rows, numbers = WantedKeys.of(np.array(sorted(wanted), np.uint64)).among(
        np.array(keys, np.uint64), np.array(places, np.int64)
    )
    assert list(zip(rows.tolist(), numbers.tolist(), strict=True)) == [
        (row, number) for row, place in enumerate(places) for number in range(3) if keys[place][number] in wanted
    ]
