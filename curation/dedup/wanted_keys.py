"""Keys that are looked for: in a round that looks only at what has changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curation.dedup.homes import Numbers, Places
from curation.dedup.kernels.finding import find_wanted

TOLD_BY = 8  # values that low bits may have, for each key
FEWEST_LOW_BITS = 16


@dataclass(frozen=True)
class WantedKeys:
    """Keys that are looked for, of which there are few.

    keys  ascending, each once
    low   uint8[a power of two], 1 where a key has these low bits: enough places to tell most of the others
    """

    keys: Numbers
    low: npt.NDArray[np.uint8]

    @classmethod
    def read(cls, uri: str) -> WantedKeys:
        """Those of a file."""
        return cls.of(np.fromfile(uri, np.uint64))

    @classmethod
    def of(cls, keys: Numbers) -> WantedKeys:
        """Those of an array."""
        low = np.zeros(1 << max(FEWEST_LOW_BITS, (TOLD_BY * len(keys)).bit_length()), np.uint8)
        low[keys & np.uint64(len(low) - 1)] = 1
        return cls(keys, low)

    def among(self, keys: Numbers, places: Places) -> tuple[Places, Places]:
        """Which keys of the documents at some places of an array are wanted: row among the places, and number of the key."""
        rows, bands = np.empty((2, keys.shape[1] * len(places)), np.int64)
        found = find_wanted(keys, places, self.keys, self.low, rows, bands)
        return rows[:found], bands[:found]
