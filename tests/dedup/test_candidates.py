"""Which keys of a round count, where it need not look at all."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.candidates import among

KEY = st.integers(0, 9) | st.integers(0, 2**64 - 1) | st.integers(0, 2**48 - 1).map(lambda high: high << 16)


@given(st.lists(KEY, max_size=30), st.lists(KEY, max_size=10))
def test_keys_among_those_wanted(keys: list[int], others: list[int]) -> None:
    wanted = sorted({*others, *keys[::3]})
    found = among(np.array(keys, np.uint64).reshape(-1, 1), np.array(wanted, np.uint64))
    assert found.ravel().tolist() == [key in wanted for key in keys]
