"""A page's title: what several places of it agree on, without the site's name.

In order of trust:

1. the heading `<h1>` that `<title>`, og:title or twitter:title begin or end with, or that stands in one of them: most pages
   write the title there, and the site's name or a slogan behind it
2. the headline of the JSON-LD of an article, posting, question, recipe or product; `itemprop=headline`
3. og:title, twitter:title, `<title>` without the site's name, which is known (see `sites`) or the address's, or else behind the
   last separator
4. the first `<h1>`
"""

from __future__ import annotations

import re

from curation.extract.main_text.metadata.facts import PageFacts, letters, plain
from curation.extract.main_text.metadata.main_thing import main_thing

MIN_LETTERS = 2  # of a title
MAX_HEADING = 300  # characters
SHARE = 0.5  # of a title's letters that the heading must have, to be the title
_SEPARATOR = re.compile(r"\s+[|–—\-:»«·•/~>⋆*]+\s+|\s*[|»·•]\s*|:\s+(?=\S+$)")


def title_of(facts: PageFacts, site: str) -> str:
    """The title, "" if the page has none."""
    heads = [*facts.metas("og:title", "twitter:title"), facts.title]
    heads = [head for head in heads if len(letters(head)) >= MIN_LETTERS and letters(head) != letters(site)]
    headings = [text for node in facts.elements("h1") if len(text := facts.text(node)) <= MAX_HEADING]
    headings = [text for text in headings if len(letters(text)) >= MIN_LETTERS and letters(text) != letters(site)]
    agreed = [heading for heading in headings if any(_is_title(heading, head) for head in heads)]
    if agreed:
        return max(agreed, key=len)
    headline = _headline(facts)
    if headline:
        return headline
    if len(headings) == 1 and any(_shared(headings[0], head) >= SHARE for head in heads):
        return headings[0]
    cut = [without_site(head, site, facts.url) for head in heads]
    return next((head for head in cut if head), headings[0] if headings else facts.title)


def without_site(title: str, site: str, url: str) -> str:
    """A title without the part, first or last, that is the site's name or address; else without a short last part."""
    places = [(found.start(), found.end()) for found in _SEPARATOR.finditer(title)]
    if not places:
        return title
    first, last = title[: places[0][0]], title[places[-1][1] :]
    known = {letters(site), letters(host_of(url)), letters(host_of(url).rpartition(".")[0])} - {""}
    for start, _ in places:
        if letters(title[start:]) in known:
            return title[:start].strip()
    if letters(first) in known:
        return title[places[0][1] :].strip()
    if _is_of_host(last, url) or "|" in title[places[-1][0] : places[-1][1]]:
        return title[: places[-1][0]].strip()
    return title


def host_of(url: str) -> str:
    """The host of an address without www."""
    found = re.match(r"(?:[a-z]{1,10}:)?//(?:www\d?\.)?([^/:?#]{1,200})", url[:300], re.IGNORECASE)
    return found[1].lower() if found else ""


def _is_of_host(part: str, url: str) -> bool:
    """Whether a part of a title is what a host is called by: `The New York Times` of nytimes.com is not, `Example` of
    blog.example.com is."""
    name = letters(part)
    return len(name) >= MIN_LETTERS and name in letters(host_of(url))


def _is_title(heading: str, head: str) -> bool:
    """Whether a heading is the greater part of a title, or the whole of its first or last part."""
    short, long = letters(heading), letters(head)
    if short not in long:
        return False
    parts = {letters(part) for part in _SEPARATOR.split(head)}
    return len(short) >= SHARE * len(long) or short in parts


def _shared(heading: str, head: str) -> float:
    """Share of a heading's words that a title has."""
    words, others = set(re.findall(r"\w+", heading.casefold())), set(re.findall(r"\w+", head.casefold()))
    return len(words & others) / max(1, len(words))


def _headline(facts: PageFacts) -> str:
    thing = main_thing(facts.things)
    said = [str(thing.get(key) or "") for key in ("headline", "name")]
    said += facts.metas("headline", "citation_title", "dc.title", "dcterms.title")
    return next((value for value in map(plain, said) if len(letters(value)) >= MIN_LETTERS), "")
