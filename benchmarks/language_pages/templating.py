"""Templates: HTML with slots, which say themselves what is main text.

`{{name}}`                    a text
`{{=name}}`                   a text that is main text
`{{#name}} … {{/name}}`       once for each of a list: of texts, which are `{{.}}` and `{{=.}}`, or of pages in the page
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).parent / "templates"
SLOT = re.compile(r"\{\{([#/=]?)([\w.]+)\}\}")

Slots = Mapping[str, Any]


@cache
def templates() -> dict[str, list[str]]:
    """All templates by name: literal HTML, a slot's sign, its name, literal HTML …"""
    return {path.stem: SLOT.split(path.read_text(encoding="utf-8")) for path in sorted(TEMPLATES.glob("*.html"))}


def filled(name: str, slots: Slots) -> tuple[str, str]:
    """A page and its main text, a slot a line.

    Raises `KeyError` for a slot that is not given.
    """
    page: list[str] = []
    main: list[str] = []
    _fill(templates()[name], slots, page, main)
    return "".join(page), "\n".join(main)


def _fill(parts: Sequence[str], slots: Slots, page: list[str], main: list[str]) -> None:
    page.append(parts[0])
    place = 1
    while place < len(parts):
        sign, name = parts[place], parts[place + 1]
        if sign == "#":
            end = _end(parts, place)
            for item in slots[name]:
                inner = {**slots, **item} if isinstance(item, Mapping) else {**slots, ".": item}
                _fill(parts[place + 2 : end], inner, page, main)
            place = end
        else:
            page.append(html.escape(str(slots[name])))
            if sign == "=":
                main.append(str(slots[name]))
        page.append(parts[place + 2])
        place += 3


def _end(parts: Sequence[str], start: int) -> int:
    """Where the sign stands that ends a repeated part."""
    name = parts[start + 1]
    return next(place for place in range(start, len(parts), 3) if parts[place] == "/" and parts[place + 1] == name)
