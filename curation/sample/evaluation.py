"""The evaluation items of the sample, and the pages that give them away."""

from __future__ import annotations

from curation.sample.prose import Writer
from curation.sample.randomness import Draws
from curation.sample.skins import Block
from curation.sample.texts import Text

ITEMS = 40


def item_id(number: int) -> str:
    """The name of an item, `eval-0007`."""
    return f"eval-{number:04d}"


def item_text(seed: int, number: int) -> str:
    """A question of 40 to 70 words with its answer, the same for every page."""
    writer = Writer(Draws(seed, "evaluation", number))
    question = writer.sentence("question")
    return f"{writer.sentences('fact', 'body')} {question} Answer: {writer.phrase('np')}."


def contaminated(text: Text, seed: int, number: int, draws: Draws) -> Text:
    """The text with an item, word for word, as a paragraph of its own."""
    spot = draws.between(1, len(text.blocks))
    return text.with_blocks((*text.blocks[:spot], Block("p", item_text(seed, number)), *text.blocks[spot:]))
