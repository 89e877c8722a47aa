"""Addresses and finished pages: a page's site, URL, skin and furniture."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from curation.sample.genres import GENRES
from curation.sample.grammar import expand
from curation.sample.languages import Language, languages
from curation.sample.pages import Page
from curation.sample.prose import Writer
from curation.sample.randomness import Draws
from curation.sample.skins import links, skins
from curation.sample.texts import Text
from curation.sample.vocabulary import english

SLUG = re.compile(r"[a-z0-9]+")
SITE_KINDS = ("gazette", "journal", "notes", "archive", "weekly", "review", "letters", "courier", "almanac", "reader")


@dataclass(frozen=True, slots=True)
class Site:
    """Where a page is published."""

    host: str
    name: str
    author: str


def site_of(draws: Draws) -> Site:
    """A drawn site, under the top-level domain that is reserved for examples."""
    names = english()
    town = draws.choice(names["town_head"]) + draws.choice(names["town_tail"])
    kind = draws.choice(SITE_KINDS)
    author = f"{draws.choice(names['first_f'])} {draws.choice(names['surnames'])}"
    return Site(f"www.{town.lower()}-{kind}.example", f"{town} {kind.capitalize()}", author)


def url_of(seed: int, number: int, page: Page) -> str:
    """The address of a page: its own by its number."""
    site = site_of(Draws(seed, number, "site"))
    host = page.host or site.host
    if page.reply is not None and page.reply.path:
        return f"https://{host}{page.reply.path}"
    if page.text is None or not (words := SLUG.findall(page.text.title.lower())):
        return f"https://{host}/page/{number}"
    return f"https://{host}/{page.text.page_type.replace('_', '-')}/{'-'.join(words[:6])}-{number}.html"


def titles(language: Language, draws: Draws, count: int) -> list[str]:
    """Titles of other pages, for lists of related ones."""
    if not language.grammars:
        writer = Writer(draws)
        return [writer.sentence("headline") for _ in range(count)]
    grammar = draws.choice(list(language.grammars.values()))
    found: list[str] = []
    for _ in range(count):
        out: list[str] = []
        expand(grammar["title"], draws.unit, {}, out)
        found.append("".join(out))
    return found


def has_comments(seed: int, number: int) -> bool:
    """Whether readers commented. Extractors take comments for main text, so pages that are compared have none."""
    return Draws(seed, number, "commented").chance(0.25)


def comments(draws: Draws) -> str:
    """Readers' comments under an English page."""
    writer = Writer(draws)
    texts = dict.fromkeys(writer.sentence("comment") for _ in range(draws.between(1, 3)))
    authors = draws.several(english()["first_m"], len(texts))
    return "".join(
        f'<div class="comment"><span class="comment-author">{author}</span>'
        f'<div class="comment-body">{html.escape(text, quote=False)}</div></div>'
        for author, text in zip(authors, texts, strict=True)
    )


def skin_for(text: Text, draws: Draws) -> str:
    """The name of a skin that suits the page."""
    if text.page_type in GENRES:
        return draws.choice(GENRES[text.page_type][2])
    return draws.choice(("gazette", "journal", "homestead"))


def rendered(seed: int, number: int, page: Page, url: str, date: str) -> tuple[bytes, str]:
    """The page's HTML in its character set, and that set's name."""
    text = page.text
    assert text is not None
    draws = Draws(seed, number, "furniture")
    language = languages()[text.language or "en"]
    site = site_of(Draws(seed, number, "site"))
    commented = text.page_type in GENRES and page.original < 0 and has_comments(seed, number)
    charset = draws.choice(language.charsets)
    title = html.escape(text.title)
    skin = skins()[skin_for(text, draws)]
    slots = {
        "lang": language.code,
        "dir": language.direction,
        "charset": charset,
        "title": title,
        "description": html.escape(text.blocks[0].text[:150]),
        "url": url,
        "date": date,
        "year": date[:4],
        "id": str(number),
        "price": f"{draws.between(4, 400)}.90",
        "author": site.author,
        "site": site.name,
        "nav": links(language.nav, "/section/"),
        "crumbs": links([language.nav[0], language.nav[draws.below(len(language.nav))]], "/tag/"),
        "related": links(titles(language, draws, draws.between(3, 6)), "/story/"),
        "legal": links(language.legal, "/legal/"),
        "more": language.more,
        "skip": language.skip,
        "cookie": language.cookie,
        "comments": comments(draws) if commented else "",
        "body": skin.blocks(list(text.blocks)),
    }
    return skin.page(slots).encode(charset, "xmlcharrefreplace"), charset
