"""The alarm: what deduplication takes too much of is told before a word of what it leaves is tokenized."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow.parquet as pq
from rich.console import Console
from rich.text import Text

from connectors import storage
from connectors.errors import UserError
from curation.dedup.duplicates import REASONS
from curation.engines.engine import Engine
from curation.pipeline.removal_rates import KINDS, removal_rates
from curation.recipes.dedup import Alarm, Dedup
from curation.run.folder import RunFolder
from curation.run.receipt import Receipt

MOST_LINES = 10  # of a kind


@dataclass(frozen=True, slots=True)
class Rate:
    """What deduplication took from one source, language or domain: documents, and those removed, by reason."""

    kind: str
    name: str
    documents: int
    url: int
    exact: int
    minhash: int
    elsewhere: int

    @property
    def removed(self) -> int:
        """Documents removed, for whichever reason."""
        return self.url + self.exact + self.minhash

    @property
    def share(self) -> float:
        """Of its documents."""
        return self.removed / self.documents


def watch_removals(
    engine: Engine, run: RunFolder, plan: str, dedup: Dedup, refined: Sequence[Receipt], console: Console | None
) -> Receipt:
    """Counts the removal rates and raises the alarm. Raises `UserError` where one is too high and the recipe says stop."""
    receipt = removal_rates(engine, run, plan, refined, dedup.alarm.documents)
    (path,) = receipt.outputs
    alarming = too_high(read_rates(run.uri(path)), dedup.alarm)
    if alarming and console is not None:
        for line in alarm_lines(alarming, dedup.alarm, path):
            console.print(
                Text(line, style="bold red" if line == line.lstrip() else ""), highlight=False, soft_wrap=True
            )
    if alarming and dedup.alarm.stop:
        raise stopped(alarming[0], dedup.alarm)
    return receipt


def read_rates(uri: str) -> list[Rate]:
    """The rates that a run's ledger lists: at most its sources, its languages and some hundred domains."""
    with storage.open_input(uri) as file:
        return [Rate(**row) for row in pq.read_table(file).to_pylist()]


def too_high(rates: Sequence[Rate], alarm: Alarm) -> list[Rate]:
    """Those that raise the alarm: sources, then languages, then domains, the worst of each first."""
    found = [rate for rate in rates if rate.name and rate.documents >= alarm.documents and rate.share > alarm.share]
    return sorted(found, key=lambda rate: (KINDS.index(rate.kind), -rate.share, -rate.documents, rate.name))


def alarm_lines(alarming: Sequence[Rate], alarm: Alarm, path: str) -> list[str]:
    """What a person reads in a terminal."""
    lines = [
        f"ALARM: deduplication takes more than {100 * alarm.share:g} % of a source, language or domain "
        f"of {alarm.documents:,} documents or more:"
    ]
    for kind in KINDS:
        here = [rate for rate in alarming if rate.kind == kind]
        for rate in here[:MOST_LINES]:
            taken = ", ".join(f"{reason} {getattr(rate, reason):,}" for reason in REASONS if getattr(rate, reason))
            before = f"; {rate.elsewhere:,} for a document of an earlier run" if rate.elsewhere else ""
            lines.append(
                f"  {kind:<9}{printable(rate.name)}: {percent(rate)} of {rate.documents:,} documents ({taken}{before})"
            )
        if len(here) > MOST_LINES:
            lines.append(f"  {kind:<9}and {len(here) - MOST_LINES:,} more, see {path}")
    if not alarm.stop:
        lines.append("  The run goes on; with dedup.alarm.stop=true it would end here.")
    return lines


def stopped(worst: Rate, alarm: Alarm) -> UserError:
    """The end of the run, and how to go on."""
    return UserError(
        f"Deduplication takes {percent(worst)} of the {worst.kind} '{printable(worst.name)}' ({worst.removed:,} of "
        f"{worst.documents:,} documents), more than dedup.alarm.share={alarm.share:g}: the run stops before it writes any. "
        f"If that is right, the same command with a larger dedup.alarm.share, or dedup.alarm.stop=false, goes on; if not, "
        "change what dedup keeps and give another --run"
    )


def percent(rate: Rate) -> str:
    """A share in percent, never rounded up to 100."""
    return f"{100 * rate.share:.1f} %" if rate.removed == rate.documents else f"{min(99.9, 100 * rate.share):.1f} %"


def printable(name: str) -> str:
    """A name from the web without what would steer a terminal or turn the reading direction."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name)
