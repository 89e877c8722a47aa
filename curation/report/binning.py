"""A column of the ledger counted into the bars of a histogram, by one aggregate in DuckDB."""

from __future__ import annotations

import math
from dataclasses import dataclass

from curation.audit.story import Ledger
from curation.report.charts import Bar
from curation.report.tables import ask, ask_one, column

BINS = 40
LOG_FROM = 100.0  # greatest value from which a measure that is no share is drawn in powers of ten


@dataclass(frozen=True, slots=True)
class Distribution:
    """A column's values: how many, their extremes, the bars, the axis, and how many lie below and above the bounds."""

    documents: int
    least: float
    greatest: float
    bars: list[Bar]
    axis: tuple[float, float, bool]
    below: int
    above: int


def distribution(
    ledger: Ledger,
    table: str,
    name: str,
    least: float | None = None,
    greatest: float | None = None,
    where: str = "true",
    axis: tuple[float, float] | None = None,
) -> Distribution | None:
    """The distribution of a column where it is a finite number, with the bounds of its rules; None where it never is.

    `where` is SQL of ours, never text from elsewhere. A bar in which a bound lies is cut there.
    """
    kept = f"FROM {table} WHERE isfinite({column(name)}) AND ({where})"
    ends = ask_one(ledger, f"SELECT count(*) AS n, min({column(name)}) AS low, max({column(name)}) AS high {kept}")
    if not ends["n"]:
        return None
    marks = [mark for mark in (least, greatest) if mark is not None]
    low, high = axis or _range(ends["low"], ends["high"], marks)
    log = axis is None and low >= 0 and high >= LOG_FROM
    span = math.log10((1 + high) / (1 + low)) if log else high - low
    place = f"log10((1 + {column(name)}) / (1 + {low!r}))" if log else f"{column(name)} - {low!r}"
    lower = f"{column(name)} < {least!r}" if least is not None else "false"
    upper = f"{column(name)} > {greatest!r}" if greatest is not None else "false"
    rows = ask(
        ledger,
        f"""SELECT greatest(0, least({BINS - 1}, floor(({place}) / {span!r} * {BINS})))::INTEGER AS bin,
                   CASE WHEN {lower} THEN -1 WHEN {upper} THEN 1 ELSE 0 END AS side, count(*)::BIGINT AS n
            {kept} GROUP BY ALL ORDER BY ALL""",
    )
    edges = [low + span * i / BINS if not log else (1 + low) * 10 ** (span * i / BINS) - 1 for i in range(BINS + 1)]
    bars = []
    for row in rows:
        start, stop = edges[row["bin"]], edges[row["bin"] + 1]
        if least is not None:
            start, stop = (start, min(stop, least)) if row["side"] < 0 else (max(start, least), stop)
        if greatest is not None:
            start, stop = (max(start, greatest), stop) if row["side"] > 0 else (start, min(stop, greatest))
        bars.append(Bar(start, max(start, stop), row["n"], row["side"] == 0))
    return Distribution(
        documents=ends["n"],
        least=ends["low"],
        greatest=ends["high"],
        bars=bars,
        axis=(low, high, log),
        below=sum(row["n"] for row in rows if row["side"] < 0),
        above=sum(row["n"] for row in rows if row["side"] > 0),
    )


def _range(low: float, high: float, marks: list[float]) -> tuple[float, float]:
    """The axis: the values, and the bounds unless they lie far outside (a bound of 100,000 words over pages of 500)."""
    near = [mark for mark in marks if high < LOG_FROM or mark <= 1000 * max(high, 1)]
    low, high = min([low, *near]), max([high, *near])
    if 0 <= low < 0.5 * high:
        low = 0.0
    return (low, high) if high > low else (low - 0.5, high + 0.5)
