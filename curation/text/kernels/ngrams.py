"""Runs of n tokens that come again within a document: the most frequent of 2, 3 and 4, and those of 5 to 10 that repeat.

All values are exact; nothing is left out for a threshold. What makes it fast:
- a run of n + 1 tokens can only be frequent if both runs of n in it are, so longer runs are counted at fewer places;
- runs of 5 and more are compared as bytes, joined with nothing. Only places whose next WINDOW bytes stand elsewhere in the
  document too can begin a repeated one (twice as many for long runs); two bitmaps find a small superset of them.

Source: Rae et al. 2021 (Gopher), table A1; datatrove 0.10.1, filters/gopher_repetition_filter.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curation.text.kernels.compiling import Bytes, Int32s, Int64s, UInt64s, entry, kernel
from curation.text.kernels.primitives import MIX_0, MIX_1, fold, hash_range, load8, power_of_two, same_bytes, store8
from curation.text.kernels.vocabulary import (
    CHARACTERS,
    FIRST_TOKEN,
    JOINED,
    MARKS,
    TEXT_BYTES,
    TOKEN_BYTES,
    TOKEN_CHARACTERS,
    TOKENS,
    Vocabulary,
)

U = np.uint64
WINDOW = 16  # bytes
AHEAD = 64  # chunks
HAS_WINDOW, HAS_WIDE_WINDOW = 1, 2  # in `marked`: so many bytes, and twice as many, stand elsewhere in the document too

# Columns of what `count_ngrams` gives
GRAM_DISTINCT = 0  # distinct tokens
GRAM_TOP = 1  # 2, 3, 4 tokens: characters of the most frequent run, joined by blanks, times its frequency
GRAM_REPEATED = 4  # 5 … 10 tokens: characters in runs that came before, from the left and without overlap
NGRAM_COUNTS = 10
TOP_SIZES, REPEATED_SIZES = range(2, 5), range(5, 11)


class NgramScratch(NamedTuple):
    """Room for one document's tokens. `token_counts` and `slots` are as they were after each document: 0 and -1.

    tokens         int32: token numbers
    byte_ends      int32[tokens + 1]: where each token begins in `joined`
    character_ends int32[tokens + 1]: the same in characters
    joined         uint8: the tokens' bytes, joined with nothing
    token_counts   int32[tokens of the vocabulary]
    table, slots   int32[power of two]: hash tables
    counts, firsts int32: frequency and first place of each distinct run
    runs, places   int32: which distinct run begins at a place; places that are looked at
    marked         uint8: places that can begin a run that comes again
    bitmap         uint64[power of two]
    """

    tokens: Int32s
    byte_ends: Int32s
    character_ends: Int32s
    joined: Bytes
    token_counts: Int32s
    table: Int32s
    slots: Int32s
    counts: Int32s
    firsts: Int32s
    runs: Int32s
    places: Int32s
    marked: Bytes
    bitmap: UInt64s


def new_ngram_scratch(longest: int, vocabulary_tokens: int) -> NgramScratch:
    """For documents of at most `longest` bytes."""
    size = longest + 64
    power = 64
    while power < 2 * size + 8:
        power *= 2
    one = (np.zeros(size, np.int32) for _ in range(7))
    return NgramScratch(
        tokens=next(one),
        byte_ends=next(one),
        character_ends=next(one),
        joined=np.zeros(size + 64, np.uint8),
        token_counts=np.zeros(vocabulary_tokens, np.int32),
        table=np.zeros(power, np.int32),
        slots=np.full(power, -1, np.int32),
        counts=next(one),
        firsts=next(one),
        runs=next(one),
        places=next(one),
        marked=np.zeros(size, np.uint8),
        bitmap=np.zeros(power, np.uint64),
    )


@entry
def count_ngrams(
    vocabulary: Vocabulary,
    buffer: Bytes,
    numbers: Int32s,
    starts: Int32s,
    offsets: Int64s,
    scratch: NgramScratch,
    counts: Int64s,
) -> None:
    """Fills in counts, int64[documents, NGRAM_COUNTS], from a list of chunks, those with phrases joined."""
    for document in range(len(offsets) - 1):
        first, stop = np.int64(offsets[document]), np.int64(offsets[document + 1])
        tokens = unfold_tokens(vocabulary, buffer, numbers, starts, first, stop, scratch)
        row = counts[document]
        row[GRAM_DISTINCT] = mark_frequent_tokens(scratch, tokens)
        for size in range(2, 5):
            row[GRAM_TOP + size - 2] = top_run(scratch, tokens, size)
        mark_windows(scratch, tokens)
        mark_wide_windows(scratch, tokens)
        candidates = list_candidates(scratch, tokens)
        mask = power_of_two(2 * candidates) - 1
        for size in range(5, 11):
            row[GRAM_REPEATED + size - 5] = repeated_characters(scratch, tokens, size, candidates, mask)


@kernel
def unfold_tokens(
    vocabulary: Vocabulary,
    buffer: Bytes,
    numbers: Int32s,
    starts: Int32s,
    first: int,
    stop: int,
    scratch: NgramScratch,
) -> int:
    """The tokens of chunks [first, stop) one by one into the scratch; gives their number."""
    joined, byte_ends, character_ends = scratch.joined, scratch.byte_ends, scratch.character_ends
    count = np.int64(0)
    end = np.int64(0)
    byte_ends[0] = character_ends[0] = 0
    touched = np.int64(0)
    for place in range(first, stop):
        if (place - first) % AHEAD == 0:  # waits for memory overlap when many records are asked for at once
            for near in range(place, min(place + AHEAD, stop)):
                touched |= vocabulary.records[numbers[near], TOKENS]
        record = vocabulary.records[numbers[place]]
        at, size, tokens = np.int64(starts[place]), np.int64(record[TEXT_BYTES]), np.int64(record[TOKENS])
        if record[MARKS] & JOINED == 0:
            store8(joined, end, load8(buffer, at))  # most have no more than 16 bytes
            store8(joined, end + 8, load8(buffer, at + 8))
            for offset in range(16, size, 8):
                store8(joined, end + offset, load8(buffer, at + offset))
        else:
            to = end
            for offset in range(size):
                if buffer[at + offset] != 32:
                    joined[to] = buffer[at + offset]
                    to += 1
        if tokens == 1:
            scratch.tokens[count] = record[FIRST_TOKEN]
            end += size
            count += 1
            byte_ends[count] = end
            character_ends[count] = character_ends[count - 1] + record[CHARACTERS]
            continue
        for offset in range(tokens):
            token = vocabulary.token_lists[record[FIRST_TOKEN] + offset]
            scratch.tokens[count] = token
            end += vocabulary.token_records[token, TOKEN_BYTES]
            count += 1
            byte_ends[count] = end
            character_ends[count] = character_ends[count - 1] + vocabulary.token_records[token, TOKEN_CHARACTERS]
    for offset in range(0, WINDOW, 8):
        store8(joined, end + offset, U(0))
    scratch.counts[0] = touched
    return count


@kernel
def mark_frequent_tokens(scratch: NgramScratch, tokens: int) -> int:
    """Marks the places of tokens that come again; gives the number of distinct tokens."""
    token_counts = scratch.token_counts
    distinct = 0
    for place in range(tokens):
        distinct += token_counts[scratch.tokens[place]] == 0
        token_counts[scratch.tokens[place]] += 1
    for place in range(tokens):
        scratch.marked[place] = token_counts[scratch.tokens[place]] > 1
    for place in range(tokens):
        token_counts[scratch.tokens[place]] = 0
    return distinct


@kernel
def top_run(scratch: NgramScratch, tokens: int, size: int) -> int:
    """Characters times frequency of the most frequent run of `size` tokens, 0 if there is none; of equals the first.

    `marked` says where a run of `size` - 1 begins that comes again; afterwards, where one of `size` does.
    """
    if tokens < size:
        return 0
    marked, places, table = scratch.marked, scratch.places, scratch.table
    candidates = 0
    for place in range(tokens - size + 1):
        places[candidates] = place
        candidates += marked[place] & marked[place + 1]
    best, best_count = 0, 1
    if candidates:
        mask = power_of_two(2 * candidates) - 1
        for slot in range(mask + 1):
            table[slot] = -1
        distinct = 0
        for index in range(candidates):
            run = run_number(scratch, places[index], size, mask, distinct)
            if run == distinct:
                distinct += 1
            scratch.runs[index] = run
            count = scratch.counts[run]
            first = scratch.firsts[run]
            if count > best_count or (count == best_count > 1 and first < best):
                best, best_count = first, count
    for place in range(tokens):
        marked[place] = 0
    for index in range(candidates):
        marked[places[index]] = scratch.counts[scratch.runs[index]] > 1
    characters = scratch.character_ends[best + size] - scratch.character_ends[best] + size - 1
    return np.int64(characters) * np.int64(best_count)


@kernel
def run_number(scratch: NgramScratch, place: int, size: int, mask: int, distinct: int) -> int:
    """The number of the run of `size` tokens at a place, which is counted; `distinct` if it is new."""
    tokens, table, firsts = scratch.tokens, scratch.table, scratch.firsts
    value = U(tokens[place]) + U(1)
    for offset in range(1, size):
        value = fold(value ^ MIX_0, U(tokens[place + offset]) ^ MIX_1)
    slot = np.int64(fold(value, MIX_1)) & mask
    while True:
        run = np.int64(table[slot])
        if run < 0:
            table[slot] = distinct
            scratch.counts[distinct], firsts[distinct] = 1, place
            return distinct
        equal = True
        for offset in range(size):
            if tokens[firsts[run] + offset] != tokens[place + offset]:
                equal = False
                break
        if equal:
            scratch.counts[run] += 1
            return run
        slot = (slot + 1) & mask


@kernel
def mark_windows(scratch: NgramScratch, tokens: int) -> None:
    """Marks the places whose next WINDOW bytes stand at another token too, and some more: HAS_WINDOW."""
    places, total = scratch.places, np.int64(scratch.byte_ends[tokens])
    whole = tokens
    while whole > 0 and scratch.byte_ends[whole - 1] + WINDOW > total:
        whole -= 1
    for place in range(tokens):
        scratch.marked[place] = 0
        places[place] = place
    mark_recurring(scratch, whole, WINDOW, HAS_WINDOW)


@kernel
def mark_wide_windows(scratch: NgramScratch, tokens: int) -> None:
    """The same with twice as many bytes, HAS_WIDE_WINDOW, at places that are marked already."""
    places, total, count = scratch.places, np.int64(scratch.byte_ends[tokens]), 0
    for place in range(tokens):
        places[count] = place
        count += scratch.marked[place] != 0 and scratch.byte_ends[place] + 2 * WINDOW <= total
    mark_recurring(scratch, count, 2 * WINDOW, HAS_WIDE_WINDOW)


@kernel
def mark_recurring(scratch: NgramScratch, count: int, window: int, mark: int) -> None:
    """Sets a mark at those of the first `count` of `places` whose next `window` bytes recur among them.

    No branches: bits that are hit twice, then every place that falls on such a bit. A superset is enough.
    """
    joined, places, bitmap, hashes = scratch.joined, scratch.places, scratch.bitmap, scratch.runs
    bits = power_of_two(32 * count)
    words = (bits + 63) >> 6
    for word in range(2 * words):
        bitmap[word] = U(0)
    for index in range(count):
        at = np.int64(scratch.byte_ends[places[index]])
        value = fold(load8(joined, at) ^ MIX_0, load8(joined, at + 8) ^ MIX_1)
        if window > WINDOW:
            value = fold(value ^ load8(joined, at + 16), load8(joined, at + 24) ^ MIX_1)
        bit = np.int64(value) & (bits - 1)
        hashes[index] = bit
        bitmap[words + (bit >> 6)] |= (bitmap[bit >> 6] >> U(bit & 63) & U(1)) << U(bit & 63)
        bitmap[bit >> 6] |= U(1) << U(bit & 63)
    for index in range(count):
        bit = np.int64(hashes[index])
        again = np.int64(bitmap[words + (bit >> 6)] >> U(bit & 63)) & 1
        scratch.marked[places[index]] |= again * mark


@kernel
def list_candidates(scratch: NgramScratch, tokens: int) -> int:
    """The places that could begin a repeated run of 5 tokens or more, into `places`; gives their number."""
    byte_ends, count = scratch.byte_ends, 0
    for place in range(tokens - 4):
        scratch.places[count] = place
        count += scratch.marked[place] != 0 or byte_ends[place + 5] - byte_ends[place] < WINDOW
    return count


@kernel
def repeated_characters(scratch: NgramScratch, tokens: int, size: int, candidates: int, mask: int) -> int:
    """Characters in runs of `size` tokens that came before: behind one the search goes on `size` tokens further, and runs
    that begin inside it are not remembered."""
    joined, byte_ends, slots = scratch.joined, scratch.byte_ends, scratch.slots
    characters = free = used = 0
    for index in range(candidates):
        place = np.int64(scratch.places[index])
        if place < free:
            continue
        if place + size > tokens:
            break
        start, stop = np.int64(byte_ends[place]), np.int64(byte_ends[place + size])
        marked, bytes_of_run = scratch.marked[place], stop - start
        if (marked & HAS_WINDOW == 0 and bytes_of_run >= WINDOW) or (
            marked & HAS_WIDE_WINDOW == 0 and bytes_of_run >= 2 * WINDOW
        ):
            continue
        slot = np.int64(hash_range(joined, start, stop)) & mask
        while True:
            other = slots[slot]
            if other < 0:
                slots[slot] = place
                scratch.runs[used] = slot
                used += 1
                break
            other_start = np.int64(byte_ends[other])
            if byte_ends[other + size] - other_start == stop - start and same_bytes(
                joined, other_start, joined, start, stop - start
            ):
                characters += scratch.character_ends[place + size] - scratch.character_ends[place]
                free = place + size
                break
            slot = (slot + 1) & mask
    for index in range(used):
        slots[scratch.runs[index]] = -1
    return characters
