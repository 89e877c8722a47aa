"""What a page says, before any HTML: a title and blocks of text."""

from __future__ import annotations

from dataclasses import dataclass

from curation.sample.skins import Block


@dataclass(frozen=True, slots=True)
class Text:
    """The main text of one page."""

    page_type: str
    topic: str
    language: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def main_text(self) -> str:
        """Title and blocks, a blank line between two."""
        return "\n\n".join([self.title, *(block.text for block in self.blocks)])

    def with_blocks(self, blocks: tuple[Block, ...]) -> Text:
        """The same page with other blocks."""
        return Text(self.page_type, self.topic, self.language, self.title, blocks)
