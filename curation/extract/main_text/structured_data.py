"""Text that a page has only in its JSON-LD: bodies of articles, posts and reviews, questions with their answers, recipes, and
descriptions of products, courses, events, jobs.

Microdata are not looked at: what they mark stands in the page, and is judged with its blocks.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import Any

from curation.extract.main_text.linked_data import MAX_DEPTH, MAX_ITEMS, Thing, items, kinds, loaded

KEYS = ("articleBody", "reviewBody", "text", "description")
DESCRIBED = re.compile("product|course|event|job|recipe")  # types whose description is content
ANSWERS = ("acceptedAnswer", "suggestedAnswer")
MIN_CHARACTERS = 60  # of a value that is text; what answers a question, or is a step of a recipe, may be shorter
MAX_TEXTS = 100
COMPARED = 80  # characters by which a text is known to be there already
TAG = re.compile(r"<[^<>]{0,500}>")


def structured_text(scripts: Sequence[bytes], have: str, words: int) -> str:
    """The texts of JSON-LD scripts that are not in `have`, a line each; "" unless they have more than twice its `words`."""
    parts: list[str] = []
    seen = " ".join(have.split())
    for text in _texts(scripts):
        text = " ".join(html.unescape(TAG.sub(" ", html.unescape(text))).split())
        if text and text[:COMPARED] not in seen:
            parts.append(text)
            seen += text
    return "".join(f"{part}\n" for part in parts) if len(" ".join(parts).split()) > 2 * words else ""


def _texts(scripts: Sequence[bytes]) -> Iterator[str]:
    """The first texts of all scripts that are JSON."""
    found: list[str] = []
    for script in scripts:
        _collect(loaded(script), found, 0)
    return iter(found[:MAX_TEXTS])


def _collect(node: Any, found: list[str], depth: int) -> None:
    if depth > MAX_DEPTH or len(found) >= MAX_TEXTS:
        return
    if isinstance(node, list):
        for item in node[:MAX_ITEMS]:
            _collect(item, found, depth + 1)
    elif isinstance(node, dict):
        kind = kinds(node)
        if "question" in kind.split():
            found += _question(node)
            return
        for key in KEYS:
            value = node.get(key)
            if (
                isinstance(value, str)
                and len(value) > MIN_CHARACTERS
                and (key != "description" or DESCRIBED.search(kind))
            ):
                found.append(value)
        if "recipe" in kind.split():
            found += _recipe(node)
        for value in node.values():
            if isinstance(value, dict | list):
                _collect(value, found, depth + 1)


def _question(question: Thing) -> list[str]:
    """A question's name and text, and the texts of its answers, accepted ones first; [] if nobody has answered."""
    answers = [answer for key in ANSWERS for answer in items(question.get(key)) if isinstance(answer, dict)]
    texts = [text for answer in answers if isinstance(text := answer.get("text"), str)]
    asked = [text for key in ("name", "text") if isinstance(text := question.get(key), str)]
    return [*dict.fromkeys(asked), *texts] if texts else [text for text in asked if len(text) > MIN_CHARACTERS]


def _recipe(recipe: Thing) -> list[str]:
    """A recipe's ingredients, and its instructions step by step, those in sections included."""
    found = [value for value in items(recipe.get("recipeIngredient")) if isinstance(value, str)]
    for step in items(recipe.get("recipeInstructions")):
        for part in items(step.get("itemListElement")) or [step] if isinstance(step, dict) else [step]:
            text = part.get("text") or part.get("name") if isinstance(part, dict) else part
            found += [text] if isinstance(text, str) else []
    return found
