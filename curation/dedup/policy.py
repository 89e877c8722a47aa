"""Which of several alike documents is kept: the policy as a class of 16 bits for each document. The lowest stays.

0 is what an index holds: it stays before all. Documents of one class are kept in the order of the input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.run.documents import DATE, MEASURE, SOURCE, TEXT

CLASSES = 65535  # beside that of an index
LONGEST_BITS = 40.0  # of a text's length, over which classes are spread: of two lengths 0.05 % apart one is the longer
FIRST_DAY = np.datetime64("1990-01-01")
HOURS = 6  # of one class: captures within them are equally new

Classes = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Policy:
    """What is preferred: sources in their order before all else, then `keep`: first, longest, newest, or a measure's name."""

    keep: str = "first"
    measure: str = ""
    sources: tuple[str, ...] = ()

    def classes(self, batch: pa.RecordBatch) -> Classes:
        """The class of each document."""
        groups = len(self.sources) + 1 if self.sources else 1
        levels = CLASSES // groups
        level = np.minimum((1.0 - self._goodness(batch)) * levels, levels - 1).astype(np.int64)
        group = np.zeros(batch.num_rows, np.int64)
        if self.sources:
            found = pc.index_in(batch.column(SOURCE), pa.array(self.sources, pa.string()))
            group = pc.fill_null(found, len(self.sources)).to_numpy(zero_copy_only=False).astype(np.int64)
        return (1 + group * levels + level).astype(np.uint16)

    def _goodness(self, batch: pa.RecordBatch) -> npt.NDArray[np.float64]:
        """From 0, the worst, to 1."""
        if self.measure:
            return by_value(batch.column(MEASURE + self.measure))
        if self.keep == "longest":
            lengths = pc.utf8_length(batch.column(TEXT)).to_numpy(zero_copy_only=False)
            return np.asarray(np.log2(1.0 + lengths) / LONGEST_BITS)
        if self.keep == "newest":
            return by_date(batch.column(DATE))
        return np.ones(batch.num_rows)


def by_value(column: pa.Array) -> npt.NDArray[np.float64]:
    """Numbers in their order, as the leading 16 bits of their float32 tell them apart: to within 0.8 %. Null is the worst."""
    values = column.to_numpy(zero_copy_only=False).astype(np.float32) + np.float32(0)  # -0 is 0
    bits = values.view(np.uint32)
    ordered = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31)) >> 16  # negative numbers fall as their bits rise
    return np.where(np.isnan(values), 0.0, ordered / CLASSES)


def by_date(dates: pa.Array) -> npt.NDArray[np.float64]:
    """Times of capture in their order, RFC 3339. None, or none that can be read, is the oldest."""
    seconds = pc.utf8_slice_codeunits(dates, 0, 19)
    times = pc.strptime(seconds, format="%Y-%m-%dT%H:%M:%S", unit="s", error_is_null=True)
    hours = (times.to_numpy(zero_copy_only=False) - FIRST_DAY) / np.timedelta64(HOURS, "h")
    return np.asarray(
        np.clip(np.where(np.isnat(times.to_numpy(zero_copy_only=False)), 0.0, hours), 0, CLASSES) / CLASSES
    )
