"""What a parsed page says of itself: its metas by name, its JSON-LD, its elements with their attributes and texts.

Reads what the parser has noted, and decodes no more than it is asked for. All values are bounded, as text without markup,
references decoded, white space squeezed.
"""

from __future__ import annotations

import functools
import html
import re
import unicodedata
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from curation.extract import charset
from curation.extract.main_text.kernels import metadata, tags
from curation.extract.main_text.kernels import page as p
from curation.extract.main_text.kernels.attributes import word_hashes
from curation.extract.main_text.kernels.page import Page
from curation.extract.main_text.linked_data import Thing, things

MAX_VALUE = 1_000  # characters of a value
MAX_ELEMENTS = 40  # of a kind that are looked at
MAX_START_TAG = 3_000  # bytes of a start tag that are read again
MARKUP = re.compile(r"<[^<>]{0,500}>")
_START_TAG = re.compile(rb"""<[^>"']*+(?:"[^"]*+"[^>"']*+|'[^']*+'[^>"']*+)*+""")
_ATTRIBUTE = rb"""[\s"']%s\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))"""
_MARKS = re.compile(r"[\W_]+")
_NUMBER = {name: number for number, name in enumerate(metadata.META_NAMES)}


class PageFacts:
    """A page that has been parsed, as long as the parser's arrays are its own. `url` is its address, "" if unknown."""

    def __init__(self, page: Page, url: str = "") -> None:
        self._page = page
        self._nodes = page.nodes[: int(page.facts[p.NODES])]
        self._text_bytes = int(page.facts[p.TEXT_BYTES])
        self.url = url or self._value(int(page.facts[p.CANONICAL_START]), int(page.facts[p.CANONICAL_END]))

    @property
    def title(self) -> str:
        """Of the element <title>."""
        return self._value(int(self._page.facts[p.TITLE_START]), int(self._page.facts[p.TITLE_END]))

    def metas(self, *names: str) -> list[str]:
        """What metas of these names say, in the order of the names."""
        values = []
        for name in names:
            first = p.FIRST_META + 2 * p.METAS_OF_NAME * _NUMBER[name]
            places = self._page.facts[first : first + 2 * p.METAS_OF_NAME].tolist()
            values += [self._value(start, stop) for start, stop in zip(places[::2], places[1::2]) if stop]
        return [value for value in values if value]

    @functools.cached_property
    def things(self) -> list[Thing]:
        """Of JSON-LD, in the order in which the page has them."""
        return things(json_scripts(self._page))

    def elements(self, *names: str) -> list[int]:
        """The first nodes of these tags."""
        wanted = np.zeros(tags.TAGS, np.bool_)
        wanted[[tags.NUMBER[name] for name in names]] = True
        found: list[int] = np.flatnonzero(wanted[self._nodes[1:, p.TAG]])[:MAX_ELEMENTS].tolist()
        return [node + 1 for node in found]

    def named(self, names: Iterable[str]) -> list[int]:
        """The first nodes one of whose classes, ids, roles or itemprops is, or has as a part, one of these names."""
        if len(self._nodes) < 2:
            return []
        words = self._page.words[: int(self._nodes[:, p.WORDS_END].max())]
        hashes, low_halves = _hashes(tuple(names))
        likely = np.flatnonzero(low_halves[words & 0xFFFF])  # of which few are not
        places = likely[np.isin(words[likely], hashes)][: 4 * MAX_ELEMENTS]
        nodes = np.searchsorted(self._nodes[1:, p.FIRST_WORD], places, "right")
        found: list[int] = np.unique(nodes)[:MAX_ELEMENTS].tolist()
        return found

    def script_values(self, pattern: re.Pattern[bytes]) -> list[str]:
        """What the first group of a pattern is where it first stands in the page's bytes, scripts included."""
        found = pattern.search(self._page.html.data)
        return [_clean(found[1])] if found else []

    def attribute(self, node: int, name: str) -> str:
        """Of an element's start tag, "" where it has none."""
        source = int(self._nodes[node, p.NODE_SOURCE])
        tag = _START_TAG.match(self._page.html[source : source + MAX_START_TAG].tobytes())
        found = tag and re.search(_ATTRIBUTE % name.encode(), tag[0], re.IGNORECASE)
        return _clean(next((value for value in found.groups() if value is not None), b"")) if found else ""

    def text(self, node: int) -> str:
        """What stands in an element, blocks in it apart."""
        first, last = (int(self._nodes[node, column]) for column in (p.FIRST_BLOCK, p.BLOCKS_END))
        start, stop = (min(int(self._nodes[node, column]), self._text_bytes) for column in (p.TEXT_FROM, p.TEXT_TO))
        if self._nodes[node, p.IS_BLOCK] and last - first > 1:
            ranges = self._page.blocks[first : min(last, first + MAX_ELEMENTS), [p.TEXT_START, p.TEXT_END]].tolist()
            parts = [self._page.text[begin : min(end, begin + 4 * MAX_VALUE)].tobytes() for begin, end in ranges]
        else:
            parts = [self._page.text[start : min(stop, start + 4 * MAX_VALUE)].tobytes()]
        joined = " ".join(part.decode("utf-8", "replace") for part in parts)
        return " ".join(joined.split())[:MAX_VALUE]

    def inherited(self, node: int) -> int:
        """Its flags, and those of what is around it (`tags.FLAG`)."""
        return int(self._nodes[node, p.INHERITED])

    def block(self, node: int) -> int:
        """The number of the first block in it or behind it."""
        return int(self._nodes[node, p.FIRST_BLOCK])

    def block_texts(self, first: int, last: int) -> list[str]:
        """The texts of blocks, those that are too long to be a value cut."""
        rows = self._page.blocks[max(0, first) : min(last, int(self._page.facts[p.BLOCKS]))]
        ranges = rows[:, [p.TEXT_START, p.TEXT_END]].tolist()
        return [
            self._page.text[start : min(stop, start + MAX_VALUE)].tobytes().decode("utf-8", "ignore")
            for start, stop in ranges
        ]

    def _value(self, start: int, stop: int) -> str:
        return _clean(self._page.html[start:stop].tobytes()) if stop > start else ""


def json_scripts(page: Page) -> list[bytes]:
    """The JSON-LD scripts of a page."""
    places = page.facts[p.FIRST_JSON : p.FIRST_JSON + 2 * page.facts[p.JSON_COUNT]].tolist()
    return [page.html[start:stop].tobytes() for start, stop in zip(places[::2], places[1::2], strict=True)]


def plain(value: str) -> str:
    """A value as text without markup."""
    text = charset.clean(html.unescape(MARKUP.sub(" ", html.unescape(value[: 4 * MAX_VALUE]))))
    return " ".join(text.split())[:MAX_VALUE]


def letters(text: str) -> str:
    """Letters and digits of a text, its case folded: by what two names are the same."""
    return _MARKS.sub("", unicodedata.normalize("NFKC", text).casefold())


def _clean(value: bytes) -> str:
    return plain(value.decode("utf-8", "ignore"))


@functools.cache
def _hashes(names: tuple[str, ...]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.bool_]]:
    """The words that names make, and for each number of 16 bits whether one of them ends in it."""
    hashes = np.array(sorted({code for name in names for code in word_hashes(name)}), np.uint32)
    low_halves = np.zeros(1 << 16, np.bool_)
    low_halves[hashes & 0xFFFF] = True
    return hashes, low_halves
