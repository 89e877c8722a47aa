"""Counts over the text of each block, and hashes of it and of its words."""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import measuring as m
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.characters import (
    BANG,
    BAR,
    BEYOND_ASCII,
    BLANK,
    CASE,
    CLASS,
    COLON,
    COMMA,
    DIGIT,
    DOLLAR,
    GREATER,
    HASH_FACTOR,
    HASH_START,
    OTHER,
    QUESTION,
    QUOTE,
    SEMICOLON,
    SLASH,
    STOP,
    UPPER,
    U,
    mixed,
)
from curation.extract.main_text.kernels.measuring import Measures
from curation.extract.main_text.kernels.page import Page
from curation.text.kernels.compiling import Bytes, UInt64s, inlined, kernel

TITLE_WORDS, DESCRIPTION_WORDS = 40, 300  # distinct ones that are remembered
FEW_WORDS = 6  # the first words of a long block are hashed, too, in another way
_IN_USE = U(1)  # set in every key of a hash set, whose free slots are zero


@kernel
def fill_words(html: Bytes, start: int, stop: int, table: UInt64s, limit: int) -> int:
    """Puts the words of a range, in lower case, into a hash set, up to a limit. Gives how many are in it."""
    table[:] = 0
    mask, count, value, size = table.shape[0] - 1, 0, HASH_START, 0
    for place in range(start, stop + 1):
        byte = html[place] if place < stop else BLANK
        category = CLASS[byte]
        if category != OTHER:
            value = (value ^ U(byte | CASE if category == UPPER else byte)) * HASH_FACTOR
            size += 1
        else:
            if size > 1 and count < limit:
                key = mixed(value) | _IN_USE
                slot = np.int64(key >> U(40)) & mask
                while table[slot] != 0 and table[slot] != key:
                    slot = (slot + 1) & mask
                if table[slot] == 0:
                    table[slot] = key
                    count += 1
            value, size = HASH_START, 0
    return count


@inlined
def is_in(table: UInt64s, key: np.uint64) -> bool:
    """Whether a hash set has a key."""
    mask = table.shape[0] - 1
    slot = np.int64(key >> U(40)) & mask
    while table[slot] != 0 and table[slot] != key:
        slot = (slot + 1) & mask
    return table[slot] == key


@inlined
def currency_sign(text: Bytes, at: int, stop: int) -> bool:
    """Whether £, ¥ or € stands here."""
    pound_or_yen = text[at] == 0xC2 and at + 1 < stop and (text[at + 1] == 0xA3 or text[at + 1] == 0xA5)
    return pound_or_yen or (text[at] == 0xE2 and at + 2 < stop and text[at + 1] == 0x82 and text[at + 2] == 0xAC)


@inlined
def ideographic_mark(text: Bytes, at: int, stop: int) -> int:
    """1 where an ideographic comma stands, 2 where a full stop does, else 0."""
    is_mark = text[at] == 0xE3 and at + 2 < stop and text[at + 1] == 0x80
    return 1 if is_mark and text[at + 2] == 0x81 else (2 if is_mark and text[at + 2] == 0x82 else 0)


@inlined
def unspaced_letter(text: Bytes, at: int, stop: int) -> bool:
    """Whether a character of Thai, Lao, Tibetan, Burmese or Khmer stands here, scripts that set no blanks between words."""
    if at + 1 >= stop:
        return False
    second = text[at + 1]
    if text[at] == 0xE0:
        return second >= 0xB8
    return text[at] == 0xE1 and (second <= 0x82 or second == 0x9E or second == 0x9F)


@kernel
def last_mark(last: int) -> int:
    """The column LAST, from a text's last byte."""
    if last == STOP or last == 0x82:  # 0x82 also ends the ideographic full stop
        return 1
    if last == BANG or last == QUESTION:
        return 2
    if last == COLON:
        return 3
    if last == COMMA or last == SEMICOLON:
        return 4
    return 5 if last > 0 and CLASS[last] == OTHER else 0


