"""The day on which a page was published. In order of trust:

1. article:published_time and other metas of publication
2. `datePublished` of the JSON-LD of what the page is about, or of the page
3. `itemprop=datePublished`; `<time>` or an element that by class, id or itemprop is of a date, with `published` before others
4. the day in the address's path
5. a short line near the heading that has a day
6. when it was changed: dateModified, article:modified_time, last-modified
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from curation.extract.main_text.kernels import tags
from curation.extract.main_text.metadata.dates import day_of, day_of_address
from curation.extract.main_text.metadata.facts import PageFacts
from curation.extract.main_text.metadata.main_thing import told

MAX_LINE = 120  # characters of an element or a line that says when
NEAR_HEADING = 15  # blocks before and behind
FAR_DAYS = 60  # short lines that are looked at, wherever they stand
_PUBLISHED = (
    "article:published_time", "og:article:published_time", "og:published_time", "article:published", "article.published",
    "published_time", "datepublished", "citation_online_date", "citation_publication_date", "citation_date",
    "parsely-pub-date", "sailthru.date", "pubdate", "publishdate", "publish-date", "publish_date", "dc.date.issued",
    "dcterms.issued", "dc.date.created", "dcterms.created", "datecreated",
)  # fmt: skip
_DATED = ("dc.date", "dc:date", "dcterms.date", "date")
_CHANGED = ("article:modified_time", "og:updated_time", "datemodified", "last-modified")
_IN_SCRIPTS = re.compile(  # begins with letters that are found fast
    rb"ublish(?:ed)?_?(?:[Aa]t|[Oo]n|[Dd]ate|[Tt]ime)?[\"'\s:=\\]{1,8}([\w:,. +/-]{8,40})"
)
_NAMES = (
    "date",
    "published",
    "publishdate",
    "pubdate",
    "datepublished",
    "datecreated",
    "time",
    "timestamp",
    "datum",
    "posted",
    "dateline",
    "meta",
    "byline",
)
_OUTSIDE = tags.FLAG["footer"] | tags.FLAG["comment"] | tags.FLAG["nav"] | tags.FLAG["aside"]


def date_of(facts: PageFacts, language: str) -> str:
    """The day as ISO 8601 has it, "" if the page tells none."""
    month_first = language in ("", "en", "en-US")
    return next((day for text in _candidates(facts) if (day := day_of(text, month_first))), "")


def _candidates(facts: PageFacts) -> Iterator[str]:
    """What may name the day, in order."""
    yield day_of_address(facts.url)
    yield from facts.metas(*_PUBLISHED)
    yield from (str(value) for value in told(facts.things, "datePublished"))
    yield from _elements(facts)
    yield from (str(value) for value in told(facts.things, "dateCreated") + told(facts.things, "uploadDate"))
    yield from facts.metas(*_DATED)
    yield from _lines(facts)
    yield from (str(value) for value in told(facts.things, "dateModified"))
    yield from facts.metas(*_CHANGED)
    yield from facts.script_values(_IN_SCRIPTS)
    yield from facts.block_texts(0, 4 * FAR_DAYS)


def _elements(facts: PageFacts) -> Iterator[str]:
    times, named = facts.elements("time"), facts.named(_NAMES)
    nodes = sorted({node for node in (*times, *named) if not facts.inherited(node) & _OUTSIDE})
    names = {
        node: " ".join(facts.attribute(node, name) for name in ("itemprop", "class", "id")).lower() for node in nodes
    }
    published = [node for node in nodes if "publish" in names[node]]
    others = [node for node in nodes if not any(word in names[node] for word in ("modified", "updated"))]
    for node in (
        *published,
        *(node for node in times if node in others),
        *others,
        *(node for node in times if node in names),
    ):
        said = [facts.attribute(node, name) for name in ("datetime", "content")]
        text = facts.text(node)
        yield from (value for value in (*said, text if len(text) <= MAX_LINE else "") if value)


def _lines(facts: PageFacts) -> Iterator[str]:
    headings = facts.elements("h1")
    middle = facts.block(headings[0]) if headings else 0
    near = facts.block_texts(middle - NEAR_HEADING, middle + NEAR_HEADING)
    yield from (text for text in near if len(text) <= MAX_LINE)
    yield from (text for text in facts.block_texts(0, 4 * FAR_DAYS) if len(text) <= MAX_LINE // 2)
