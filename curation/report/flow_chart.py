"""The way of the documents as a Sankey diagram, from top to bottom: the stem is what goes on, a band to the right what ends.

Widths are in proportion to documents. The stem runs downwards, so that the drawing is as readable on a narrow screen as on
a wide one.
"""

from __future__ import annotations

from dataclasses import dataclass

from curation.report.charts import drawing, label, line
from curation.report.markup import Html, count, share, tag

_WIDTH, _STEM_LEFT, _STEM, _BAND_RIGHT, _LABEL = 400.0, 122.0, 120.0, 264.0, 270.0
_THINNEST, _LINE, _GAP = 1.2, 16.0, 4.0


@dataclass(frozen=True, slots=True)
class End:
    """Documents that end at a step: how many, the class of their colour, and the words beside the band."""

    documents: int
    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A step: its name, the documents that entered, and those that ended there."""

    name: str
    entered: int
    ends: list[End]


def flow_chart(stages: list[Stage], kept: int, what: str) -> Html:
    """The diagram; `kept` is what is left at its end, `what` are those that enter: "records"."""
    total = max((stage.entered for stage in stages), default=0) or 1
    scale = _STEM / total
    parts: list[Html] = []
    top = 26.0
    parts.append(label(_STEM_LEFT, 14, f"{count(stages[0].entered if stages else 0)} {what} in", kind="strong"))
    for stage in stages:
        parts.append(_name(stage, top, scale))
        bottom = top + _height(stage, scale)
        left_over = stage.entered - sum(end.documents for end in stage.ends)
        parts += _bands(stage, top, scale)
        parts.append(_stem(left_over * scale, top, bottom))
        top = bottom
    parts.append(line(_STEM_LEFT - 4, top, _STEM_LEFT + max(kept * scale, _THINNEST) + 4, top, "node"))
    parts.append(label(_STEM_LEFT, top + 18, f"{count(kept)} kept ({share(kept, total)} of {what})", kind="strong"))
    description = " ".join(
        f"{stage.name}: {count(stage.entered)} enter"
        + "".join(f", {count(end.documents)} {end.words}" for end in stage.ends)
        + "."
        for stage in stages
    )
    return drawing(
        "The way of the documents",
        f"{description} {count(kept)} are kept.",
        _WIDTH,
        top + 28,
        *parts,
        kind="chart flow",
    )


def _name(stage: Stage, top: float, scale: float) -> Html:
    shown = stage.name if len(stage.name) <= 18 else stage.name[:17] + "…"
    return tag(
        "g",
        line(_STEM_LEFT - 4, top, _STEM_LEFT + max(stage.entered * scale, _THINNEST) + 4, top, "node"),
        label(_STEM_LEFT - 10, top + 13, shown, "end"),
        label(_STEM_LEFT - 10, top + 27, count(stage.entered), "end", "tick"),
    )


def _slots(stage: Stage, scale: float) -> list[float]:
    """The height that each band takes, its label included."""
    return [max(end.documents * scale, _THINNEST, _LINE - _GAP) + _GAP for end in stage.ends]


def _height(stage: Stage, scale: float) -> float:
    return max(36.0, 12.0 + sum(_slots(stage, scale)))


def _stem(width: float, top: float, bottom: float) -> Html:
    return tag(
        "rect", x=_STEM_LEFT, y=top, width=max(width, _THINNEST if width else 0.0), height=bottom - top, class_="kept"
    )


def _bands(stage: Stage, top: float, scale: float) -> list[Html]:
    """A band for each end: the rightmost part of the stem turns off first, so that no two cross."""
    parts = []
    right, y = _STEM_LEFT + stage.entered * scale, top + 8
    for end, slot in zip(stage.ends, _slots(stage, scale)):
        wide = end.documents * scale
        thick = max(wide, _THINNEST)
        left, upper = right - wide, y + (slot - _GAP - thick) / 2
        path = (
            f"M{right:.1f} {top:.1f}Q{right:.1f} {upper:.1f} {_BAND_RIGHT} {upper:.1f}V{upper + thick:.1f}"
            f"Q{min(left, right - _THINNEST):.1f} {upper + thick:.1f} {min(left, right - _THINNEST):.1f} {top:.1f}Z"
        )
        parts.append(tag("path", d=Html(path), class_=end.kind))
        parts.append(label(_LABEL, upper + thick / 2 + 4, f"{count(end.documents)} {end.words}"))
        right, y = left, y + slot
    return parts
