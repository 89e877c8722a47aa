"""HTML and SVG from parts. A string becomes markup in `escape` and nowhere else; every text that a panel gives goes there.

Text from the web is hostile: it is cut to length, its control, format and bidirectional characters are shown by their code
points, and it is isolated from the reading direction of what stands beside it.
"""

from __future__ import annotations

import html
import math
import unicodedata

LONGEST = 2_000  # characters of one text, whoever gives it
WEB_LONGEST = 160  # characters of a URL or another short text from the web
MOST_MARKS = 4  # combining marks on one letter
_UNSEEN_CATEGORIES = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_UNSEEN_LETTERS = "\u115f\u1160\u3164\uffa0\u2800"  # fillers and a blank pattern that count as letters or symbols
_VOID = ("br", "meta", "hr")


class Html(str):
    """Markup that may stand in the page as it is."""

    __slots__ = ()


Child = str | None


def visible(text: str, longest: int = LONGEST) -> list[tuple[str, bool]]:
    """A text in pieces that may be shown: (characters, False) as they are, (code point, True) for what would not be seen.

    Longer texts are cut, and more than `MOST_MARKS` combining marks in a row.
    """
    pieces: list[tuple[str, bool]] = []
    marks = 0
    for character in text[:longest]:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if (category in _UNSEEN_CATEGORIES and character not in "\n\t") or character in _UNSEEN_LETTERS:
            pieces.append((f"U+{ord(character):04X}", True))
        elif marks <= MOST_MARKS:
            pieces.append((character, False))
    if len(text) > longest:
        pieces.append(("…", False))
    return pieces


def escape(text: str, longest: int = LONGEST) -> Html:
    """A text as markup that shows it."""
    shown = []
    for piece, unseen in visible(text, longest):
        shown.append(f'<span class="unseen">{piece}</span>' if unseen else html.escape(piece))
    return Html("".join(shown))


def _attribute(value: str | float) -> str:
    if isinstance(value, Html):
        return value
    if isinstance(value, str):
        return html.escape("".join(piece for piece, _ in visible(value)))
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def tag(name: str, /, *children: Child, **attributes: str | float | None) -> Html:
    """An element. Children that are no `Html` are escaped, None is left out.

    An attribute's name is given with `_` for `-`, and `_` at its end where Python has the word (`class_`).
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{given}>")
    return Html(f"<{name}{given}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Html:
    """Children one after another."""
    return Html("".join(c if isinstance(c, Html) else escape(c) for c in children if c is not None))


def paragraph(*children: Child) -> Html:
    """A paragraph."""
    return tag("p", *children)


def web(text: str, longest: int = WEB_LONGEST) -> Html:
    """A short text from the web, a URL for one: no link, isolated from its surroundings."""
    return tag("bdi", escape(text, longest), class_="web") if text else tag("span", "(none)", class_="quiet")


def code(text: str) -> Html:
    """A name, a command or a hash."""
    return tag("code", text)


def folded(summary: Child, *children: Child, open_: bool = False) -> Html:
    """What the reader unfolds."""
    return tag("details", tag("summary", summary), *children, **({"open": "open"} if open_ else {}))


def table(caption: str, heads: list[str], rows: list[list[Child]], right: str = "", note: str = "") -> Html:
    """A table with a caption; the first cell of a row is its head. `right` has an `r` for each column of figures.

    `right="-rr"` is one column of words and two of figures. `note` stands below, for rows that are left out.
    """
    kinds = ["figure" if right[i : i + 1] == "r" else None for i in range(len(heads))]
    head = tag("tr", *[tag("th", name, scope="col", class_=kind) for name, kind in zip(heads, kinds)])
    body = [
        tag(
            "tr",
            tag("th", row[0], scope="row", class_=kinds[0]),
            *[tag("td", cell, class_=kind) for cell, kind in zip(row[1:], kinds[1:])],
        )
        for row in rows
    ]
    shown = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))
    region = tag("div", shown, class_="scroll", tabindex=0, role="region", aria_label=caption)
    return tag("div", region, tag("p", note, class_="quiet")) if note else region


def definitions(pairs: list[tuple[str, Child]]) -> Html:
    """Names and what they are."""
    return tag("dl", *[joined(tag("dt", name), tag("dd", value)) for name, value in pairs])


def count(number: int | None) -> str:
    """A whole number, "" for none."""
    return "" if number is None else f"{number:,}"


def figure(value: float | None) -> str:
    """A measured value, as short as it is exact enough; "" for none."""
    if value is None:
        return ""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.4g}"


def share(part: int, whole: int) -> str:
    """A part of a whole in percent; "" of nothing."""
    if not whole:
        return ""
    percent = 100 * part / whole
    return f"{percent:.1f} %" if percent >= 0.1 or not part else "< 0.1 %"
