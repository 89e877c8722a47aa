"""Which of the things in a page's JSON-LD the page is about, and what it says of others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

from curation.extract.main_text.linked_data import Thing, items, kinds

MAX_TOLD = 50  # values of a key
# The first kind that a page has is what it is about. A page says of itself, as WebPage, less than of its article.
_KINDS = [
    re.compile(pattern)
    for pattern in (
        r"article|blogposting|report\b|discussionforumposting|socialmediaposting",
        r"question|recipe|howto|review\b|podcastepisode|course\b|jobposting|event\b|book\b|dataset|creativework\b",
        r"product|softwareapplication|webapplication|videoobject",
    )
]
_PAGE = re.compile(r"webpage|itempage|collectionpage|faqpage|qapage|aboutpage|profilepage")


def main_thing(things: Sequence[Thing]) -> Thing:
    """The thing that a page is about, {} if none is told."""
    for kind in _KINDS:
        for thing in things:
            if kind.search(kinds(thing)) and (thing.get("headline") or thing.get("name")):
                return thing
    return {}


def told(things: Sequence[Thing], key: str) -> list[Any]:
    """The first values of a key, of the main thing before those of the page."""
    pages = [thing for thing in things if _PAGE.search(kinds(thing))]
    values = (value for thing in (main_thing(things), *pages) for value in items(thing.get(key)) if value)
    return list(islice(values, MAX_TOLD))


def resolved(things: Sequence[Thing], value: Any) -> Any:
    """The thing that a bare reference by `@id` means, any other value itself."""
    if isinstance(value, dict) and "name" not in value and "@id" in value:
        return next((thing for thing in things if thing.get("@id") == value["@id"] and "name" in thing), value)
    return value
