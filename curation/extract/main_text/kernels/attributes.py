"""A start tag's attributes: flags, hashed words of class, id, role and itemprop, and what meta and link elements say."""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels import tags
from curation.extract.main_text.kernels.characters import (
    APOSTROPHE,
    BEYOND_ASCII,
    CASE,
    CLASS,
    DIGIT,
    EQUALS,
    GREATER,
    HASH_FACTOR,
    HASH_START,
    IS_SPACE,
    LOWER,
    OTHER,
    QUOTE,
    SLASH,
    UPPER,
    ZERO,
    U,
    find,
    hash_lower,
    holds,
    lower,
    name_hash,
)
from curation.extract.main_text.kernels.page import Page
from curation.text.kernels.compiling import Bytes, inlined, kernel

(
    _CLASS,
    _ID,
    _ROLE,
    _STYLE,
    _HIDDEN,
    _ARIA_HIDDEN,
    _TYPE,
    _NAME,
    _PROPERTY,
    _CONTENT,
    _REL,
    HREF,
    _ITEMPROP,
    _ITEMTYPE,
) = (
    U(name_hash(name))
    for name in "class id role style hidden aria-hidden type name property content rel href itemprop itemtype".split()
)
SHADOW_ROOT = U(name_hash("shadowrootmode"))  # a <template> that is shown
_DESCRIPTION, _OG_DESCRIPTION, _OG_TYPE, _CANONICAL = (
    U(name_hash(name)) for name in "description og:description og:type canonical".split()
)
_NAVIGATION, _MAIN, _BANNER, _CONTENT_INFO, _COMPLEMENTARY, _DIALOG = (
    U(name_hash(name)) for name in "navigation main banner contentinfo complementary dialog".split()
)
_WORDS_COOKIE, _WORDS_CONSENT, _WORDS_COMMENT, _WORDS_DISQUS, _WORDS_JSON, _NO_DISPLAY, _NO_DISPLAY_SPACED = (
    np.frombuffer(word, np.uint8)
    for word in (b"cookie", b"consent", b"comment", b"disqus", b"ld+json", b"display:none", b"display: none")
)
_COOKIE, _COMMENT, _HIDDEN_FLAG, _ARIA, _ITEM = (
    tags.FLAG[name] for name in "cookie comment hidden ariahidden itemprop".split()
)
_COMMENTS = 1 << tags.COMMENTS_BIT
_NAV_FLAG, _MAIN_FLAG, _HEADER_FLAG, _FOOTER_FLAG, _ASIDE_FLAG, _DIALOG_FLAG = (
    tags.FLAG[name] for name in "nav main header footer aside dialog".split()
)

# How many bytes of a value are read.
CLASS_BYTES, ID_BYTES, ROLE_BYTES, ITEMPROP_BYTES, STYLE_BYTES, ITEMTYPE_BYTES = 400, 100, 40, 60, 300, 60
LONGEST_NAME = 14  # bytes; no attribute that is looked at has a longer name
MAX_FULL = 48  # letters of a class name that is taken whole
_GOLDEN = U(0x9E3779B97F4A7C15)
_CLASS_WORDS, _ID_WORDS, _ROLE_WORDS, _ITEMPROP_WORDS = 1, 2, 3, 4  # kinds of words: the same word hashes differently
_PART = 7  # added to the kind for the parts of a name

# What a script, meta, or link element is about
NOTHING, JSON_LD, DESCRIPTION, SOCIAL_DESCRIPTION, SOCIAL_TYPE, CANONICAL = range(6)


