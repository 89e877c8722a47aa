"""English pages that a published rule removes, each by a wide margin: one function a rule.

Rules and their order: datatrove 0.10.1, filters/gopher_repetition_filter.py, gopher_quality_filter.py, c4_filters.py,
fineweb_quality_filter.py, as the FineWeb recipe chains them. A page must pass every rule before the one that it is for.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from curation.sample.prose import Writer
from curation.sample.skins import Block
from curation.sample.texts import Text
from curation.sample.vocabulary import english, tidy


def text_of(writer: Writer, page_type: str, blocks: list[Block], title: str = "headline") -> Text:
    """A faulty page with a title of the usual kind."""
    return Text(page_type, writer.topic.name, "en", writer.sentence(title), tuple(blocks))


def longest_run(sentence: str) -> float:
    """The longest four words' share of a sentence of 20 to 26 words; 1 for another length, or where two words recur."""
    words = sentence.split()
    if not 20 <= len(words) <= 26 or len(set(pairwise(words))) < len(words) - 1:
        return 1.0
    return max(len(" ".join(words[i : i + 4])) for i in range(len(words) - 3)) / len(sentence)


def short(writer: Writer) -> Text:
    """gopher_short_doc: a stub of two sentences, the evenest of some (top_4_gram: no four words make up a sixth)."""
    notice = writer.draws.choice(
        (
            "The rest is for members of our club, so please sign in to read on.",
            "More is to follow here before long, so come back and look now and then.",
        )
    )
    candidates = [writer.sentences("body") for _ in range(12)] + [writer.sentences("plain", "plain") for _ in range(48)]
    sentence = min(candidates, key=longest_run)
    return text_of(writer, "stub", [Block("p", sentence), Block("p", notice)], "short_title")


def number_table(writer: Writer) -> Text:
    """gopher_below_alpha_threshold: a results table under two sentences."""
    draws = writer.draws
    rows = [
        "\t".join([writer.phrase("thing"), *(str(draws.between(100, 99999)) for _ in range(6))])
        for _ in range(draws.between(18, 40))
    ]
    return text_of(
        writer,
        "table",
        [Block("p", writer.paragraph()), Block("table", "\n".join(rows)), Block("p", writer.paragraph((), 2))],
    )


def keyword_list(writer: Writer) -> Text:
    """gopher_enough_stop_words: keywords for search engines, no grammar."""
    draws = writer.draws
    kinds = ("thing", "things", "adjective", "acting", "agents")

    def line() -> str:
        keywords = (
            f"{writer.phrase('shop_word')} {writer.phrase(draws.choice(kinds))}" for _ in range(draws.between(6, 10))
        )
        return f"{' '.join(keywords)} {writer.phrase('town')}.".capitalize()

    title = f"Buy {writer.phrase('adjective')} {writer.phrase('things')} {writer.phrase('town')}"
    blocks = tuple(Block("p", line()) for _ in range(draws.between(8, 14)))
    return Text("keywords", writer.topic.name, "en", title, blocks)


def repeated_lines(writer: Writer) -> Text:
    """dup_line_frac: lines that mostly say the same, in paragraphs that do not."""
    draws = writer.draws
    notice = writer.sentences("body", "plain")
    lines = [writer.sentence("body") if draws.chance(0.3) else notice for _ in range(draws.between(14, 24))]
    return text_of(
        writer, "boilerplate", [Block("p", writer.paragraph((), 2)), Block("lines", "\n".join([notice, *lines]))]
    )


def repeated_phrase(writer: Writer) -> Text:
    """top_2_gram: one call to action after every few words."""
    draws = writer.draws
    call = draws.choice(("click here", "free delivery", "order yours", "join today"))
    blocks = []
    for _ in range(draws.between(7, 12)):
        pieces = [f"{writer.phrase('np')} and {call} of {writer.phrase('things')} with {call}" for _ in range(2)]
        blocks.append(
            Block("p", f"{call.capitalize()} to {call}, {call} for {pieces[0]}, {call} that {pieces[1]}, {call}.")
        )
    return text_of(writer, "spam", blocks)


def repeated_passage(writer: Writer) -> Text:
    """duplicated_5_n_grams: the same few sentences again and again inside otherwise different paragraphs."""
    draws = writer.draws
    passage = writer.sentences("body", "body")
    blocks = [
        Block("p", f"{writer.sentence('body')} {passage} {writer.sentence('fact')}")
        for _ in range(draws.between(6, 10))
    ]
    return text_of(writer, "mirror", blocks)


def hashtags(writer: Writer) -> Text:
    """gopher_too_many_hashes: posts that end in trains of tags."""
    draws = writer.draws

    def tags() -> str:
        return " ".join(
            "#" + writer.phrase(draws.choice(("adjective", "thing", "stuff"))).replace(" ", "").replace("-", "")
            for _ in range(draws.between(6, 9))
        )

    return text_of(
        writer, "posts", [Block("p", f"{writer.sentence('blog_body')} {tags()}") for _ in range(draws.between(6, 12))]
    )


def teasers(writer: Writer) -> Text:
    """gopher_too_many_end_ellipsis: an index of cut-off teasers."""
    draws = writer.draws
    return text_of(
        writer,
        "teasers",
        [Block("p", writer.sentence("body").rstrip('.!?"') + "...") for _ in range(draws.between(10, 18))],
    )


