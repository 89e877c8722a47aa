"""A page that was tried, as one file to open: its blocks in order, those that were taken marked, what it says of itself above.

Nothing is loaded and nothing runs; all text of the page is escaped, and cut where it is long.
"""

from __future__ import annotations

from importlib import resources

from curation.pipeline.try_page import BlockTrial, PageTrial
from curation.report.markup import Html, definitions, escape, joined, paragraph, tag
from curation.report.page import policy

LONGEST = 20_000  # characters of a block
SHOWN_CHARACTERS = 2_000_000  # of all of them
STYLE = """
.block { display: grid; grid-template-columns: 4.5rem minmax(0, 1fr); border-left: 5px solid; }
.block { margin: 0.2rem 0; padding: 0.3rem 0.6rem; }
.block bdi { white-space: pre-wrap; }
.taken { border-color: var(--kept); background: var(--good); }
.dropped { border-color: var(--removed); color: var(--quiet); font-size: 0.9rem; }
"""


def trial_html(recipe: str, url: str, page: PageTrial) -> Html:
    """The whole file."""
    style = resources.files("curation.report").joinpath("page.css").read_text() + STYLE
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy(style)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", "A page, block by block"),
        tag("style", Html(style)),
    )
    told = f"{page.kept_blocks:,} of {page.all_blocks:,} blocks are main text (+), each with its probability; "
    said = [(name, escape(str(value))) for name, value in page.metadata.items()]
    body = tag(
        "body",
        tag("header", tag("h1", "A page, block by block"), paragraph(tag("bdi", escape(url), class_="web"))),
        tag(
            "main",
            paragraph(told, f"word F1 expected of them: {page.expected_f1:.2f}. Recipe ", tag("code", recipe), "."),
            definitions(list(said)) if said else None,
            *blocks(page),
        ),
    )
    return joined(Html("<!doctype html>\n"), tag("html", head, body, lang="en"), Html("\n"))


def blocks(page: PageTrial) -> list[Html]:
    """The blocks up to `SHOWN_CHARACTERS`, and how many there are beyond."""
    shown: list[Html] = []
    left = SHOWN_CHARACTERS
    for block in page.blocks:
        if left <= 0:
            break
        shown.append(block_html(block))
        left -= min(len(block.text), LONGEST)
    rest = page.all_blocks - len(shown)
    return [*shown, tag("p", f"and {rest:,} more blocks", class_="quiet")] if rest else shown


def block_html(block: BlockTrial) -> Html:
    """A block behind its sign and its probability, which say without colour what was decided."""
    sign = tag("span", f"{'+' if block.kept else '−'} {block.chance:.3f}")
    return tag(
        "div", sign, tag("bdi", escape(block.text, LONGEST)), class_=f"block {'taken' if block.kept else 'dropped'}"
    )