@kernel
def measure_block(page: Page, measures: Measures, block: int, word_count: int, title_count: int) -> int:
    """Fills in a block's statistics and hashes; gives the number of hashed words, its own included."""
    text = page.text
    start, stop = np.int64(page.blocks[block, p.TEXT_START]), np.int64(page.blocks[block, p.TEXT_END])
    is_short = stop - start <= m.SHORT_TEXT
    words = characters = commas = sentences = digits = capitals = beyond = capitalised = symbols = currency = 0
    in_title = cover = in_description = ideographs = unspaced = size = first = last = 0
    text_hash = word_hash = HASH_START
    previous = U(0)
    for at in range(start, stop + 1):
        byte = np.int64(text[at]) if at < stop else BLANK
        category = CLASS[byte]
        if byte > BLANK:
            characters += 1
            last = byte
            text_hash = (text_hash ^ U(byte)) * HASH_FACTOR
        if category != OTHER:
            if size == 0:
                capitalised += category == UPPER
                first = category if first == 0 else first
            if category == UPPER:
                capitals += 1
                byte |= CASE
            elif category == DIGIT:
                digits += 1
            elif category == BEYOND_ASCII:
                beyond += 1
                ideographs += 0xE3 <= byte <= 0xED
                unspaced += unspaced_letter(text, at, stop)
                currency += currency_sign(text, at, stop)
                mark = ideographic_mark(text, at, stop)
                commas += mark == 1
                sentences += mark == 2
            word_hash = (word_hash ^ U(byte)) * HASH_FACTOR
            size += 1
            continue
        if size > 0:
            words += 1
            value = mixed(word_hash)
            if size > 1:
                if is_in(measures.title_words, value | _IN_USE):
                    in_title += 1
                    cover += value != previous
                    previous = value
                in_description += is_in(measures.description_words, value | _IN_USE)
            if is_short or words <= FEW_WORDS:
                measures.text_words[word_count] = np.uint32(value >> (U(32) if is_short else U(31)))
                word_count += 1
            word_hash, size = HASH_START, 0
        if byte == COMMA or byte == SEMICOLON:
            commas += 1
        elif byte == STOP or byte == BANG or byte == QUESTION:
            sentences += at + 1 >= stop or text[at + 1] <= QUOTE
        elif byte == BAR or byte == GREATER or byte == SLASH:
            symbols += 1
        elif byte == DOLLAR:
            currency += 1
    text_hash = mixed(text_hash)
    if is_short:
        measures.text_words[word_count] = np.uint32(text_hash >> U(32))
        word_count += 1
    measures.text_ends[block] = word_count
    measures.text_hashes[block] = text_hash
    row = measures.statistics[block]
    row[m.WORDS] = words + ideographs // 2 + unspaced // 4
    row[m.CHARACTERS] = characters
    row[m.COMMAS], row[m.SENTENCES] = commas, sentences
    row[m.DIGITS], row[m.CAPITALS], row[m.BEYOND_ASCII] = digits, capitals, beyond
    row[m.LAST], row[m.FIRST] = last_mark(last), first
    row[m.CAPITALISED], row[m.SYMBOLS], row[m.CURRENCY] = capitalised, symbols, currency
    row[m.IN_TITLE], row[m.IN_DESCRIPTION] = in_title, in_description
    row[m.TITLE_COVER] = cover / max(title_count, 1)
    row[m.LINK_SHARE] = min(1.0, page.blocks[block, p.LINKED] / max(characters, 1))
    return word_count


@inlined
def measure_texts(page: Page, measures: Measures) -> None:
    """Fills in what is counted over texts."""
    facts = page.facts
    titles = fill_words(page.html, facts[p.TITLE_START], facts[p.TITLE_END], measures.title_words, TITLE_WORDS)
    fill_words(
        page.html,
        facts[p.DESCRIPTION_START],
        facts[p.DESCRIPTION_END],
        measures.description_words,
        DESCRIPTION_WORDS,
    )
    count = 0
    for block in range(facts[p.BLOCKS]):
        count = measure_block(page, measures, block, count, titles)
