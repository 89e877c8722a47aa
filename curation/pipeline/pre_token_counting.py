"""Counts of pre-tokens over a whole run: one pass over the sample, a shuffle by the hash of the pre-token, a cut at the end.

A pre-token's count is whole before anything is cut, so the result does not depend on the number of partitions, on how splits
are grouped or on the order in which tasks end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from curation.engines.engine import Engine
from curation.pipeline.training_sample import Sample
from curation.run.documents import TEXT
from curation.tokenize.pre_token_counts import (
    PreTokenCounter,
    PreTokenCounts,
    added,
    in_partitions,
    joined,
    most_frequent,
    packed,
    unpacked,
)
from curation.tokenize.split_patterns import PATTERNS, Name

BYTES_PER_PARTITION = 256 << 20  # of text in the sample: some ten million distinct pre-tokens at worst


@dataclass(frozen=True)
class CountPreTokens:
    """The emitting half of the shuffle: a few splits in, their counts by partition out. Memory grows with distinct ones."""

    sample: Sample
    pattern: Name
    partitions: int

    def __call__(self, units: tuple[str, ...]) -> Iterator[tuple[int, bytes]]:
        counter = PreTokenCounter(PATTERNS[self.pattern])
        for unit in units:
            for batch, times in self.sample.batches(unit):
                counter.count(batch.column(TEXT), times)
        for partition, counts in in_partitions(counter.counted(), self.partitions):
            yield partition, packed(counts)


@dataclass(frozen=True)
class AddCounts:
    """The reducing half: counts in, their sum out, cut to the most frequent."""

    pattern: Name
    limit: int

    def __call__(self, _partition: int, blobs: Sequence[memoryview]) -> bytes:
        return packed(most_frequent(added(map(unpacked, blobs), PATTERNS[self.pattern]), self.limit))


def count_pre_tokens(
    engine: Engine, sample: Sample, groups: Sequence[tuple[str, ...]], pattern: Name, limit: int, sample_bytes: int
) -> PreTokenCounts:
    """The `limit` most frequent pre-tokens of the sample, with their counts; of equals the first in the order of bytes.

    The driver holds `limit` of them from each partition at most.
    """
    partitions = 1 + sample_bytes // BYTES_PER_PARTITION
    blobs = engine.shuffle(CountPreTokens(sample, pattern, partitions), groups, AddCounts(pattern, limit), partitions)
    return most_frequent(joined([unpacked(blob) for blob in blobs]), limit)
