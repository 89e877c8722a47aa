"""What is known of a page's nodes and blocks beside how they were parsed: the arrays, and their columns."""

from __future__ import annotations

from typing import NamedTuple

from curation.text.kernels.compiling import Bytes, Int32s, Int64s, UInt64s

# Columns of statistics: counts over a block's text
(
    WORDS,  # runs of ASCII letters, digits and bytes beyond ASCII; half of the bytes E3 to ED, which begin CJK characters, more;
    #       and a quarter of the characters of scripts without blanks between words (see `statistics.unspaced_letter`)
    CHARACTERS,  # bytes that are no white space
    COMMAS,  # and semicolons
    SENTENCES,  # full stops, exclamation and question marks before white space, and ideographic full stops
    DIGITS,
    CAPITALS,
    BEYOND_ASCII,  # bytes
    LAST,  # kind of the last character: 1 full stop, 2 ! or ?, 3 colon, 4 comma or semicolon, 5 other mark, 0 letter
    FIRST,  # class of the first word's first byte
    CAPITALISED,  # words that begin with a capital
    SYMBOLS,  # | > /
    CURRENCY,  # $ £ ¥ €
    IN_TITLE,  # words of two and more bytes that are in <title>, and in the description
    TITLE_COVER,  # share of the title's distinct words, roughly
    IN_DESCRIPTION,
    LINK_SHARE,  # of characters
) = range(16)
STATISTICS = 16

# Columns of `linear`: sums of hashed weights, each divided by the square root of how many
(
    NEAR,  # words of the elements up to the second block-level one
    FAR,  # words of all elements around the block
    OF_TEXT,  # words of the block itself, if it is short
    ALL,  # sum of the others and the bias
    LEAST,  # least and greatest sum of a single element around it
    GREATEST,
    OF_HEADINGS,  # words of the three nearest headings
) = range(7)
LINEAR = 7

# Columns of `sums`, prefix sums over blocks: difference of two rows is what is between
(SUM_WORDS, SUM_LINKED, SUM_SENTENCES, SUM_LINEAR, SUM_WEIGHT) = range(5)
SUMS = 5

HEADINGS = 3  # of a block that are known
TITLE_SLOTS, DESCRIPTION_SLOTS = 64, 512  # of the hash tables of their words
SHORT_TEXT = 90  # bytes; the words of a block that is no longer are hashed for the linear scores
BLOCK_WORDS = SHORT_TEXT // 2 + 3  # hashed words of one block, at most


class Measures(NamedTuple):
    """Arrays that are as long as the page has nodes or blocks, or longer.

    statistics   float32[blocks, STATISTICS]
    text_hashes  uint64[blocks]: of the text without white space
    text_words   uint32[BLOCK_WORDS * blocks]: hashes of words of short blocks, those of block k end at text_ends[k], int32
    title_words, description_words   uint64[.._SLOTS]: hash sets
    headings     int32[blocks, HEADINGS]: nearest enclosing heading blocks of level 2 to 6, -1 for none
    wider        int32[nodes]: nearest node around with more blocks, -1 for none
    twins        int32[nodes]: siblings with the same signature, itself included
    twin_slots   int64[nodes]: scratch
    groups       int64[blocks]: number of the block's group: same elements, three levels up
    linear       float32[blocks, LINEAR]
    node_sums    float32[nodes, 7]: scratch of the linear scores
    node_scores  float32[nodes]: readable words below each node
    sums         float64[blocks + 1, SUMS]
    group_sums   float64[blocks, SUMS]
    keys, values  uint64 and int64, a power of two above 2 * (nodes + blocks) + 16: hash tables, one after the other
    page_numbers  float32[page_numbers.NUMBERS]
    rows         float32[blocks, features.FEATURES]
    first        float32[blocks]: probabilities of the first stage, then those of the second in `final`
    scores       float32[blocks]: sums of trees
    chosen       int32[blocks]: rows that go through the trees
    tile         int32[trees.TILE * features.FEATURES]
    page_row     float32[choosing.PAGE_ROW], type_chances float32[choosing.PAGE_TYPES]
    keep         uint8[blocks]
    shares       float64[2, choosing.STEPS]: histogram of words by probability, and expected main words
    output       uint8, as long as the page's text and a line feed for each block
    """

    statistics: Bytes
    text_hashes: UInt64s
    text_words: Bytes
    text_ends: Int32s
    title_words: UInt64s
    description_words: UInt64s
    headings: Int32s
    wider: Int32s
    twins: Int32s
    twin_slots: Int64s
    groups: Int64s
    linear: Bytes
    node_sums: Bytes
    node_scores: Bytes
    sums: Bytes
    group_sums: Bytes
    keys: UInt64s
    values: Int64s
    page_numbers: Bytes
    rows: Bytes
    first: Bytes
    final: Bytes
    scores: Bytes
    chosen: Int32s
    tile: Int32s
    page_row: Bytes
    type_chances: Bytes
    keep: Bytes
    shares: Bytes
    output: Bytes


class Trees(NamedTuple):
    """Boosted trees, packed (see `trees`).

    nodes    uint64[nodes]
    values   float32[nodes], of leaves
    roots    int32[trees]: first node of each
    depths   int32[trees]
    """

    nodes: UInt64s
    values: Bytes
    roots: Int32s
    depths: Int32s


class Model(NamedTuple):
    """Fitted weights.

    elements, texts, headings   int8[65,536, 2] and int8[65,536]: weights of hashed words of elements (near and far), of short
                                texts, and of headings above; in steps of the four `scales`, float32
    bias                        of the sum of linear scores
    first, second, types        trees of both stages, and of the page's type
    beta, skip                  the rule of choice, and the first probability under which a block is not looked at again
    calibration                 float32[knots, 2]: expected F1, and the one measured; no kernel reads it (see `calibration`)
    """

    elements: Bytes
    texts: Bytes
    headings: Bytes
    scales: Bytes
    bias: float
    first: Trees
    second: Trees
    types: Trees
    beta: float
    skip: float
    calibration: Bytes
