"""Who wrote a page. In order of trust:

1. the author in the JSON-LD of what the page is about, a person
2. "Written by" as twitter:data1, metas of authors
3. links with `rel=author`, `itemprop=author`, elements whose class or id names an author, as they stand in the page
4. a line near the heading that begins as a byline does ("By ...", "Von ...")
5. the author in JSON-LD, an organisation

A name is what is left when "by", dates, addresses and what stands behind a bar are cut; the site's name is taken last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from curation.extract.main_text.kernels import tags
from curation.extract.main_text.linked_data import kinds
from curation.extract.main_text.metadata.dates import MONTHS, days
from curation.extract.main_text.metadata.facts import PageFacts, letters, plain
from curation.extract.main_text.metadata.main_thing import resolved, told

MAX_AUTHORS, MAX_AUTHOR = 20, 80  # names; characters of one
MAX_WORDS = 8  # of a name
MAX_VALUE = 300  # of a value that are looked at
MAX_LINE = 150  # characters of an element that names an author
NEAR_HEADING = 12  # blocks before and behind
_METAS = (
    "author", "citation_author", "parsely-author", "sailthru.author", "byl", "dc.creator", "dc:creator", "dcterms.creator",
    "authors", "og:author", "og:article:author", "article:author", "creator",
)  # fmt: skip
_WRITTEN = re.compile(
    r"written|author|verfasst|geschrieben|von|par|écrit|escrito|autor|scritto|geschreven|napisane|skrevet", re.I
)
_BY = (
    r"(?:written|posted|published|article|story|reviewed|edited|submitted|created|asked|text|words|post\s+author)\s*(?:\bby\b)?"
    r"|by|author|geschrieben\s+von|verfasst\s+von|erstellt\s+von|eingestellt\s+von|veröffentlicht\s+von|ein\s+artikel\s+von|artikel\s+von|ein\s+beitrag\s+von|beitrag\s+von|von"
    r"|autorin|autor|text\s+von|publié\s+par|écrit\s+par|rédigé\s+par|auteur|par|publicado\s+por|escrito\s+por|por"
    r"|scritto\s+da|pubblicato\s+da|di|door|autor|napisał"
)
_BYLINE = re.compile(rf"\W*(?:(?:{_BY})\b\s*:?\s*)+", re.IGNORECASE)
_NEAR_BYLINE = re.compile(
    r"\W*(?:(?:written|posted|story|text|words|article)\s+by|by|von|text|autor|autorin|par|por|author)\b\s*:?\s+(?=\S)",
    re.IGNORECASE,
)
_MONTH = "|".join(sorted(MONTHS, key=lambda name: (-len(name), name)))
_WEEKDAY = "(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch"
_END = re.compile(  # what a name does not go on with
    r"\s*[|•·►»@()\[\]<>{}\n]|\s+[–—-]+\s|\s+-"
    rf"|,?\s+(?:on|am|at|le|el|in|um|vom|from)\s+(?=\W*\d|(?:{_MONTH}|{_WEEKDAY})\b)"
    r"|,?\s+(?:last|updated|published|posted|reviewed|sponsored|veröffentlicht|aktualisiert|alle\s+artikel|follow|said"
    r"|view\s+all|more\s+by|read\s+more|min(?:ute)?s?\s+read|comments?)\b"
    rf"|,?\s+(?:{_WEEKDAY})\b|,?\s*\b\d{{1,4}}\s*[./-]\s*\d|,?\s+\d{{1,2}}\.?\s+(?:{_MONTH})\b|,?\s+(?:{_MONTH})\b\.?\s+\d"
    r"|,?\s+\d[\d\s,.]*(?:$|gold|silver|bronze|badge)|\s+(?:on|am|at|by|von)$",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\S{1,64}@\S+|(?<!\S)@\w+")
_LATER = re.compile(r"\d.{0,20}\b(?:by|von|par|por)\s+(?=\w)", re.IGNORECASE)  # "Posted on May 3, 2020 by"
_NO_NAME = re.compile(
    r"https?:|www\.|^[\W\d_]*$|\bago$|\bcookies?\b|subscribe|newsletter|^\d+\b.*(?:min|read|comment|day|hour|view)"
    rf"|^(?:{_MONTH})\W*\d*$|^(?:on|in|am|at|le)\b"
    r"|^(?:admin|administrator|editor|user|guest|anonymous|(?:about )?(?:the )?author|about|unknown|none|null|website|follow"
    r"|posted|by|share|comments?|(?:view )?profile|contributor|n/?a|undefined|default|webmaster|root|wordpress|autor|e-?mail"
    r"|print|twitter|facebook|home|menu|login|contact)\W*$",
    re.IGNORECASE,
)
_OUTSIDE = tags.FLAG["footer"] | tags.FLAG["comment"] | tags.FLAG["nav"]
_SPECIFIC = ("authorname", "bylinename", "bylineauthor", "postauthor", "entryauthor", "articleauthor")


def author_of(facts: PageFacts, site: str) -> str:
    """Names with "; " between them, "" if the page names none."""
    sites = {letters(site)} - {""}
    last = ""
    for names in _candidates(facts):
        found = list(dict.fromkeys(name for name in map(name_in, names) if name))[:MAX_AUTHORS]
        others = [name for name in found if letters(name) not in sites]
        if others:
            return "; ".join(others)
        last = last or "; ".join(found)
    return last


def name_in(value: str) -> str:
    """The name that a value is or begins with behind "by", "" if it is none."""
    value = _ADDRESS.sub("", value[:MAX_VALUE])
    later = _LATER.search(value)
    begins = _BYLINE.match(value)
    value = value[later.end() :] if later else value[begins.end() :] if begins else value
    end = _END.search(value, 1)
    name = (value[: end.start()] if end else value).strip(" ,;:-–—|*·•\"'/\\")
    short = len(name) <= MAX_AUTHOR and len(name.split()) <= MAX_WORDS
    return name if short and len(letters(name)) > 1 and not _NO_NAME.search(name) and not any(days(name, False)) else ""


def _candidates(facts: PageFacts) -> Iterator[list[str]]:
    """What each rule gives, in order."""
    authors = [resolved(facts.things, value) for value in told(facts.things, "author") or told(facts.things, "creator")]
    organised = [_name(value) for value in authors if isinstance(value, dict) and "organization" in kinds(value)]
    yield [_name(value) for value in authors if not (isinstance(value, dict) and "organization" in kinds(value))]
    if any(_WRITTEN.search(label) for label in facts.metas("twitter:label1")):
        yield _split(facts.metas("twitter:data1")[:1])
    for name in _METAS:
        yield _split(value for value in facts.metas(name) if "://" not in value)
    yield from _elements(facts)
    yield from _near_heading(facts)
    yield organised


def _elements(facts: PageFacts) -> Iterator[list[str]]:
    nodes = [node for node in facts.elements("a", "link") if "author" in facts.attribute(node, "rel").lower().split()]
    yield [facts.text(node) for node in nodes if not facts.inherited(node) & _OUTSIDE][:1]
    named = facts.named(("author", "authors", "byline", "creator", "autor", "auteur", "username", "writer"))
    inside = [node for node in named if not facts.inherited(node) & _OUTSIDE]
    properties = [node for node in inside if facts.attribute(node, "itemprop") in ("author", "creator")]
    yield [facts.attribute(node, "content") for node in properties]
    spoken = [(node, letters(facts.attribute(node, "class") + " " + facts.attribute(node, "id"))) for node in inside]
    specific = [node for node, name in spoken if any(word in name for word in _SPECIFIC)]
    for node in (*specific, *properties, *inside):
        text = facts.text(node)
        if len(text) <= MAX_LINE:
            yield _split([text])


def _near_heading(facts: PageFacts) -> Iterator[list[str]]:
    """Lines that begin as a byline does."""
    headings = facts.elements("h1")
    middle = facts.block(headings[0]) if headings else 0
    for text in facts.block_texts(middle - NEAR_HEADING, middle + NEAR_HEADING):
        begins = _NEAR_BYLINE.match(text)
        if begins and len(text) <= MAX_LINE and text[begins.end()].isupper():
            yield _split([text])


def _split(values: Iterable[str]) -> list[str]:
    """Values that name several authors as one each."""
    return [name for value in values for name in re.split(r";|\s+(?:and|und|et)\s+|,\s+(?=\w+\s+\w+)", value[:500])]


def _name(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("name") or " ".join(str(value.get(key) or "") for key in ("givenName", "familyName"))
    return plain(str(value[0] if isinstance(value, list) and value else value or ""))
