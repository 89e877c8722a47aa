"""How the tables of the tokenizer's rules are laid out: shared by their builder and by the kernels that read them.

Few and flat arrays, because a kernel gets them on every call and an array that is passed costs time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Int32s = npt.NDArray[np.int32]


class Tables(NamedTuple):
    """The rules, compiled.

    page          int32[4352]: which 256 entries of the three arrays below hold a code point, by code point >> 8
    classes       int64[pages * 256]: class bits of a code point; the fixed ones below, those of the regexes after them
    candidates    int32[pages * 256]: three groups of 10 bits, `group_of`: alternatives that a code point can begin (prefix),
                  end (suffix) or begin (infix); 0 none
    normal        int32[pages * 256]: the normal form of a code point: SAME, BY_PYTHON, or offset << 5 | bytes in `pool`
    pool          uint8: normal forms in UTF-8
    alternatives  int32[n, 24]: the regexes' alternatives in the order in which a regex tries them, see below
    groups        int32: offsets of the groups, then their alternatives; group g is groups[groups[g]:groups[g + 1]]
    specials      int32: the special cases ("can't" is "ca", "n't"), a string set with extras
    phrases       int32: the tokens of special cases that other rules would cut, a string set with extras
    """

    page: Int32s
    classes: npt.NDArray[np.int64]
    candidates: Int32s
    normal: Int32s
    pool: npt.NDArray[np.uint8]
    alternatives: Int32s
    groups: Int32s
    specials: Int32s
    phrases: Int32s


# Fixed class bits. What each means in Python is in `characters.py`.
SPACE = 0  # str.isspace
LETTER = 1  # str.isalpha
SYMBOL = 2  # punctuation.SYMBOLS
TERMINAL = 3  # punctuation.TERMINAL_PUNCTUATION
SENTENCE_END = 4  # punctuation.SENTENCE_END
PUNCTUATION_CATEGORY = 5  # Unicode category P*
DOMAIN_LETTER = 6  # the letters that a URL's last label is made of, by spaCy's URL pattern
HOST_LETTER = 7  # the letters that a URL's other labels begin and end with
WORD_CHARACTER = 8  # \w of re
DIGIT = 9  # \d of re
NUMBER = 10  # \p{Nd} of normalisation
NUMBER_SEPARATOR = 11  # may stand once inside a number
TO_BLANK = 12  # punctuation.PUNCTUATION: normalisation makes it a blank
UPPER = 13  # str.isupper
FIXED_CLASSES = 14

# `Tables.normal`
SAME = -1  # stays as it is
BY_PYTHON = -2  # depends on its neighbours: the chunk is normalised in Python

# Columns of an alternative. An item is (kind, value): a code point, or a class bit.
IS_CODE_POINT, IS_CLASS = 0, 1
LOOK_BEHIND_COUNT = 0  # items that must stand before, at most 2
LOOK_BEHIND = 1  # 2 items
BODY_COUNT = 5  # items that are matched, at most 6
BODY = 6  # 6 items
REPEATS = 18  # 1: the last body item is matched as often as possible
LOOK_AHEAD = 19  # 0 none, 1 the item must follow, 2 it must not
LOOK_AHEAD_ITEM = 20  # 1 item
ALTERNATIVE_WIDTH = 24

# A string set: 16 numbers, where in the array each part begins (or the number itself), then the parts.
SLOTS = 0  # open addressing by `hash_of`, entry or -1
SLOT_MASK = 1  # number: slots - 1
OFFSETS = 2  # of each string in CODE_POINTS
CODE_POINTS = 3
REJECT = 4  # [length, first code point & 63]: 0 where no such string is in the set
LONGEST = 5  # number: code points of the longest string
SET_HEADER = 16

# Extras of `specials`
TOKEN_OFFSETS = 6  # of each special case in TOKEN_LENGTHS
TOKEN_LENGTHS = 7  # code points of the tokens that it is cut into

# Extras of `phrases`: its strings are tokens; a pattern is a run of them
FLAGS = 6  # of each token: OPENS, CONTINUES
FIRST_OFFSETS = 7  # of each token in FIRST_PATTERNS
FIRST_PATTERNS = 8  # patterns that begin with the token
PATTERN_OFFSETS = 9  # of each pattern in PATTERN_TOKENS
PATTERN_TOKENS = 10
PATTERN_SPECIAL = 11  # of each pattern: the special case that it spells
OPENS, CONTINUES = 1, 2

HASH_SEED, HASH_PRIME = 1469598103934665603, 1099511628211  # FNV-1a over code points, then h ^ (h >> 29)


def group_of(candidates: int, kind: int) -> int:
    """The group of alternatives of a code point for prefixes (0), suffixes (1) or infixes (2)."""
    return (candidates >> (10 * kind)) & 1023
