"""JSON-LD: the things that a page's scripts describe, bounded in number and depth."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

Thing = dict[str, Any]
MAX_SCRIPT_BYTES, MAX_DEPTH, MAX_ITEMS, MAX_THINGS = 2_000_000, 8, 200, 2_000
_WRAPPING = re.compile(
    r"^\s*(?:/[/*]\s*)?<!(?:--|\[CDATA\[)(?:\s*\*/)?|(?:/[/*]\s*)?(?:-->|\]\]>)(?:\s*\*/)?\s*$|;\s*$"
)


def things(scripts: Sequence[bytes]) -> list[Thing]:
    """All objects of scripts that are JSON, each before those inside of it."""
    found: list[Thing] = []
    for script in scripts:
        content = loaded(script)
        for thing in _walk(content, 0):
            if len(found) >= MAX_THINGS:
                return found
            found.append(thing)
    return found


def loaded(script: bytes) -> Any:
    """A script's content, None where it is too large or no JSON."""
    if len(script) > MAX_SCRIPT_BYTES:
        return None
    text = script.decode("utf-8", "replace")
    for read in (text, _WRAPPING.sub("", text)):
        try:
            return json.loads(read, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def kinds(thing: Thing) -> str:
    """The types of a thing, in lower case, apart by blanks."""
    kind = thing.get("@type") or ""
    return (" ".join(map(str, kind[:MAX_ITEMS])) if isinstance(kind, list) else str(kind)).lower()


def items(value: Any) -> list[Any]:
    """A value as a list: of itself, or the first that it has."""
    return value[:MAX_ITEMS] if isinstance(value, list) else [] if value is None else [value]


def _walk(node: Any, depth: int) -> Iterator[Thing]:
    if depth > MAX_DEPTH:
        return
    if isinstance(node, list):
        for item in node[:MAX_ITEMS]:
            yield from _walk(item, depth + 1)
    elif isinstance(node, dict):
        yield node
        for value in node.values():
            if isinstance(value, dict | list):
                yield from _walk(value, depth + 1)
