"""Documents into chunk numbers: the one pass over the bytes of a text.

A list of chunks of a batch of documents is three arrays:
    numbers   int32: chunk numbers
    starts    int32: where each begins, in bytes of the batch
    offsets   int64[documents + 1]: document d has numbers[offsets[d]:offsets[d + 1]]
and, of the list as white space cuts it,
    gaps      int32: the places of chunks before which stands something else than one blank
"""

from __future__ import annotations

import numpy as np

from curation.text.kernels.chunks import FULL, NOTED_BIT, chunk_number
from curation.text.kernels.compiling import Bytes, Int32s, Int64s, UInt64s, entry, kernel
from curation.text.kernels.primitives import key_hash, key_of
from curation.text.kernels.vectors import WIDTH, bytes_up_to, trailing_zeros
from curation.text.kernels.vocabulary import (
    CONTINUES_PHRASE,
    HAS_BRACKET,
    HAS_PHRASE,
    JOINED,
    MARKS,
    OPENS_PHRASE,
    TEXT_BYTES,
    Vocabulary,
)
from curation.text.kernels.whitespace import BYTE_KINDS, PERHAPS_SPACE, SPACE_BYTE, WORD_BYTE, wide_space_bytes

U = np.uint64
BLOCK = 256  # chunks that are looked up together
_BLANK = 32


@kernel
def skip_space(buffer: Bytes, at: int, stop: int) -> int:
    """Where the white space at `at` ends."""
    while at < stop:
        byte = buffer[at]
        kind = BYTE_KINDS[byte]
        if (32 < byte < 0x80) or kind == WORD_BYTE:
            break
        if kind == SPACE_BYTE:
            at += 1
            continue
        size = wide_space_bytes(buffer, at)
        if size == 0:
            break
        at += size
    return at


@kernel
def chunk_end(buffer: Bytes, at: int, stop: int) -> int:
    """Where the chunk that begins at `at` ends. Looks at many bytes at a time for one that may be white space."""
    while True:
        suspects = bytes_up_to(buffer, at, _BLANK)  # as signed numbers, those beyond ASCII are below
        if suspects == U(0):
            at += WIDTH
            if at >= stop:  # or documents without white space would be read again and again
                return stop
            continue
        at += trailing_zeros(suspects)
        if at >= stop:
            return stop
        byte = buffer[at]
        if byte == _BLANK:
            return at
        kind = BYTE_KINDS[byte]
        if kind == SPACE_BYTE or (kind == PERHAPS_SPACE and wide_space_bytes(buffer, at) > 0):
            return at
        at += 1


@entry
def segment(
    vocabulary: Vocabulary,
    buffer: Bytes,
    bounds: Int64s,
    numbers: Int32s,
    starts: Int32s,
    offsets: Int64s,
    gaps: Int32s,
    block: UInt64s,
) -> int:
    """Fills in the list of chunks of documents buffer[bounds[d]:bounds[d + 1]]. Gives the number of gaps, or FULL.

    A block of chunks is found and hashed first, then looked up, so that the waits for memory of its look-ups overlap.
    buffer   PADDING readable bytes behind the last document
    block    uint64[BLOCK, 4]: scratch
    """
    table = vocabulary.chunk_table
    mask = np.int64(len(table) - 1)
    count = gap_count = 0
    offsets[0] = 0
    for document in range(len(bounds) - 1):
        at, stop = np.int64(bounds[document]), np.int64(bounds[document + 1])
        while at < stop:
            found = 0
            while found < BLOCK:
                gap = at
                at = skip_space(buffer, gap, stop)
                if at >= stop:
                    break
                gaps[gap_count] = count + found
                gap_count += (at - gap != 1) | (buffer[gap] != _BLANK)
                end = chunk_end(buffer, at, stop)
                key, key_2 = key_of(buffer, at, end - at)
                block[found, 0], block[found, 1] = key, key_2
                block[found, 2], block[found, 3] = key_hash(key, key_2, end - at), U(end - at)
                starts[count + found] = at
                found += 1
                at = end
            for place in range(found):
                size = np.int64(block[place, 3])
                slot = np.int64(block[place, 2]) & mask
                value = np.int64(table[slot, 2])
                if (
                    table[slot, 0] == block[place, 0]
                    and table[slot, 1] == block[place, 1]
                    and value & 0xFFFFFFFF == size
                    and size <= 16
                ):
                    chunk = ((value >> 32) & 0x7FFFFFFF) - 1
                    numbers[count + place] = chunk | NOTED_BIT if value < 0 else chunk
                else:
                    chunk = chunk_number(vocabulary, buffer, np.int64(starts[count + place]), size, 0)
                    if chunk < 0:
                        return FULL
                    numbers[count + place] = chunk
            count += found
        offsets[document + 1] = count
    return gap_count