@kernel
def add_words(
    html: Bytes, start: int, stop: int, kind: int, words: Bytes, count: int, limit: int
) -> tuple[int, np.uint64]:
    """Appends the hashes of the names in a value, and of each name's parts ("post-list", "postList"), up to a limit.

    Digits count as one zero each run, so that "item-7" and "item-12" are one. Gives the new count, and a sum over the whole
    names that does not depend on their order.
    """
    full, part = HASH_START ^ U(kind), HASH_START ^ U(kind + _PART)
    full_size = part_size = parts = previous = 0
    signature = U(0)
    for place in range(start, stop + 1):
        byte = html[place] if place < stop else 32
        category = CLASS[byte]
        ends_name = IS_SPACE[byte] == 1
        if category == OTHER or (category == UPPER and previous == LOWER) or category == DIGIT:
            if part_size >= 2 and (parts > 0 or not ends_name) and count < limit:
                words[count] = np.uint32((part ^ (part >> U(31))) & U(0xFFFFFFFF))
                count += 1
            if part_size > 0:
                parts += 1
            part, part_size = HASH_START ^ U(kind + _PART), 0
        if ends_name:
            if full_size > 0:
                if full_size < MAX_FULL and count < limit:
                    words[count] = np.uint32((full ^ (full >> U(31))) & U(0xFFFFFFFF))
                    count += 1
                signature += full * _GOLDEN
            full, full_size, parts = HASH_START ^ U(kind), 0, 0
        elif category == DIGIT:
            if previous != DIGIT:
                full = (full ^ U(ZERO)) * HASH_FACTOR
                full_size += 1
        else:
            letter = byte | CASE if category == UPPER else byte
            full = (full ^ U(letter)) * HASH_FACTOR
            full_size += 1
            if category == LOWER or category == UPPER or category == BEYOND_ASCII:
                part = (part ^ U(letter)) * HASH_FACTOR
                part_size += 1
        previous = category
    return count, signature


def word_hashes(name: str) -> list[int]:
    """The words that `add_words` makes of a name in lower case without digits: as a whole, and as part of a longer one, in a
    class, an id and an itemprop."""
    hashes = []
    for kind in (_CLASS_WORDS, _ID_WORDS, _ITEMPROP_WORDS):
        for start in (kind, kind + _PART):
            code = int(HASH_START) ^ start
            for byte in name.encode():
                code = ((code ^ byte) * int(HASH_FACTOR)) & 0xFFFFFFFFFFFFFFFF
            hashes.append((code ^ (code >> 31)) & 0xFFFFFFFF)
    return hashes


@kernel
def role_flag(html: Bytes, start: int, stop: int) -> int:
    """The flag that an ARIA role stands for, 0 for most."""
    role = hash_lower(html, start, stop)
    if role == _NAVIGATION:
        return _NAV_FLAG
    if role == _MAIN:
        return _MAIN_FLAG
    if role == _BANNER:
        return _HEADER_FLAG
    if role == _CONTENT_INFO:
        return _FOOTER_FLAG
    if role == _COMPLEMENTARY:
        return _ASIDE_FLAG
    if role == _DIALOG:
        return _DIALOG_FLAG
    return 0


@kernel
def name_flags(html: Bytes, start: int, stop: int, comments: bool) -> int:
    """Flags by what a class or an id holds: cookie banners and, where asked for, comments."""
    flags = 0
    if holds(html, start, stop, _WORDS_COOKIE) or holds(html, start, stop, _WORDS_CONSENT):
        flags = _COOKIE
    if comments and holds(html, start, stop, _WORDS_COMMENT):
        flags |= _COMMENT
    return flags


@inlined
def read_name(html: Bytes, at: int) -> tuple[int, np.uint64]:
    """Reads an attribute's name; gives its end and its hash. A name may begin with `=`."""
    first, key = at, HASH_START
    while at < len(html):
        byte = html[at]
        if byte == GREATER or byte == SLASH or IS_SPACE[byte] == 1 or (byte == EQUALS and at > first):
            break
        key = (key ^ U(lower(byte))) * HASH_FACTOR
        at += 1
    return at, key


@inlined
def skip_space(html: Bytes, at: int) -> int:
    """The next byte that is no white space, or the end."""
    while at < len(html) and IS_SPACE[html[at]] == 1:
        at += 1
    return at


