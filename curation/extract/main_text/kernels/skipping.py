"""What of a page is not read: comments, declarations, raw elements (script, style, …), and svg, select, datalist with all in them.

Each search runs forward to the page's end at most; one that finds nothing is given up, and after `MAX_UNCLOSED` of them the rest of
the page counts as inside. So the work stays linear.
"""

from __future__ import annotations

import numpy as np

from curation.extract.main_text.kernels import metadata, tags
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.characters import CLASS, GREATER, HYPHEN, LESS, OTHER, SLASH, find, holds
from curation.extract.main_text.kernels.page import Page
from curation.text.kernels.compiling import Bytes, inlined, kernel

_NOSCRIPT = np.frombuffer(b"noscript", np.uint8)
_CASE = 32


@kernel
def skip_comment(page: Page, start: int) -> int:
    """Behind the comment or declaration that starts at `<!` or `<?`. A comment that never ends goes to the next `>`."""
    html, size = page.html, len(page.html)
    if not (start + 3 < size and html[start + 2] == HYPHEN and html[start + 3] == HYPHEN):
        return find(html, start + 2, size, GREATER) + 1
    at = start + 4
    if at < size and html[at] == GREATER:
        return at + 1
    if at + 1 < size and html[at] == HYPHEN and html[at + 1] == GREATER:
        return at + 2
    end = find(html, at, size, GREATER)
    while end < size and not (html[end - 1] == HYPHEN and html[end - 2] == HYPHEN):
        end = find(html, end + 1, size, GREATER)
    if end >= size and page.state[p.UNCLOSED] < p.MAX_UNCLOSED:
        page.state[p.UNCLOSED] += 1
        end = find(html, at, size, GREATER)
    return end + 1


@kernel
def is_named(html: Bytes, at: int, name: int, size: int) -> bool:
    """Whether the tag name of `size` bytes at `name` stands at a place too, and ends there."""
    if at + size > len(html):
        return False
    for place in range(size):
        if (html[at + place] | _CASE) != (html[name + place] | _CASE):
            return False
    return at + size >= len(html) or CLASS[html[at + size]] == OTHER


@kernel
def raw_end(html: Bytes, start: int, name: int, size: int, in_noscript: bool) -> tuple[int, bool]:
    """Where a raw element's end tag begins, or the page's end; True if `</noscript>` came before, which ends what is open in it."""
    at = find(html, start, len(html), LESS)
    while at < len(html):
        if at + 1 < len(html) and html[at + 1] == SLASH:
            if is_named(html, at + 2, name, size):
                return at, False
            if in_noscript and at + 10 < len(html) and holds(html, at + 2, at + 10, _NOSCRIPT):
                return at, True
        at = find(html, at + 1, len(html), LESS)
    return at, False


@inlined
def skip_raw(page: Page, at, tag, name, size, about):  # type: ignore[no-untyped-def]
    """Behind the raw element whose start tag ends at `at`. One that never ends is nothing but its start tag; a script is all."""
    html, state = page.html, page.state
    end, broken = raw_end(html, at, name, size, page.open_counts[tags.NOSCRIPT] > 0)
    if end >= len(html) and tag != tags.SCRIPT and state[p.UNCLOSED] < p.MAX_UNCLOSED:
        state[p.UNCLOSED] += 1
        end = at
    else:
        metadata.note_raw(page, tag, about, at, end)
        if not broken:
            end = find(html, end, len(html), GREATER) + 1
    return end


@kernel
def skip_nested(page: Page, at: int, name: int, size: int) -> int:
    """Behind the element whose start tag ends at `at`, those of its name in it included. One that never ends is its start tag."""
    html, state = page.html, page.state
    closes_itself = html[at - 2] == SLASH
    depth = 0 if closes_itself else 1
    end = at
    while depth > 0:
        end = find(html, end, len(html), LESS)
        if end >= len(html):
            break
        if end + 1 < len(html) and html[end + 1] == SLASH:
            if is_named(html, end + 2, name, size):
                depth -= 1
        elif end + 1 + size < len(html) and is_named(html, end + 1, name, size):
            depth += 1
        if depth > 0:
            end += 1
    if end >= len(html) and state[p.UNCLOSED] < p.MAX_UNCLOSED:
        state[p.UNCLOSED] += 1
        return at
    return at if closes_itself else find(html, end, len(html), GREATER) + 1
