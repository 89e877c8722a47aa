"""A page for a person to read, block by block: those that were taken in green with a plus, the others dim with a minus.

Shown as plain text, as all of a trial (see `show_trial`).
"""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from curation.audit.show import plain
from curation.audit.show_trial import SHOWN_TEXT, visible
from curation.pipeline.try_page import BlockTrial, PageTrial

KEPT, DROPPED = "green", "red dim"
SHOWN_BLOCK = 300  # characters of a block that was not taken
INDENT = "\n         "


def page_parts(page: PageTrial | None, characters: int = SHOWN_TEXT) -> list[RenderableType]:
    """What the page says of itself, and its blocks up to so many characters in all, 0 for all of them."""
    if page is None:
        return []
    parts: list[RenderableType] = [Text(), Text(heading(page), style="bold")]
    if page.metadata:
        parts.append(metadata_table(page))
    left = characters or None
    for place, block in enumerate(page.blocks):
        if left is not None and left <= 0:
            rest = page.all_blocks - place
            parts.append(Text(f"… {rest:,} more blocks; --characters 0 shows all", style="dim"))
            break
        shown = block_text(block, left)
        left = None if left is None else left - len(shown)
        parts.append(shown)
    return parts


def heading(page: PageTrial) -> str:
    """How much was taken, and what is expected of it."""
    return (
        f"The page as the engine fast sees it: {page.kept_blocks:,} of {page.all_blocks:,} blocks are main text (+),"
        f" expected word F1 {page.expected_f1:.2f}"
    )


def metadata_table(page: PageTrial) -> Table:
    """What the page says of itself, a row each; its type with the chance of it."""
    table = Table.grid(padding=(0, 2))
    for name, value in page.metadata.items():
        if name == "type_probability":
            continue
        told = str(value)
        if name == "type" and "type_probability" in page.metadata:
            told += f" ({page.metadata['type_probability']})"
        table.add_row(Text(plain(name), style="dim"), Text(visible(told), overflow="fold"))
    return table


def block_text(block: BlockTrial, most: int | None) -> Text:
    """A block behind its sign and its probability."""
    longest = len(block.text) if block.kept else SHOWN_BLOCK
    longest = longest if most is None else min(longest, most)
    cut = "…" if len(block.text) > longest else ""
    text = visible(block.text[:longest]).replace("\n", INDENT) + cut
    return Text(f"{'+' if block.kept else '-'} {block.chance:.3f}  {text}", style=KEPT if block.kept else DROPPED)
