"""Text that a page has only in its JSON-LD: article bodies, reviews, answers, descriptions of products, courses, events, jobs."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

KEYS = ("articleBody", "reviewBody", "text", "description")
DESCRIBED = re.compile("Product|Course|Event|Job")  # types whose description is content
MIN_CHARACTERS = 60  # of a value that is text
MAX_SCRIPT_BYTES, MAX_TEXTS, MAX_DEPTH, MAX_ITEMS = 2_000_000, 100, 8, 200
COMPARED = 80  # characters by which a text is known to be there already
TAG = re.compile(r"<[^<>]{0,500}>")


def structured_text(scripts: Sequence[bytes], have: str, words: int) -> str:
    """The texts of JSON-LD scripts that are not in `have`, a line each; "" unless they have more than twice its `words`."""
    parts: list[str] = []
    seen = " ".join(have.split())
    for text in _texts(scripts):
        text = " ".join(html.unescape(TAG.sub(" ", html.unescape(text))).split())
        if text[:COMPARED] not in seen:
            parts.append(text)
            seen += text
    return "".join(f"{part}\n" for part in parts) if len(" ".join(parts).split()) > 2 * words else ""


def _texts(scripts: Sequence[bytes]) -> Iterator[str]:
    """The first texts of all scripts that are JSON."""
    found: list[str] = []
    for script in scripts:
        if len(script) > MAX_SCRIPT_BYTES:
            continue
        try:
            _collect(json.loads(script.decode("utf-8", "replace"), strict=False), found, 0)
        except (ValueError, RecursionError):
            continue
    return iter(found[:MAX_TEXTS])


def _collect(node: Any, found: list[str], depth: int) -> None:
    if depth > MAX_DEPTH or len(found) >= MAX_TEXTS:
        return
    if isinstance(node, list):
        for item in node[:MAX_ITEMS]:
            _collect(item, found, depth + 1)
    elif isinstance(node, dict):
        kind = node.get("@type") or ""
        kind = " ".join(map(str, kind)) if isinstance(kind, list) else str(kind)
        for key in KEYS:
            value = node.get(key)
            if (
                isinstance(value, str)
                and len(value) > MIN_CHARACTERS
                and (key != "description" or DESCRIBED.search(kind))
            ):
                found.append(value)
        for value in node.values():
            if isinstance(value, dict | list):
                _collect(value, found, depth + 1)