@inlined
def read_value(page: Page, at: int) -> tuple[int, int, int]:
    """Reads `= value` where it stands: where the tag goes on, and the value's range.

    A quote that never ends is given up at the next `>`, a few times a page.
    """
    html = page.html
    start = stop = at
    if at < len(html) and html[at] == EQUALS:
        at = skip_space(html, at + 1)
        start = at
        if at < len(html) and (html[at] == QUOTE or html[at] == APOSTROPHE):
            start = at + 1
            stop = find(html, start, len(html), html[at])
            at = min(stop + 1, len(html))
            if stop >= len(html) and page.state[p.UNCLOSED] < p.MAX_UNCLOSED:
                page.state[p.UNCLOSED] += 1
                at = find(html, start, len(html), GREATER)
                stop = -1
        else:
            while at < len(html) and html[at] != GREATER and IS_SPACE[html[at]] == 0:
                at += 1
            stop = at
    return at, start, stop


@inlined
def element_attribute(page: Page, key, start, stop, limit, flags, signature):  # type: ignore[no-untyped-def]
    """Notes an attribute that any element may have; gives the flags and the signature with it."""
    html, state = page.html, page.state
    if key == _CLASS:
        if stop > start:
            end = min(stop, start + CLASS_BYTES)
            count, part = add_words(html, start, end, _CLASS_WORDS, page.words, state[p.WORD_COUNT], limit)
            state[p.WORD_COUNT] = count
            signature += part
            if stop - start >= 6:
                flags |= name_flags(html, start, end, True)
                if flags & _COMMENT:
                    flags |= _COMMENTS
    elif key == _ID:
        if stop > start:
            end = min(stop, start + ID_BYTES)
            count, part = add_words(html, start, end, _ID_WORDS, page.words, state[p.WORD_COUNT], limit)
            state[p.WORD_COUNT] = count
            if stop - start >= 6:
                flags |= name_flags(html, start, end, False)
                if holds(html, start, end, _WORDS_COMMENT) or holds(html, start, end, _WORDS_DISQUS):
                    flags |= _COMMENTS
    elif key == _ROLE:
        if stop > start:
            end = min(stop, start + ROLE_BYTES)
            count, part = add_words(html, start, end, _ROLE_WORDS, page.words, state[p.WORD_COUNT], limit)
            state[p.WORD_COUNT] = count
            flags |= role_flag(html, start, end)
    elif key == _STYLE:
        if stop - start >= 12:
            end = min(stop, start + STYLE_BYTES)
            if holds(html, start, end, _NO_DISPLAY) or holds(html, start, end, _NO_DISPLAY_SPACED):
                flags |= _HIDDEN_FLAG
    elif key == _HIDDEN:
        flags |= _HIDDEN_FLAG
    elif key == _ARIA_HIDDEN:
        if stop - start == 4:  # "true"
            flags |= _ARIA
    elif key == _ITEMPROP:
        flags |= _ITEM
        end = min(stop, start + ITEMPROP_BYTES)
        count, part = add_words(html, start, end, _ITEMPROP_WORDS, page.words, state[p.WORD_COUNT], limit)
        state[p.WORD_COUNT] = count
    elif key == _ITEMTYPE:
        if holds(html, start, min(stop, start + ITEMTYPE_BYTES), _WORDS_COMMENT):
            flags |= _COMMENTS
    return flags, signature


@inlined
def head_attribute(html, tag, key, start, stop, about, first, last):  # type: ignore[no-untyped-def]
    """Notes an attribute of script, meta or link: what the element is about, and the range of what it says."""
    if tag == tags.SCRIPT:
        if key == _TYPE:
            about = JSON_LD if holds(html, start, stop, _WORDS_JSON) else NOTHING
    elif tag == tags.META:
        if key == _NAME or key == _PROPERTY:
            name = hash_lower(html, start, stop)
            if name == _DESCRIPTION:
                about = DESCRIPTION
            elif name == _OG_DESCRIPTION:
                about = SOCIAL_DESCRIPTION
            elif name == _OG_TYPE:
                about = SOCIAL_TYPE
        elif key == _CONTENT:
            first, last = start, stop
    elif tag == tags.LINK:
        if key == _REL:
            about = CANONICAL if hash_lower(html, start, stop) == _CANONICAL else NOTHING
        elif key == HREF:
            first, last = start, stop
    return about, first, last
