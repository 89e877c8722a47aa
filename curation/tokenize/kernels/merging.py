"""The merges of byte-level BPE from counts of pre-tokens: the pair that occurs most often becomes a token, again and again.

A merge visits the words that have its pair and no others. What it changes are the counts of pairs beside the merged ones; all of
these have one of three fixed symbols on one side, so changes are summed in arrays over the other, and the table of pairs is
looked up once for each pair that changed, however many words it is in.

Which pair is merged, and what comes of ties, is as in the trainer of the `tokenizers` library (`models/bpe/trainer.rs`), so that
merges are the same:

- The largest count first; of equal counts the smaller left id, then the smaller right id.
- A merge may spell a token that there is already, a special token above all; it gets that id, and its pairs are queued again
  with the words found now. A pair can so come up twice; of its two ranks the later one counts.
- A pair's count is not taken back when the pair itself is merged, and grows from there if the pair comes up again.
- The end is a full vocabulary, or a greatest count of zero. Every byte has a token already.

Counts have 64 bits; the library's have 32. Sources: Sennrich et al. 2016; github.com/huggingface/tokenizers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from curation.text.kernels.compiling import Bytes, Int32s, Int64s, entry, kernel
from curation.text.kernels.primitives import hash_range, same_bytes
from curation.tokenize.kernels.pair_queue import (
    HEAP,
    LOGGED,
    MERGES,
    PAIRS,
    PLACES,
    TOKEN_BYTES,
    TOKENS,
    TOUCHED,
    Queue,
    add_to_pair,
    count_of_pair,
    key_of_pair,
    left_of,
    push,
    recount_top,
    remove_top,
    right_of,
)

U = np.uint64
PADDING = 64
BYTES = 256


class Words(NamedTuple):
    """symbols  int32: the words' symbols end to end; a word shrinks in its place
    starts   int64[words + 1]
    sizes    int32[words]: symbols that a word has now
    counts   int64[words]
    """

    symbols: Int32s
    starts: Int64s
    sizes: Int32s
    counts: Int64s


class Changes(NamedTuple):
    """What one merge changes, by the symbol beside it: 2 * symbol for one on the left, 2 * symbol + 1 on the right.

    lost, gained    int64: what to take from the pair with the old symbol, and to give the pair with the new one
    listed          int32: how many words are logged for the new pair
    last            int32: the last of them, or -1
    touched         int32: which sides have changed; `known` tells them, uint8
    log_side, log_word  int32: words that have a new pair, in the order in which they were met
    """

    lost: Int64s
    gained: Int64s
    listed: Int32s
    last: Int32s
    touched: Int32s
    known: Bytes
    log_side: Int32s
    log_word: Int32s


class Vocabulary(NamedTuple):
    """starts  int64[room + 1]: where each token's bytes begin in `text`
    text    uint8
    table   int32[a power of two]: token or -1, by its bytes; open addressing
    merges  int32[room, 3]: left, right, token
    """

    starts: Int64s
    text: Bytes
    table: Int32s
    merges: Int32s


@entry
def count_byte_pairs(text: Bytes, words: Words, counts: Int64s, listed: Int64s, last: Int32s) -> None:
    """How often each pair of bytes occurs, and in how many words. All three are int[65536]; `last` begins as -1."""
    for word in range(len(words.counts)):
        for place in range(words.starts[word], words.starts[word + 1] - 1):
            pair = np.int64(text[place]) * BYTES + text[place + 1]
            counts[pair] += words.counts[word]
            if last[pair] != word:
                last[pair] = word
                listed[pair] += 1


@entry
def queue_byte_pairs(
    text: Bytes, ids: Int32s, words: Words, counts: Int64s, firsts: Int64s, nexts: Int64s, last: Int32s, queue: Queue,
    used: Int64s,
) -> None:  # fmt: skip
    """Lists the words of each pair of bytes, from `firsts` on, and queues the pairs. `ids` are the bytes' tokens.

    nexts  a copy of `firsts`; `last` begins as -1
    """
    for word in range(len(words.counts)):
        for place in range(words.starts[word], words.starts[word + 1] - 1):
            pair = np.int64(text[place]) * BYTES + text[place + 1]
            if last[pair] != word:
                last[pair] = word
                queue.places[nexts[pair]] = word
                nexts[pair] += 1
    for pair in range(BYTES * BYTES):
        if counts[pair] > 0:
            key = key_of_pair(ids[pair // BYTES], ids[pair % BYTES])
            add_to_pair(queue.pairs, used, key, counts[pair])
            push(queue.heap, used, counts[pair], key, firsts[pair], nexts[pair] - firsts[pair])


@entry
def enter_token(vocabulary: Vocabulary, used: Int64s, start: int, stop: int) -> int:
    """The token whose bytes are `text[start:stop]`; the next id where there is none, if these are the last bytes in use."""
    size = stop - start
    mask = len(vocabulary.table) - 1
    slot = np.int64(hash_range(vocabulary.text, start, stop)) & mask
    while vocabulary.table[slot] >= 0:
        token = vocabulary.table[slot]
        begin = vocabulary.starts[token]
        same = vocabulary.starts[token + 1] - begin == size
        if same and same_bytes(vocabulary.text, begin, vocabulary.text, start, size):
            return token
        slot = (slot + 1) & mask
    token = used[TOKENS]
    vocabulary.table[slot] = token
    vocabulary.starts[token + 1] = stop
    used[TOKENS], used[TOKEN_BYTES] = token + 1, stop
    return token


@kernel
def join_tokens(vocabulary: Vocabulary, used: Int64s, left: int, right: int) -> int:
    """The token that two tokens spell together."""
    start = used[TOKEN_BYTES]
    stop = start
    for token in (left, right):
        for place in range(vocabulary.starts[token], vocabulary.starts[token + 1]):
            vocabulary.text[stop] = vocabulary.text[place]
            stop += 1
    return enter_token(vocabulary, used, start, stop)


@kernel
def touch(changes: Changes, used: Int64s, side: int) -> None:
    """Notes that a side has changed."""
    if changes.known[side] == 0:
        changes.known[side] = 1
        changes.touched[used[TOUCHED]] = side
        used[TOUCHED] += 1


@kernel
def log_new(changes: Changes, used: Int64s, side: int, word: int, count: int) -> None:
    """Notes that a word has a new pair, once more."""
    touch(changes, used, side)
    changes.gained[side] += count
    if changes.last[side] != word:
        changes.last[side] = word
        changes.listed[side] += 1
        changes.log_side[used[LOGGED]], changes.log_word[used[LOGGED]] = side, word
        used[LOGGED] += 1


@kernel
def merge_in_word(words: Words, word: int, left: int, right: int, token: int, changes: Changes, used: Int64s) -> None:
    """Merges a pair wherever it stands in a word, from the left on."""
    symbols, start, count = words.symbols, words.starts[word], words.counts[word]
    stop = start + words.sizes[word]
    read = write = start
    while read < stop:
        symbol = symbols[read]
        if symbol != left or read + 1 >= stop or symbols[read + 1] != right:
            symbols[write] = symbol
            read += 1
            write += 1
            continue
        if write > start:
            side = 2 * np.int64(symbols[write - 1])
            changes.lost[side] += count
            log_new(changes, used, side, word, count)
        symbols[write] = token
        read += 2
        write += 1
        if read < stop:
            behind = np.int64(symbols[read])
            side = 2 * behind + 1
            touch(changes, used, side)
            changes.lost[side] += count
            log_new(changes, used, side - 1 if behind == token else side, word, count)  # a pair has one side
    words.sizes[word] = write - start


@kernel
def settle_changes(changes: Changes, queue: Queue, used: Int64s, left: int, right: int, token: int) -> None:
    """Takes what a merge changed into the counts of pairs, queues the pairs that it made, and forgets the changes."""
    for index in range(used[TOUCHED]):
        side = np.int64(changes.touched[index])
        beside = side >> 1
        if changes.lost[side] != 0:
            old = key_of_pair(right, beside) if side & 1 else key_of_pair(beside, left)
            add_to_pair(queue.pairs, used, old, -changes.lost[side])
        if changes.listed[side] > 0:
            new = key_of_pair(token, beside) if side & 1 else key_of_pair(beside, token)
            add_to_pair(queue.pairs, used, new, changes.gained[side])
    for index in range(used[TOUCHED]):
        side = np.int64(changes.touched[index])
        beside, size, first = side >> 1, np.int64(changes.listed[side]), used[PLACES]
        changes.last[side] = -1
        if size > 0:
            new = key_of_pair(token, beside) if side & 1 else key_of_pair(beside, token)
            count = count_of_pair(queue.pairs, new)
            if count > 0:
                push(queue.heap, used, count, new, first, size)
                changes.last[side] = first
                used[PLACES] += size
        changes.lost[side], changes.gained[side], changes.listed[side], changes.known[side] = 0, 0, 0, 0
    for index in range(used[LOGGED]):
        side = changes.log_side[index]
        if changes.last[side] >= 0:
            queue.places[changes.last[side]] = changes.log_word[index]
            changes.last[side] += 1
    for index in range(used[TOUCHED]):
        changes.last[changes.touched[index]] = -1
    used[TOUCHED] = used[LOGGED] = 0


@kernel
def has_room(queue: Queue, vocabulary: Vocabulary, used: Int64s, longest: int) -> bool:
    """Whether one merge more is sure to find room."""
    pairs = 2 * used[TOKENS] + 2
    return bool(
        2 * (used[PAIRS] + pairs) <= queue.pairs.shape[0]
        and used[HEAP] + pairs <= queue.heap.shape[0]
        and used[MERGES] < vocabulary.merges.shape[0]
        and used[TOKEN_BYTES] + longest + PADDING <= len(vocabulary.text)
    )


@entry
def merge_pairs(
    words: Words, queue: Queue, changes: Changes, vocabulary: Vocabulary, used: Int64s, wanted: int, longest: int
) -> bool:
    """Merges until there are `wanted` tokens or no pairs. False where room is short: then call again with more.

    longest  bytes of a word
    """
    while used[TOKENS] < wanted and used[HEAP] > 0:
        if not has_room(queue, vocabulary, used, longest):
            return False
        if not recount_top(queue, used):
            continue
        key, count, first, size = remove_top(queue, used)
        if count == 0:
            break
        left, right = left_of(key), right_of(key)
        token = join_tokens(vocabulary, used, left, right)
        row = vocabulary.merges[used[MERGES]]
        row[0], row[1], row[2] = left, right, token
        used[MERGES] += 1
        for place in range(first, first + size):
            merge_in_word(words, queue.places[place], left, right, token, changes, used)
        settle_changes(changes, queue, used, left, right, token)
    return True
