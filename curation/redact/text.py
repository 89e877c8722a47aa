"""Personal data in a text becomes a typed placeholder, `<EMAIL>`, `<IP_ADDRESS>` and so on (`PLACEHOLDERS`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from curation.redact import gates, recognisers
from curation.redact.gates import Kind

# The order decides which kind names two spans of the same length: what has the strictest form comes first.
PLACEHOLDERS: dict[Kind, str] = {
    "email": "<EMAIL>",
    "ip": "<IP_ADDRESS>",
    "iban": "<IBAN>",
    "credit_card": "<CREDIT_CARD>",
    "ssn": "<SSN>",
    "phone": "<PHONE>",
}
MAX_PASSES = 16
MAX_FIGURES = 1 << 18

Found = tuple[int, int, Kind]


class Unredactable(ValueError):
    """A text that would take too much work, as hardly any but one made for it does. Quotes nothing.

    `redaction_unsettled`: each of `MAX_PASSES` passes uncovered new matches; `redaction_too_many_figures`: more than
    `MAX_FIGURES` characters in which a phone number could stand (they are read at 10 to 40 kB/s).
    """

    def __init__(self, reason: str, value: int, threshold: int) -> None:
        super().__init__(f"{reason}: {value} of at most {threshold}")
        self.reason, self.value, self.threshold = reason, value, threshold


def redact_text(text: str, kinds: Collection[Kind]) -> tuple[str, dict[str, int]]:
    """The text with placeholders, and how many of each kind were set (every kind asked for, 0 included).

    Spans that overlap become one placeholder, named after the longest of them. A placeholder is a new word edge, so
    what it uncovers is looked for again, until nothing is found: redacting a second time changes nothing. Raises
    `Unredactable`.
    """
    looked_for = [kind for kind in PLACEHOLDERS if kind in kinds]
    counts: dict[str, int] = dict.fromkeys(looked_for, 0)
    for _ in range(MAX_PASSES):
        found = disjoint([(*span, kind) for kind in looked_for for span in gated_spans(kind, text)])
        if not found:
            return text, counts
        for _, _, kind in found:
            counts[kind] += 1
        text = _replaced(text, found)
    raise Unredactable("redaction_unsettled", MAX_PASSES, MAX_PASSES)


def gated_spans(kind: Kind, text: str) -> Iterable[tuple[int, int]]:
    """The spans of a kind, each looked for only where it can stand."""
    windows = list(gates.windows(kind, text))
    if kind == "phone" and (figures := sum(end - start for start, end in windows)) > MAX_FIGURES:
        raise Unredactable("redaction_too_many_figures", figures, MAX_FIGURES)
    for start, end in windows:
        for first, last in recognisers.spans(kind, text[start:end]):
            yield start + first, start + last


def disjoint(found: Iterable[Found]) -> list[Found]:
    """The spans in order; those that overlap are one, of the longest's kind (of equals the first in `PLACEHOLDERS`)."""
    rank = {kind: place for place, kind in enumerate(PLACEHOLDERS)}
    joined: list[Found] = []
    longest: tuple[int, int] = (0, 0)
    for start, end, kind in sorted(found, key=lambda span: (span[0], -span[1], rank[span[2]])):
        strength = (end - start, -rank[kind])
        if joined and start < joined[-1][1]:
            first, last, name = joined[-1]
            joined[-1] = (first, max(last, end), kind if strength > longest else name)
            longest = max(longest, strength)
        else:
            joined.append((start, end, kind))
            longest = strength
    return joined


def _replaced(text: str, found: list[Found]) -> str:
    parts: list[str] = []
    last = 0
    for start, end, kind in found:
        parts += (text[last:start], PLACEHOLDERS[kind])
        last = end
    return "".join(parts) + text[last:]
