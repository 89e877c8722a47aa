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
from curation.text.kernels.primitives import (
    MIX_0,
    MIX_1,
    fold,
    key_hash,
    key_of,
    load8,
    power_of_two,
    same_bytes,
    store8,
)
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
    words          uint64[power of two]: the keys of a hash table, or a bitmap
    counts, slots  int32[power of two]: frequencies by slot of a hash table; places by slot
    runs, places   int32: number of the run that begins at a place; places that are looked at
    marked         uint8: places that can begin a run that comes again
    """

    tokens: Int32s
    byte_ends: Int32s
    character_ends: Int32s
    joined: Bytes
    token_counts: Int32s
    words: UInt64s
    counts: Int32s
    slots: Int32s
    runs: Int32s
    places: Int32s
    marked: Bytes


def new_ngram_scratch(longest: int, vocabulary_tokens: int) -> NgramScratch:
    """For documents of at most `longest` bytes."""
    size = longest + 64
    power = 64
    while power < 2 * size + 8:
        power *= 2
    one = (np.zeros(size, np.int32) for _ in range(5))
    return NgramScratch(
        tokens=next(one),
        byte_ends=next(one),
        character_ends=next(one),
        joined=np.zeros(size + 64, np.uint8),
        token_counts=np.zeros(vocabulary_tokens, np.int32),
        words=np.zeros(power, np.uint64),
        counts=np.zeros(power, np.int32),
        slots=np.full(power, -1, np.int32),
        runs=next(one),
        places=next(one),
        marked=np.zeros(size, np.uint8),
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
        for place in range(tokens):
            scratch.places[place] = place
        candidates = tokens
        for size in range(5, 11):
            candidates = list_candidates(scratch, tokens, size, candidates)
            mask = power_of_two(2 * candidates) - 1
            row[GRAM_REPEATED + size - 5] = repeated_characters(scratch, size, candidates, mask)


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
    scratch.counts[0] = touched  # or the compiler would leave the touching out
    return count


@kernel
def mark_frequent_tokens(scratch: NgramScratch, tokens: int) -> int:
    """Marks the places of tokens that come again, each a run of its own; gives the number of distinct tokens."""
    token_counts = scratch.token_counts
    distinct = 0
    for place in range(tokens):
        distinct += token_counts[scratch.tokens[place]] == 0
        token_counts[scratch.tokens[place]] += 1
    for place in range(tokens):
        scratch.runs[place] = scratch.tokens[place]
        scratch.marked[place] = token_counts[scratch.tokens[place]] > 1
    for place in range(tokens):
        token_counts[scratch.tokens[place]] = 0
    return distinct


@kernel
def top_run(scratch: NgramScratch, tokens: int, size: int) -> int:
    """Characters times frequency of the most frequent run of `size` tokens, 0 if there is none; of equals the first.

    `marked` says where a run of `size` - 1 begins that comes again, and `runs` which; afterwards, those of `size`.
    """
    if tokens < size:
        return 0
    marked, places, runs, counts = scratch.marked, scratch.places, scratch.runs, scratch.counts
    candidates = 0
    for place in range(tokens - size + 1):
        places[candidates] = place
        candidates += marked[place] & marked[place + 1]
    for place in range(tokens):
        marked[place] = 0
    number_runs(scratch, candidates, size)
    best, best_count = 0, 1
    for index in range(candidates):
        place = places[index]
        count = counts[runs[place]]
        marked[place] = count > 1
        if count > best_count:
            best, best_count = place, count
    characters = scratch.character_ends[best + size] - scratch.character_ends[best] + size - 1
    return np.int64(characters) * np.int64(best_count)


@kernel
def number_runs(scratch: NgramScratch, candidates: int, size: int) -> None:
    """Numbers the runs of `size` tokens at the first of `places`, equal ones alike, and counts them by number.

    A run is the one of a token less, which has a number, and a token: together its key. The number is the key's slot.
    """
    keys, counts, runs, tokens = scratch.words, scratch.counts, scratch.runs, scratch.tokens
    mask = power_of_two(2 * candidates) - 1
    for slot in range(mask + 1):
        keys[slot] = U(0)
        counts[slot] = 0
    for index in range(candidates):
        place = np.int64(scratch.places[index])
        left, right = U(runs[place]), U(tokens[place + size - 1]) + U(1)
        key = left << U(32) | right
        slot = np.int64(fold(left ^ MIX_0, right ^ MIX_1)) & mask
        while True:
            held = keys[slot]
            found = (held == key) | (held == U(0))  # one branch for both: which it is cannot be foreseen
            slot = (slot + 1 - found) & mask
            if found:
                break
        keys[slot] = key
        counts[slot] += 1
        runs[place] = slot


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
    joined, places, bitmap, hashes = scratch.joined, scratch.places, scratch.words, scratch.runs
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
def list_candidates(scratch: NgramScratch, tokens: int, size: int, listed: int) -> int:
    """Leaves those of the first `listed` of `places` that can begin a run of `size` tokens that comes again; gives their number.

    A run that has a whole window must be marked for it. What can begin no run of `size` can begin no longer one.
    """
    places, byte_ends, marked, count = scratch.places, scratch.byte_ends, scratch.marked, 0
    while listed > 0 and places[listed - 1] + size > tokens:
        listed -= 1
    for index in range(listed):
        place = np.int64(places[index])
        bytes_of_run = byte_ends[place + size] - byte_ends[place]
        needed = (bytes_of_run >= WINDOW) * HAS_WINDOW + (bytes_of_run >= 2 * WINDOW) * HAS_WIDE_WINDOW
        places[count] = place
        count += marked[place] & needed == needed
    return count


@kernel
def repeated_characters(scratch: NgramScratch, size: int, candidates: int, mask: int) -> int:
    """Characters in runs of `size` tokens that came before: behind one the search goes on `size` tokens further, and runs
    that begin inside it are not remembered."""
    joined, byte_ends, slots = scratch.joined, scratch.byte_ends, scratch.slots
    characters = free = used = 0
    for index in range(candidates):
        place = np.int64(scratch.places[index])
        if place < free:
            continue
        start, stop = np.int64(byte_ends[place]), np.int64(byte_ends[place + size])
        slot = np.int64(run_hash(joined, start, stop)) & mask
        while True:
            other = np.int64(slots[slot])
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


@kernel
def run_hash(joined: Bytes, start: int, stop: int) -> np.uint64:
    """A hash of a run's bytes: a few tokens mostly have 16 to 32, and two halves that overlap take no branch."""
    if stop == start:  # words may be empty
        return MIX_1
    if stop - start < 16:
        low, high = key_of(joined, start, stop - start)
        return key_hash(low, high, stop - start)
    value = fold(load8(joined, start) ^ MIX_0 ^ U(stop - start), load8(joined, start + 8) ^ MIX_1)
    for at in range(start + 16, stop - 16, 16):
        value = fold(value ^ load8(joined, at), load8(joined, at + 8) ^ MIX_1)
    value = fold(value ^ load8(joined, stop - 16), load8(joined, stop - 8) ^ MIX_1)
    return fold(value, MIX_1)