@kernel
def is_linked(records: Int32s, buffer: Bytes, numbers: Int32s, starts: Int32s, place: int) -> bool:
    """Whether a phrase may run from a chunk into the next: there is one blank between them, and both could take part."""
    record = records[numbers[place]]
    end = starts[place] + record[TEXT_BYTES]
    if starts[place + 1] != end + 1 or buffer[end] != 32:
        return False
    return record[MARKS] & OPENS_PHRASE != 0 and records[numbers[place + 1], MARKS] & CONTINUES_PHRASE != 0


@entry
def noted_chunks(
    records: Int32s, buffer: Bytes, numbers: Int32s, starts: Int32s, count: int, known: int, noted: Int32s
) -> tuple[int, bool]:
    """The places of chunks that need a second look (a phrase, a bracket), and whether phrases may cross chunks there.

    known   chunks below this number were described before, and NOTED_BIT tells (it is taken away); others are looked up
    noted   int32: filled with places
    """
    found = 0
    for place in range(count):
        chunk = numbers[place]
        if chunk & NOTED_BIT:
            numbers[place] = chunk ^ NOTED_BIT
            noted[found] = place
            found += 1
        elif chunk >= known and records[chunk, MARKS] & (HAS_PHRASE | HAS_BRACKET | JOINED):
            noted[found] = place
            found += 1
    for index in range(found):
        place = np.int64(noted[index])
        if records[numbers[place], MARKS] & HAS_PHRASE and (
            (place > 0 and is_linked(records, buffer, numbers, starts, place - 1))
            or (place + 1 < count and is_linked(records, buffer, numbers, starts, place))
        ):
            return found, True
    return found, False


@entry
def join_linked(
    vocabulary: Vocabulary,
    buffer: Bytes,
    numbers: Int32s,
    starts: Int32s,
    offsets: Int64s,
    noted: Int32s,
    found: int,
    joined: Int32s,
    joined_starts: Int32s,
    joined_offsets: Int64s,
) -> bool:
    """The list of chunks with each run of linked chunks around a phrase replaced by one chunk. False if full."""
    records = vocabulary.records
    written = read = index = 0
    joined_offsets[0] = 0
    for document in range(len(offsets) - 1):
        first, stop = np.int64(offsets[document]), np.int64(offsets[document + 1])
        while index < found and noted[index] < stop:
            place = np.int64(noted[index])
            index += 1
            if place < read or records[numbers[place], MARKS] & HAS_PHRASE == 0:
                continue
            left = right = place
            lowest = np.int64(max(first, read))
            while left > lowest and is_linked(records, buffer, numbers, starts, left - 1):
                left -= 1
            while right + 1 < stop and is_linked(records, buffer, numbers, starts, right):
                right += 1
            if left == right:
                continue
            while read < left:
                joined[written], joined_starts[written] = numbers[read], starts[read]
                written += 1
                read += 1
            begin = np.int64(starts[left])
            size = np.int64(starts[right]) + records[numbers[right], TEXT_BYTES] - begin
            chunk = chunk_number(vocabulary, buffer, begin, size, JOINED)
            if chunk < 0:
                return False
            joined[written], joined_starts[written] = chunk & ~NOTED_BIT, begin
            written += 1
            read = right + 1
        while read < stop:
            joined[written], joined_starts[written] = numbers[read], starts[read]
            written += 1
            read += 1
        joined_offsets[document + 1] = written
    return True
