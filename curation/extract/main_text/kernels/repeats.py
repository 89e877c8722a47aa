"""Blocks that say again what the text says already: copies for small screens, quotations, an article inside of the next one.

A text is known by its shingles, runs of four words, whose hashes are bits of a set that is twice as long in bytes as the page
has words at most: one of them is taken for there by chance one time in some twenty, and four of five in a block never.
"""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import measuring as m
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.characters import CASE, CLASS, HASH_FACTOR, HASH_START, OTHER, UPPER, U, mixed
from curation.extract.main_text.kernels.measuring import Measures
from curation.extract.main_text.kernels.page import Page
from curation.text.kernels.compiling import inlined, kernel

SHINGLE = 4  # words; all of them in a shorter block
LEAST_WORDS = 8  # of a block that can be a repeat
SURE = np.float32(0.9)  # probability from which a block is kept though it is one
REPEATED = 0.8  # share of a block's shingles that are there


@inlined
def look_up(seen, shingle, adds):  # type: ignore[no-untyped-def]
    """Whether a shingle is in a set of bits, to which it is added if so wished."""
    place = np.int64(mixed(shingle) % U(8 * len(seen)))
    bit = 1 << (place & 7)
    is_there = seen[place >> 3] & bit != 0
    if adds:
        seen[place >> 3] |= bit
    return is_there


@kernel
def count_shingles(page: Page, block: int, seen, adds: bool) -> tuple[int, int]:  # type: ignore[no-untyped-def]
    """How many shingles a block has, and how many of them are in the set."""
    start, stop = np.int64(page.blocks[block, p.TEXT_START]), np.int64(page.blocks[block, p.TEXT_END])
    first = second = third = U(0)  # the three words before, from the farthest on
    word, shingle = HASH_START, U(0)
    size = words = there = 0
    for at in range(start, stop + 1):
        byte = np.int64(page.text[at]) if at < stop else 0
        category = CLASS[byte]
        if category != OTHER:
            word = (word ^ U(byte | CASE if category == UPPER else byte)) * HASH_FACTOR
            size += 1
        elif size > 0:
            words += 1
            shingle = ((first * HASH_FACTOR + second) * HASH_FACTOR + third) * HASH_FACTOR + word
            if words >= SHINGLE:
                there += look_up(seen, shingle, adds)
            first, second, third = second, third, word
            word, size = HASH_START, 0
    if 0 < words < SHINGLE:
        there = np.int64(look_up(seen, shingle, adds))
    return max(words - SHINGLE + 1, min(words, 1)), there


@kernel
def drop_repeats(page: Page, measures: Measures) -> int:
    """Takes out blocks that repeat what is kept; gives how many words they have.

    Sure blocks are kept first, and the others are held against them and those before them in the page. `output`, which is written
    later, is the room of the set.
    """
    count, dropped = page.facts[p.BLOCKS], 0
    seen = measures.output[: page.facts[p.TEXT_BYTES] + count]
    seen[:] = 0
    for block in range(count):
        if measures.keep[block] != 0 and measures.final[block] >= SURE:
            count_shingles(page, block, seen, True)
    for block in range(count):
        if measures.keep[block] == 0 or measures.final[block] >= SURE:
            continue
        words = np.int64(measures.statistics[block, m.WORDS])
        shingles, there = count_shingles(page, block, seen, False)
        if words >= LEAST_WORDS and there >= REPEATED * shingles:
            measures.keep[block] = 0
            dropped += words
        else:
            count_shingles(page, block, seen, True)
    return dropped
