"""The parser: one pass over a page's bytes, which gives its elements and its blocks of text."""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import attributes, metadata, nesting, reading, skipping
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels import tags as t
from curation.extract.main_text.kernels.characters import (
    BANG,
    GREATER,
    HASH_FACTOR,
    HASH_START,
    HYPHEN,
    IS_SPACE,
    LESS,
    LINE_FEED,
    QUESTION,
    SLASH,
    U,
    find,
    is_letter,
    looked_up,
    lower,
)
from curation.extract.main_text.kernels.page import Page
from curation.text.kernels.compiling import Bytes, entry, inlined

SIGNATURE_FACTOR = U(0x2545F4914F6CDD1D)
PAGE_FLAGS = ~np.int64(
    t.FLAG["cookie"] | t.FLAG["comment"] | t.FLAG["hidden"] | 1 << t.COMMENTS_BIT
)  # all but what says nothing when on <body>


@inlined
def read_tag(html: Bytes, start):  # type: ignore[no-untyped-def]
    """Reads a tag's name; gives its end and the tag's number."""
    at, key, has_hyphen = start, HASH_START, False
    while at < len(html):
        byte = html[at]
        if byte == GREATER or byte == SLASH or IS_SPACE[byte] == 1:
            break
        has_hyphen |= byte == HYPHEN
        key = (key ^ U(lower(byte))) * HASH_FACTOR
        at += 1
    tag = looked_up(t.KEYS, t.VALUES, key)
    if tag < 0:
        tag = t.CUSTOM if has_hyphen else t.UNKNOWN
    return at, tag


@inlined
def note_break(page: Page) -> None:
    """A <br>: a space in the block under way, a line's end in <pre>."""
    state = page.state
    state[p.BREAKS_RUN] += 1
    state[p.BLOCK_BREAKS] += 1
    if state[p.IN_BLOCK] > 0:
        state[p.OWES_SPACE] = 1
        if state[p.IN_PRE] > 0:
            page.text[state[p.TEXT_SIZE]] = LINE_FEED
            state[p.TEXT_SIZE] += 1
            state[p.OWES_SPACE] = state[p.TABS_SEEN] = state[p.BLANKS_SEEN] = 0
        else:
            reading.note_gap(page, state[p.TEXT_SIZE], 0, p.BREAK)


@inlined
def end_tag(page: Page, start):  # type: ignore[no-untyped-def]
    """Reads the end tag at `</`; gives what follows it. `</br>` is not a break; end tags of void and raw elements say nothing."""
    html, state, size = page.html, page.state, len(page.html)
    at = start + 2
    if at < size and is_letter(html[at]):
        at, tag = read_tag(html, at)
        kind = t.KIND[tag]
        if kind & (t.VOID | t.RAW | t.SKIPPED) == 0 or tag == t.BR:
            if kind & t.BLOCK:
                reading.end_block(page)
                state[p.BREAKS_RUN] = state[p.AFTER_INLINE_END] = 0
            else:
                state[p.AFTER_INLINE_END] = 1
            if state[p.TOO_DEEP] > 0:
                state[p.TOO_DEEP] -= 1
            elif page.open_counts[tag] > 0:
                level = nesting.level_to_end(page, tag, kind & t.BLOCK != 0)
                if level > 0:
                    nesting.close_from(page, level)
    return find(html, at, size, GREATER) + 1


@inlined
def open_element(  # type: ignore[no-untyped-def]
    page: Page, tag, kind, closes_itself, flags, signature, first_word, source, address, address_end
):
    """The start tag of an element that is neither void nor skipped: what it ends, and the element itself."""
    state = page.state
    if kind & t.BLOCK:
        state[p.BREAKS_RUN] = 0
    elif state[p.AFTER_INLINE_END] > 0 and state[p.IN_BLOCK] > 0 and state[p.OWES_SPACE] == 0:
        state[p.OWES_SPACE] = 1  # </span><span>: two boxes side by side
        state[p.BLOCK_SEAMS] += 1
        if page.open_counts[t.CODE] > 0 and state[p.IN_PRE] == 0:
            state[p.AT_SEAM] = 1
    state[p.AFTER_INLINE_END] = 0
    if kind & t.BLOCK:
        if state[p.OPEN] > 1:
            level = nesting.implied_end(page, tag)
            if level > 0:
                nesting.close_from(page, level)
    elif tag == t.A and page.open_counts[t.A] > 0:
        top = state[p.OPEN] - 1
        if page.nodes[page.stack[top], p.TAG] == t.A:
            nesting.close_from(page, top)
    is_full = state[p.NODE_COUNT] >= page.nodes.shape[0] or first_word + p.NODE_WORDS >= page.words.shape[0]
    if is_full or (closes_itself and (tag == t.UNKNOWN or tag == t.CUSTOM)):
        state[p.WORD_COUNT] = first_word
    elif state[p.OPEN] >= p.MAX_OPEN:
        state[p.TOO_DEEP] += 1
        state[p.WORD_COUNT] = first_word
    else:
        if tag == t.BODY:
            flags &= PAGE_FLAGS
        nesting.open_node(page, tag, kind & t.BLOCK != 0, flags, signature, first_word, source, address, address_end)


