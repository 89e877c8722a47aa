"""Byte-level BPE's merges from counts of pre-tokens: the room that the kernels work in, and what they leave there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from curation.tokenize.kernels import merging, pair_queue
from curation.tokenize.kernels.merging import BYTES, PADDING, Changes, Vocabulary, Words
from curation.tokenize.kernels.pair_queue import Queue

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]

# Room at the start; it grows.
PAIRS = 1 << 18  # a power of two, enough for all pairs of bytes
TOKEN_BYTES = 16  # of a token, on average
MORE_MERGES = 256  # than tokens: a merge may spell a token that there is


class Merges(NamedTuple):
    """What was learned.

    tokens  the bytes of each id
    pairs   the merges, (left id, right id), by rank
    """

    tokens: list[bytes]
    pairs: list[tuple[int, int]]


def learn_merges(
    text: npt.NDArray[np.uint8], bounds: Int64s, counts: Int64s, first: Sequence[bytes], wanted: int
) -> Merges:
    """The merges of words, until there are `wanted` tokens or no pairs; which, and in which order, see `merging`.

    text, bounds  the words' bytes end to end, and where each begins; no word twice
    counts        how often each occurs
    first         the tokens that there are, in the order of ids: each byte, and special tokens, b"" for one whose spelling
                  no merge can come upon. None twice but b""

    Memory: some 30 bytes for each byte of text. Time follows the words that each merge visits: seconds for a million words.
    """
    text = text.view()
    text.flags.writeable = False
    words = Words(
        symbols=np.array([first.index(bytes([byte])) for byte in range(BYTES)], np.int32)[text],
        starts=bounds.astype(np.int64),
        sizes=np.diff(bounds).astype(np.int32),
        counts=counts.astype(np.int64),
    )
    longest = int(words.sizes.max(initial=2))
    used = np.zeros(8, np.int64)
    vocabulary = _vocabulary_of(first, max(wanted, len(first)), longest, used)
    queue = _queue_of(text, words, used)
    changes = _no_changes(max(wanted, len(first)), len(text))
    while not merging.merge_pairs(words, queue, changes, vocabulary, used, wanted, longest):
        queue, vocabulary = _with_more_room(queue, vocabulary, used, longest)
    starts = vocabulary.starts[: used[pair_queue.TOKENS] + 1].tolist()
    tokens = [vocabulary.text[start:stop].tobytes() for start, stop in zip(starts[:-1], starts[1:], strict=True)]
    ranked: dict[tuple[int, int], None] = {}
    for left, right, _ in vocabulary.merges[: used[pair_queue.MERGES]].tolist():
        ranked.pop((left, right), None)  # of a pair that comes up twice the later rank counts, as in the library
        ranked[left, right] = None
    return Merges(tokens, list(ranked))


def _vocabulary_of(first: Sequence[bytes], room: int, longest: int, used: Int64s) -> Vocabulary:
    """A vocabulary of the first tokens, with room for more."""
    text = np.frombuffer(b"".join(first), np.uint8)
    vocabulary = Vocabulary(
        starts=np.zeros(room + 1, np.int64),
        text=np.concatenate([text, np.zeros(TOKEN_BYTES * room + longest + PADDING, np.uint8)]),
        table=np.full(1 << (2 * room).bit_length(), -1, np.int32),
        merges=np.zeros((room + MORE_MERGES, 3), np.int32),
    )
    for number, token in enumerate(first):
        start = int(used[pair_queue.TOKEN_BYTES])
        if token:
            entered = merging.enter_token(vocabulary, used, start, start + len(token))
            assert entered == number, f"the token {token!r} stands twice"
        else:
            vocabulary.starts[number + 1] = start
            used[pair_queue.TOKENS] += 1
    return vocabulary


def _queue_of(text: npt.NDArray[np.uint8], words: Words, used: Int64s) -> Queue:
    """The queue of all pairs of bytes. A merge adds two words to lists for each symbol that goes: that bounds `places`."""
    counts, listed = (np.zeros(BYTES * BYTES, np.int64) for _ in range(2))
    merging.count_byte_pairs(text, words, counts, listed, np.full(BYTES * BYTES, -1, np.int32))
    firsts = np.cumsum(listed) - listed
    used[pair_queue.PLACES] = listed.sum()
    queue = Queue(
        pairs=np.zeros((PAIRS, 2), np.uint64),
        heap=np.empty((PAIRS, 4), np.uint64),
        places=np.empty(3 * len(text) + 1, np.int32),
    )
    ids = np.zeros(BYTES, np.int32)
    ids[text] = words.symbols
    last = np.full(BYTES * BYTES, -1, np.int32)
    merging.queue_byte_pairs(text, ids, words, counts, firsts, firsts.copy(), last, queue, used)
    return queue


def _no_changes(tokens: int, symbols: int) -> Changes:
    """Room for what one merge may change at most."""
    return Changes(
        lost=np.zeros(2 * tokens, np.int64),
        gained=np.zeros(2 * tokens, np.int64),
        listed=np.zeros(2 * tokens, np.int32),
        last=np.full(2 * tokens, -1, np.int32),
        touched=np.zeros(2 * tokens, np.int32),
        known=np.zeros(2 * tokens, np.uint8),
        log_side=np.empty(symbols + 1, np.int32),
        log_word=np.empty(symbols + 1, np.int32),
    )


def _with_more_room(queue: Queue, vocabulary: Vocabulary, used: Int64s, longest: int) -> tuple[Queue, Vocabulary]:
    """The same with room for twice as many pairs, or merges, wherever room is short; see `merging.has_room`."""
    new_pairs = 2 * int(used[pair_queue.TOKENS]) + 2
    pairs, heap, text, merges = queue.pairs, queue.heap, vocabulary.text, vocabulary.merges
    while 2 * (used[pair_queue.PAIRS] + new_pairs) > len(pairs):
        larger: UInt64s = np.zeros((2 * len(pairs), 2), np.uint64)
        pair_queue.fill_pairs(pairs, larger)
        pairs = larger
    while used[pair_queue.HEAP] + new_pairs > len(heap):
        heap = np.concatenate([heap, np.empty_like(heap)])
    if used[pair_queue.TOKEN_BYTES] + longest + PADDING > len(text):
        text = np.concatenate([text, np.zeros(len(text) + longest, np.uint8)])
    if used[pair_queue.MERGES] >= len(merges):
        merges = np.concatenate([merges, np.zeros_like(merges)])
    return queue._replace(pairs=pairs, heap=heap), vocabulary._replace(text=text, merges=merges)


def warm_up() -> None:
    """Compiles the kernels of `merging`, by learning a merge."""
    words = np.frombuffer(b"abab", np.uint8), np.array([0, 4]), np.ones(1, np.int64)
    learn_merges(*words, [bytes([byte]) for byte in range(BYTES)], BYTES + 1)