def few_sentences(writer: Writer) -> Text:
    """too_few_sentences: two sentences, long enough for every rule before."""
    blocks = [Block("p", writer.sentence("long_clause")) for _ in range(2)]
    return text_of(writer, "note", blocks, "short_title")


def code(writer: Writer) -> Text:
    """curly_bracket: a tutorial with program text."""
    name = writer.phrase("thing").split()[-1].lower().replace("-", "")
    listing = f"function {name}(items) {{\n  for (const item of items) {{ item.check(); }}\n  return items.length;\n}}"
    blocks = [Block("p", writer.paragraph()) for _ in range(writer.draws.between(4, 9))]
    blocks.insert(2, Block("pre", listing))
    blocks.insert(
        3,
        Block("p", f"The function {name}() {{ ... }} has to be called once for each of the {writer.phrase('things')}."),
    )
    return text_of(writer, "tutorial", blocks)


def placeholder(writer: Writer) -> Text:
    """lorem_ipsum: a template that somebody published unfinished."""
    blocks = [Block("p", writer.paragraph()) for _ in range(writer.draws.between(4, 8))]
    blocks.append(Block("p", f"Lorem ipsum dolor sit amet, to be replaced with the text of {writer.phrase('person')}."))
    return text_of(writer, "template", blocks)


NOTICES = (
    "You have to turn on JavaScript to see {0} and {1}.",
    "Without JavaScript the map of {0} stays empty, and so do {1}.",
    "{0} appear only where JavaScript runs; {1} never do.",
    "JavaScript is needed for {0}, for {1} and for the calendar.",
    "Our gallery shows {0} beside {1} once JavaScript has been allowed.",
    "To order {0} or {1}, please switch JavaScript on again.",
    "The search finds {0}, {1} and more with the help of JavaScript.",
    "Because JavaScript is off, {0} and the prices of {1} are hidden.",
)


def script_notice(writer: Writer) -> Text:
    """too_few_sentences: every line asks for JavaScript, so that C4 drops them all but the title."""
    blocks = [Block("p", tidy(notice.format(writer.phrase("nps"), writer.phrase("nps")))) for notice in NOTICES]
    return text_of(writer, "notice", blocks, "short_title")


def headlines(writer: Writer) -> Text:
    """line_punct_ratio: a front page of headlines without full stops."""
    draws = writer.draws
    blocks = [
        Block(
            "p", f"{writer.sentence('headline').rstrip('.?')} with {writer.phrase('np')} and {writer.phrase('stuff')}"
        )
        for _ in range(draws.between(18, 32))
    ]
    return text_of(writer, "front_page", blocks)


def distinct(write: Callable[[], str], count: int) -> list[str]:
    """`count` lines that differ from one another."""
    lines: dict[str, None] = {}
    while len(lines) < count:
        lines[write()] = None
    return list(lines)


def verses(writer: Writer) -> Text:
    """short_line_ratio: lines of a few words, every third with a full stop."""

    def line() -> str:
        while len(verse := writer.sentence("verse")) > 29:
            pass
        return verse

    lines = distinct(line, writer.draws.between(30, 50))
    blocks = [Block("p", verse + "." if i % 3 == 0 else verse) for i, verse in enumerate(lines)]
    return text_of(writer, "verses", blocks, "short_title")


def entries(writer: Writer) -> Text:
    """list_ratio: a glossary of three-word lines, every other one of long words."""
    draws = writer.draws

    def last_word(rule: str) -> str:
        return writer.phrase(rule).replace("-", " ").split()[-1]

    def pair() -> str:
        return f"{last_word('things')} {draws.choice(('with', 'of', 'and', 'to'))} {last_word('stuff')}".capitalize()

    count = draws.between(30, 45)
    long = distinct(lambda: " ".join(draws.several(english()["long_word"], 3)).capitalize(), count)
    lines = [line for both in zip(distinct(pair, count), long, strict=True) for line in both]
    blocks = [Block("p", line + "." if i % 7 == 0 else line) for i, line in enumerate(lines)]
    return Text("glossary", writer.topic.name, "en", f"Glossary of {last_word('things')}", tuple(blocks))


def echoes(writer: Writer) -> Text:
    """char_dup_ratio: good paragraphs, some with the same invitation as their last line."""
    subject = f"{writer.phrase('things')} and {writer.phrase('stuff')}"
    call = f"Read more about {subject} in our {writer.phrase('kind')} archive."
    blocks = []
    for i in range(writer.draws.between(7, 12)):
        paragraph = writer.paragraph((), writer.draws.between(4, 6))
        blocks.append(Block("lines", f"{paragraph}\n{call}") if i in (0, 2, 4) else Block("p", paragraph))
    return text_of(writer, "newsletter", blocks)


def gibberish(writer: Writer) -> Text:
    """language: strings of syllables that no language has."""
    draws = writer.draws

    def word() -> str:
        return "".join(writer.phrase("syllable") for _ in range(draws.between(1, 4)))

    blocks = [
        Block("p", " ".join(word() for _ in range(draws.between(25, 60))).capitalize() + ".")
        for _ in range(draws.between(5, 9))
    ]
    return Text("gibberish", "", "", f"{word()} {word()} {word()}".capitalize(), tuple(blocks))
