"""Small charts as inline SVG: axes, histograms, lines, bars. Colours come from the page's classes, sizes from the view box.

No chart tells by colour alone: what lies beyond a threshold is an outline and not filled, lines have dashes and labels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from curation.report.markup import Html, figure, joined, tag

DASHES = (None, "6 3", "2 3", "9 3 2 3", "12 4", "1 2", "4 2 1 2 1 2", "8 2")


@dataclass(frozen=True, slots=True)
class Axis:
    """Values on a line of `length` units from `start`; `log` counts in powers of ten of 1 + value."""

    low: float
    high: float
    start: float
    length: float
    log: bool = False

    def at(self, value: float) -> float:
        """Where a value stands; values outside stand at the ends."""
        low, high, here = (self._scaled(v) for v in (self.low, self.high, value))
        part = (here - low) / (high - low) if high > low else 0.5
        return self.start + self.length * min(1.0, max(0.0, part))

    def _scaled(self, value: float) -> float:
        return math.log10(1 + value) if self.log else value

    def ticks(self) -> list[float]:
        """Round values to write at the axis, in order."""
        if self.log:
            powers = [0.0, *(10.0**n for n in range(16))]
            inside = [v for v in powers if self.low <= v <= self.high]
            return inside[:: math.ceil(len(inside) / 6)] if inside else [self.low]
        span = self.high - self.low
        if span <= 0:
            return [self.low]
        step = 10.0 ** math.floor(math.log10(span))
        step = next(step * k for k in (0.1, 0.2, 0.25, 0.5, 1, 2) if span / (step * k) <= 5)
        first = math.ceil(self.low / step - 1e-9)
        return [n * step for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a histogram: from `low` to `high`, how many, and whether they lie within the thresholds."""

    low: float
    high: float
    documents: int
    within: bool


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a line chart: its name and its points (x, y), in order of x."""

    name: str
    points: list[tuple[float, float]]


def drawing(title: str, description: str, width: float, height: float, *children: Html, kind: str = "chart") -> Html:
    """An SVG drawing with what a reader hears in place of it."""
    return tag(
        "svg",
        tag("title", title),
        tag("desc", description),
        *children,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        class_=kind,
    )


def label(x: float, y: float, text: str, anchor: str = "start", kind: str = "") -> Html:
    """Text in a drawing."""
    return tag("text", text, x=x, y=y, text_anchor=anchor, class_=kind or None)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Html:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def histogram(title: str, description: str, bars: list[Bar], x: tuple[float, float, bool], marks: list[float]) -> Html:
    """How many documents have which value: `x` is (lowest, highest, logarithmic), `marks` are thresholds.

    Counts are drawn on a logarithmic scale, so that a few documents beyond a threshold are seen beside very many within.
    """
    width, height, left, bottom, top = 320.0, 168.0, 40.0, 24.0, 20.0
    low, high, log = x
    across = Axis(low, high, left, width - left - 12, log)
    most = max((bar.documents for bar in bars), default=1)
    up = Axis(0, max(most, 1), height - bottom, -(height - bottom - top), True)
    parts: list[Html] = []
    for value in up.ticks():
        parts.append(line(left, up.at(value), width - 12, up.at(value), "grid"))
        parts.append(label(left - 4, up.at(value) + 3.5, short(value), "end", "tick"))
    for bar in bars:
        x1, x2 = across.at(bar.low), across.at(bar.high)
        y = min(up.at(bar.documents), height - bottom - 1.5)
        parts.append(
            tag(
                "rect",
                x=x1,
                y=y,
                width=max(x2 - x1 - 0.6, 0.8),
                height=height - bottom - y,
                class_="within" if bar.within else "beyond",
            )
        )
    parts.append(line(left, height - bottom, width - 12, height - bottom, "axis"))
    for value in across.ticks():
        parts.append(label(across.at(value), height - 9, short(value), "middle", "tick"))
    for value in marks:
        at = across.at(value)
        anchor = "end" if at > width * 0.7 else "start" if at < width * 0.3 else "middle"
        parts.append(line(at, top - 6, at, height - bottom, "threshold"))
        parts.append(label(at, top - 9, figure(value), anchor, "mark"))
    return drawing(title, description, width, height, *parts)


def lines(title: str, description: str, series: list[Series], x_name: str) -> Html:
    """Lines over a common axis, each with its own dashes and its name at the end."""
    points = [point for each in series for point in each.points]
    if not points:
        return Html("")
    width, height, left, right, bottom, top = 560.0, 260.0, 48.0, 110.0, 36.0, 10.0
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    margin = (max(ys) - min(ys)) * 0.05 or abs(max(ys)) * 0.05 or 1.0
    across = Axis(min(xs), max(xs), left, width - left - right)
    up = Axis(min(ys) - margin, max(ys) + margin, height - bottom, -(height - bottom - top))
    parts: list[Html] = []
    for value in up.ticks():
        parts.append(line(left, up.at(value), width - right, up.at(value), "grid"))
        parts.append(label(left - 4, up.at(value) + 3.5, short(value), "end", "tick"))
    for value in across.ticks():
        parts.append(label(across.at(value), height - bottom + 14, short(value), "middle", "tick"))
    parts.append(label(left + (width - left - right) / 2, height - 4, x_name, "middle", "tick"))
    names: list[tuple[float, str, int]] = []
    for i, each in enumerate(series):
        path = " ".join(f"{across.at(x):.1f},{up.at(y):.1f}" for x, y in each.points)
        dash = DASHES[i % len(DASHES)]
        parts.append(tag("polyline", points=Html(path), class_=f"line line-{i % 8}", stroke_dasharray=dash))
        names.append((up.at(each.points[-1][1]), each.name, i))
    for y, (_, name, i) in zip(apart([at for at, _, _ in sorted(names)], 13, height - bottom), sorted(names)):
        shown = name if len(name) <= 14 else name[:13] + "…"
        dash = DASHES[i % len(DASHES)]
        parts.append(
            tag(
                "line",
                x1=width - right + 4,
                x2=width - right + 22,
                y1=y,
                y2=y,
                class_=f"line line-{i % 8}",
                stroke_dasharray=dash,
            )
        )
        parts.append(label(width - right + 26, y + 3.5, shown, kind="tick"))
    return drawing(title, description, width, height, *parts, kind="chart wide")


def apart(places: list[float], distance: float, lowest: float) -> list[float]:
    """Sorted places moved so that no two are nearer than `distance` and the last is not below `lowest`."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + distance) if moved else place)
    over = max(0.0, moved[-1] - lowest) if moved else 0.0
    return [place - over for place in moved]


def bar(part: float, whole: float, kind: str = "kept") -> Html:
    """A bar for a table's cell, beside the figure that says the same."""
    length = 100.0 * part / whole if whole else 0.0
    inside = tag("rect", x=0, y=0, width=max(length, 0.8 if part else 0.0), height=10, class_=kind)
    return tag("svg", inside, viewBox="0 0 100 10", class_="bar", aria_hidden="true", preserveAspectRatio="none")


def short(value: float) -> str:
    """A figure for an axis: 1k, 2.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def legend(*entries: tuple[str, str]) -> Html:
    """What the shapes of a chart mean: (class, words)."""
    items = [
        tag(
            "li",
            tag(
                "svg",
                tag("rect", x=1, y=1, width=18, height=10, class_=kind)
                if kind != "threshold"
                else line(10, 0, 10, 12, kind),
                viewBox="0 0 20 12",
                class_="key",
                aria_hidden="true",
            ),
            words,
        )
        for kind, words in entries
    ]
    return tag("ul", joined(*items), class_="legend")
