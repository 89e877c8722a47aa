"""What a composed page says: sentences of a topic in paragraphs, posts, products, drawn by a seed, with all labels around."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import yaml

from benchmarks.language_pages.templating import filled, templates

PHRASES = Path(__file__).parent / "phrases"
LANGUAGES = ("zh", "ja", "ar", "hi", "th", "ru", "de", "ko")
WITHOUT_BLANKS = ("zh", "ja")  # between sentences
PAGES = 3  # of each template
COMMAND = "backup --dry-run --keep 30 ~/documents"

Phrases = dict[str, Any]


class ComposedPage(NamedTuple):
    """title   the headline, which is neither required of an extracted text nor held against it
    main    the main text without it, a part a line
    """

    template: str
    title: str
    html: bytes
    main: str


@cache
def phrases(language: str) -> Phrases:
    """All that is said in a language."""
    read: Phrases = yaml.safe_load((PHRASES / f"{language}.yaml").read_text(encoding="utf-8"))
    return read


def composed_pages(language: str) -> Iterator[ComposedPage]:
    """All pages of a language, the same each time."""
    for template in templates():
        for number in range(PAGES):
            slots = page_slots(language, template, Random(f"{language} {template} {number}"))
            html, main = filled(template, slots)
            yield ComposedPage(template, slots["title"], html.encode(), main)


def page_slots(language: str, template: str, draw: Random) -> dict[str, Any]:
    """What the slots of any template hold."""
    said = phrases(language)
    blank = "" if language in WITHOUT_BLANKS else " "
    topics = draw.sample(said["topics"], 4)
    about = said["manual"] if template == "documentation" else topics[0]
    product, *similar = draw.sample(said["products"], 3)
    titles = [title for topic in topics for title in topic["titles"]]
    title, *others = draw.sample(about["titles"], len(about["titles"])) + draw.sample(titles, len(titles))
    if template.startswith(("forum", "questions")):
        title = draw.choice(said["questions"])
    elif template.startswith("shop"):
        title = product["name"]
    others = [other for other in dict.fromkeys(others) if other != title]
    further = topics[1]["sentences"]
    return {
        **said["labels"],
        **{name: said[name] for name in ("dir", "nav", "legal")},
        **articles(about["sentences"], further, topics[2]["sentences"], blank, draw),
        **talk(said, about["sentences"], draw),
        "lang": language,
        "title": title,
        "site": draw.choice(said["sites"]),
        "author": draw.choice(said["names"]),
        "date": draw.choice(said["dates"]),
        "category": about["category"],
        "tags": about["tags"],
        "subhead": draw.choice(topics[1]["titles"]),
        "summary": further[0],
        "before": others[0],
        "after": others[1],
        "chapters": [*said["manual"]["titles"], *(tag for topic in topics for tag in topic["tags"])],
        "popular_titles": others[2:7],
        "related": [
            {"title": other, "text": draw.choice(topics[3]["sentences"]), "date": draw.choice(said["dates"])}
            for other in others[5:9]
        ],
        "entries": [
            {"title": other, "text": blank.join(draw.sample(topic["sentences"], 2)), "date": draw.choice(said["dates"])}
            for topic in topics
            for other in topic["titles"][: draw.randint(1, 3)]
            if other != title
        ],
        "price": product["price"],
        "about_product": [blank.join(product["sentences"][:2]), *product["sentences"][2:]],
        "features": [": ".join(pair) for pair in product["properties"]],
        "properties": [dict(zip(("name", "value"), pair, strict=True)) for pair in product["properties"]],
        "similar_products": [{"name": other["name"], "price": other["price"]} for other in similar],
        "command": COMMAND,
    }


def articles(
    sentences: Sequence[str], further: Sequence[str], others: Sequence[str], blank: str, draw: Random
) -> dict[str, Any]:
    """Paragraphs of an article and of a page of documentation: mostly about one topic, then about a second."""
    own = paragraphs(sentences, blank, draw)
    more = paragraphs(further[: draw.randint(4, len(further))], blank, draw)
    return {
        "lead": [draw.choice(others)],
        "opening": own,
        "closing": more,
        "final": paragraphs(others[:3], blank, draw),
        "quotation": draw.choice(others[3:]),
        "caption": draw.choice(others[3:]),
        "points": draw.sample(list(others), 4),
        "steps": own[:-1],
        "further": own[-1:],
        "note": draw.choice(further),
    }


def paragraphs(sentences: Sequence[str], blank: str, draw: Random) -> list[str]:
    """The sentences in order, one to four a paragraph."""
    found, place = [], 0
    while place < len(sentences):
        size = draw.randint(1, 4)
        found.append(blank.join(sentences[place : place + size]))
        place += size
    return found


def talk(said: Phrases, sentences: Sequence[str], draw: Random) -> dict[str, Any]:
    """Posts of a thread, answers to a question, comments of readers."""
    replies = draw.sample(said["replies"], len(said["replies"]))
    asked = [*draw.sample(list(sentences), 2), replies.pop()]

    def person() -> dict[str, Any]:
        name, date = draw.choice(said["names"]), draw.choice(said["dates"])
        return {"name": name, "date": date, "count": draw.randint(3, 4000)}

    posts = [{**person(), "lines": asked}]
    for _ in range(draw.randint(3, 4)):
        lines = [replies.pop(), *draw.sample(list(sentences), draw.randint(0, 2))]
        posts.append({**person(), "lines": lines})
    return {
        "asked": asked,
        "posts": [{**post, "number": number} for number, post in enumerate(posts, 1)],
        "replies": [{**person(), "text": reply} for reply in replies],
        "votes": draw.randint(1, 90),
    }
