"""The kinds of good English page: how each opens, goes on and ends. A new kind is a function and a row."""

from __future__ import annotations

from collections.abc import Callable

from curation.sample.prose import Writer
from curation.sample.skins import Block
from curation.sample.texts import Text

Blocks = list[Block]


def story(writer: Writer, leads: tuple[str, ...], rule: str, headings: float, ending: str = "closing") -> Blocks:
    """Paragraphs from a lead to a closing sentence, with headings between some of them."""
    left = writer.length()
    blocks = [Block("p", writer.paragraph(leads, len(leads) + 1, rule))]
    left -= len(leads) + 1
    while left > 3:
        count = min(writer.draws.between(2, 6), left)
        heading = Block("h2", writer.sentence("heading"))
        if writer.draws.chance(headings) and heading not in blocks:
            blocks.append(heading)
        if writer.draws.chance(0.05):
            blocks.append(Block("quote", writer.sentence("quote")))
        blocks.append(Block("p", writer.paragraph((), count, rule if writer.draws.chance(0.6) else "body")))
        left -= count
    blocks.append(Block("p", writer.paragraph((), 2) + " " + writer.sentence(ending)))
    return blocks


def news(writer: Writer) -> Blocks:
    """A report: place and day first, then who said what."""
    return story(writer, ("news_lead", "person_intro"), "body", 0.1)


def blog(writer: Writer) -> Blocks:
    """A first-person post."""
    return story(writer, ("blog_lead",), "blog_body", 0.2)


def encyclopedia(writer: Writer) -> Blocks:
    """An article that defines its subject first."""
    return story(writer, ("encyclopedia_lead", "fact"), "body", 0.45)


def science(writer: Writer) -> Blocks:
    """An explainer with figures."""
    return story(writer, ("body", "fact", "person_intro"), "body", 0.3)


def local_history(writer: Writer) -> Blocks:
    """How a place came to be what it is."""
    return story(writer, ("intro", "fact"), "body", 0.2)


def howto(writer: Writer) -> Blocks:
    """Instructions, section by section."""
    return story(writer, ("howto_lead",), "step", 0.35)


def recipe(writer: Writer) -> Blocks:
    """A personal introduction, then steps."""
    return story(writer, ("blog_lead", "person_intro"), "step", 0.25)


def product(writer: Writer) -> Blocks:
    """A description that sells."""
    return story(writer, ("product_lead",), "product_body", 0.3, "product_body")


def questions(writer: Writer) -> Blocks:
    """A question and its answers."""
    blocks = [Block("p", writer.sentences("ask", "ask", "ask"))]
    for _ in range(max(2, writer.length() // 5)):
        blocks.append(
            Block(
                "p",
                writer.paragraph(
                    ("answer",), writer.draws.between(3, 6), "answer" if writer.draws.chance(0.5) else "body"
                ),
            )
        )
    return blocks


def forum(writer: Writer) -> Blocks:
    """A thread: posts of two or three sentences, some of which quote."""
    blocks = [Block("p", writer.sentences("ask", "blog_body", "ask"))]
    for _ in range(max(3, writer.length() // 4)):
        blocks.append(
            Block(
                "p",
                writer.paragraph((), writer.draws.between(2, 5), writer.draws.choice(("answer", "blog_body", "body"))),
            )
        )
    return blocks


# name -> how it is written, the rule of its title, the skins it appears in
GENRES: dict[str, tuple[Callable[[Writer], Blocks], str, tuple[str, ...]]] = {
    "news": (news, "headline", ("gazette", "journal")),
    "blog": (blog, "headline", ("journal", "homestead")),
    "encyclopedia": (encyclopedia, "headline", ("reference",)),
    "howto": (howto, "question", ("handbook", "journal")),
    "forum": (forum, "question", ("board",)),
    "product": (product, "headline", ("store",)),
    "recipe": (recipe, "headline", ("journal", "gazette")),
    "questions": (questions, "question", ("board", "handbook")),
    "science": (science, "headline", ("gazette", "handbook", "reference")),
    "local_history": (local_history, "headline", ("homestead", "reference", "journal")),
}
SHARES = (
    ["news"] * 5 + ["blog"] * 4 + ["encyclopedia"] * 3 + ["howto"] * 2 + ["forum"] * 2 + ["product"] + ["recipe"]
    + ["questions"] * 2 + ["science"] * 2 + ["local_history"] * 2
)  # fmt: skip


def good_text(writer: Writer) -> Text:
    """A good English page of a drawn kind."""
    genre = writer.draws.choice(SHARES)
    write, title, _ = GENRES[genre]
    return Text(genre, writer.topic.name, "en", writer.sentence(title), tuple(write(writer)))
