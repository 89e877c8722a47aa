"""Redaction of a text in which places are marked: where they stand in the text with placeholders."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence

from curation.redact.gates import Kind
from curation.redact.text import MAX_PASSES, PLACEHOLDERS, Found, Unredactable, disjoint, gated_spans

Span = tuple[int, int]


def redact_marked(text: str, kinds: Collection[Kind], spans: Sequence[Span]) -> tuple[str, list[Span]]:
    """What `redact_text` makes of the text, and the spans of characters in it.

    A span that begins or ends inside of what was redacted takes in the whole placeholder. Raises `Unredactable`.
    """
    looked_for = [kind for kind in PLACEHOLDERS if kind in kinds]
    moved = list(spans)
    for _ in range(MAX_PASSES):
        found = disjoint([(*span, kind) for kind in looked_for for span in gated_spans(kind, text)])
        if not found:
            return text, moved
        text, moved = _replaced(text, found, moved)
    raise Unredactable("redaction_unsettled", MAX_PASSES, MAX_PASSES)


def _replaced(text: str, found: Sequence[Found], spans: Sequence[Span]) -> tuple[str, list[Span]]:
    """The text with placeholders for what was found, and the spans in it."""
    parts: list[str] = []
    places: list[Span] = []  # of the placeholders, in the new text
    last = length = 0
    for start, end, kind in found:
        begin = length + start - last
        places.append((begin, begin + len(PLACEHOLDERS[kind])))
        parts += (text[last:start], PLACEHOLDERS[kind])
        last, length = end, places[-1][1]
    starts = [start for start, _, _ in found]

    def new_place(position: int, edge: int) -> int:
        """Where a position comes to stand; `edge` says which end of a placeholder that it lies in: 0 or 1."""
        before = bisect_right(starts, position) - 1
        if before < 0:
            return position
        start, end, _ = found[before]
        if start < position < end:
            return places[before][edge]
        return places[before][0] if position == start else places[before][1] + position - end

    return "".join(parts) + text[last:], [(new_place(start, 0), new_place(stop, 1)) for start, stop in spans]