@inlined
def start_tag(page: Page, start):  # type: ignore[no-untyped-def]
    """Reads the start tag at `<`, and what is skipped with it; gives what follows."""
    html, state, size = page.html, page.state, len(page.html)
    name_end, tag = read_tag(html, start + 1)
    kind = t.KIND[tag]
    first_word = state[p.WORD_COUNT]
    limit = min(first_word + p.NODE_WORDS, page.words.shape[0])
    flags, signature = np.int64(t.FLAGS_OF[tag]), U(tag + 1) * SIGNATURE_FACTOR
    about = first = last = 0
    said = -1
    is_shown = False
    at = name_end
    while at < size and html[at] != GREATER:
        if IS_SPACE[html[at]] == 1 or html[at] == SLASH:
            at += 1
            continue
        name = at
        at, key = attributes.read_name(html, name)
        name_size = at - name
        at, value, stop = attributes.read_value(page, attributes.skip_space(html, at))
        if stop < 0 or name_size > attributes.LONGEST_NAME:
            continue
        if kind & t.VOID == 0 and kind & (t.BLOCK | t.INLINE):
            flags, signature = attributes.element_attribute(page, key, value, stop, limit, flags, signature)
            if tag == t.A and key == attributes.HREF:
                first, last = value, stop
        elif tag == t.META or tag == t.LINK or tag == t.SCRIPT:
            about, first, last = attributes.head_attribute(html, tag, key, value, stop, about, first, last)
            if tag == t.META:
                said = metadata.name_of_meta(html, key, value, stop, said)
        elif tag == t.TEMPLATE and key == attributes.SHADOW_ROOT:
            is_shown = True
    at = min(at, size - 1) + 1
    if kind & t.RAW and not is_shown:
        at = skipping.skip_raw(page, at, tag, start + 1, name_end - start - 1, about)
    elif kind & t.SKIPPED:
        at = skipping.skip_nested(page, at, start + 1, name_end - start - 1)
        state[p.IMAGES_SEEN] += 1
    elif kind & t.VOID:
        metadata.note_void(page, tag, about, first, last)
        if said >= 0:
            metadata.note_meta(page, said, first, last)
        if tag == t.BR:
            note_break(page)
        if kind & t.BLOCK or (tag == t.BR and state[p.BREAKS_RUN] >= 2):
            reading.end_block(page)
    else:
        if kind & t.BLOCK:
            reading.end_block(page)
        open_element(page, tag, kind, html[at - 2] == SLASH, flags, signature, first_word, start, first, last)
    return at


@inlined
def begin_page(page: Page):  # type: ignore[no-untyped-def]
    """Empties what is counted, and opens the page's own node."""
    page.facts[:] = 0
    page.state[:] = 0
    page.open_counts[:] = 0
    page.nodes[0, :] = 0
    page.nodes[0, p.PARENT] = page.nodes[0, p.BLOCK_PARENT] = page.nodes[0, p.TEXT_TO] = -1
    page.nodes[0, p.TAG] = t.HTML
    page.nodes[0, p.IS_BLOCK] = 1
    page.signatures[0] = U(1)
    page.stack[0] = 0
    page.state[p.NODE_COUNT] = page.state[p.OPEN] = 1


@entry
def parse(page: Page) -> int:
    """Fills in the page's arrays from its bytes; gives the number of blocks."""
    begin_page(page)
    html, size = page.html, len(page.html)
    at = 0
    if size >= 3 and html[0] == 0xEF and html[1] == 0xBB and html[2] == 0xBF:
        at = 3
    while at < size:
        following = html[at + 1] if html[at] == LESS and at + 1 < size else 0
        if is_letter(following):
            at = start_tag(page, at)
        elif following == SLASH:
            at = end_tag(page, at)
        elif following == BANG or following == QUESTION:
            at = skipping.skip_comment(page, at)
        else:
            at = reading.read_text(page, at)
    reading.end_block(page)
    state = page.state
    for level in range(state[p.OPEN]):
        page.nodes[page.stack[level], p.BLOCKS_END] = state[p.BLOCK_COUNT]
        page.nodes[page.stack[level], p.TEXT_TO] = state[p.TEXT_SIZE]
    for node in range(state[p.NODE_COUNT]):
        if page.nodes[node, p.BLOCKS_END] < 0:
            page.nodes[node, p.BLOCKS_END] = state[p.BLOCK_COUNT]
        if page.nodes[node, p.TEXT_TO] < 0:
            page.nodes[node, p.TEXT_TO] = state[p.TEXT_SIZE]
    page.facts[p.NODES] = state[p.NODE_COUNT]
    page.facts[p.BLOCKS] = state[p.BLOCK_COUNT]
    page.facts[p.TEXT_BYTES] = state[p.TEXT_SIZE]
    return state[p.BLOCK_COUNT]
