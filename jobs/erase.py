"""Erases pages from a run, with all that is similar to them, and proves that they are gone.

corpusmill erase RUN --url URL --dry-run
corpusmill erase RUN --requests FILE --yes
corpusmill erase RUN --prove
"""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from connectors import storage
from connectors.errors import UserError
from curation.audit.erase.account import Checkpoint
from curation.audit.erase.erasing import SIMILAR, Erasure, erasing
from curation.audit.erase.found import Found
from curation.audit.erase.proof import prove, record_proof
from curation.audit.erase.requests import Request, read_requests, settled
from curation.audit.erase.show import checkpoint_table, found_tables, proof_table
from curation.audit.pages import page
from curation.engines.engine import Engine
from curation.engines.opening import open_engine
from curation.report.page import PATH, write_report
from jobs import command
from jobs.command import output, status
from trainer.data import erased
from trainer.load_config import load_training
from trainer.load_config import settled as settled_training

Many = list[str] | None


def main(
    run: Annotated[str, typer.Argument(help="Folder of the run.")],
    url: Annotated[Many, typer.Option(help="This page, in every capture; may be repeated, as all of these.")] = None,
    domain: Annotated[Many, typer.Option(help="All pages of this host and of those below it.")] = None,
    doc_id: Annotated[Many, typer.Option(help="This document, by 32 hex digits.")] = None,
    text: Annotated[Many, typer.Option(help="All pages in which this text stands, or nearly all of it.")] = None,
    text_file: Annotated[Many, typer.Option(help="The same, with the text in a file.")] = None,
    pattern: Annotated[Many, typer.Option(help="All pages in which RE2 finds this expression.")] = None,
    requests: Annotated[str, typer.Option(help='Many requests: a file of JSON lines such as {"url": "…"}.')] = "",
    similarity: Annotated[float, typer.Option(min=0.3, max=1.0, help="Jaccard similarity that goes, too.")] = SIMILAR,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would go; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Erase without asking.")] = False,
    prove_only: Annotated[bool, typer.Option("--prove", help="Only search the run again; change nothing.")] = False,
    date: Annotated[str, typer.Option(help="Of the account, YYYY-MM-DD; default: today.")] = "",
    workers: Annotated[int, typer.Option(min=1, help="Processes that read documents and shards.")] = 1,
    rows: Annotated[int, typer.Option(min=1, help="Most documents that are shown.")] = 20,
) -> None:
    """Erase pages and all that is similar from a run: text, tokens, addresses; then search everything again. --dry-run first."""
    asked = _requests(url, domain, doc_id, text, text_file, pattern, requests, prove_only)
    day = _day(date)
    with erasing(run, asked, similarity, dry_run or prove_only) as erasure, _engine(erasure, workers) as engine:
        number = None
        if not prove_only:
            with status.status("reading the run"):
                found = erasure.find(engine)
                checkpoints = checkpoints_of(run, found)
            for part in [*found_tables(found, asked, rows), checkpoint_table(checkpoints)]:
                page(output).print(part, highlight=False)
            if dry_run:
                output.print("Nothing was changed: this was a dry run.")
                return
            _consent(run, found, yes)
            had_report = storage.exists(f"{run.rstrip('/')}/{PATH}")
            with status.status("erasing"):
                number = erasure.apply(found, day, checkpoints)
            if had_report and number:
                write_report(run)
            _tell(run, number)
        _prove(erasure, engine, number)


def _requests(
    url: Many, domain: Many, doc_id: Many, text: Many, text_file: Many, pattern: Many, requests: str, optional: bool
) -> tuple[Request, ...]:
    asked = [Request("url", value) for value in url or []]
    asked += [Request("domain", value) for value in domain or []]
    asked += [Request("doc_id", value.lower()) for value in doc_id or []]
    asked += [Request("text", value) for value in text or []]
    asked += [Request("text", _content(path)) for path in text_file or []]
    asked += [Request("pattern", value) for value in pattern or []]
    asked += read_requests(requests) if requests else []
    return settled(asked) if asked or not optional else ()


def _content(path: str) -> str:
    try:
        return storage.read_bytes(path).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"Cannot read {path}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None


def _day(date: str) -> str:
    if not date:
        return datetime.date.today().isoformat()
    try:
        return datetime.date.fromisoformat(date).isoformat()
    except ValueError:
        raise UserError(f"--date {date[:20]} is no day: write it as 2026-01-31") from None


@contextmanager
def _engine(erasure: Erasure, workers: int) -> Iterator[Engine | None]:
    if workers == 1:
        yield None
        return
    engine = open_engine("local", erasure.run.uri("work/erase"), workers)
    try:
        yield engine
    finally:
        engine.close()


def _consent(run: str, found: Found, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UserError("Nothing was changed: say --yes to erase, or --dry-run to look")
    told = f"Erase {len(found.documents):,} documents from {run}? They can't be brought back"
    typer.confirm(told, abort=True)


def _tell(run: str, number: str | None) -> None:
    told = f"✓ erased; the account is {run}/erasures/{number}.json" if number else "✓ nothing was left to erase"
    output.print(told, markup=False, highlight=False, soft_wrap=True)


def _prove(erasure: Erasure, engine: Engine | None, number: str | None) -> None:
    """Searches the run again, and ends with 1 where something is found."""
    with status.status("searching again"):
        proof = prove(erasure, engine)
    page(output).print(proof_table(proof), highlight=False)
    if proof.vocabulary:
        output.print(
            f"{proof.vocabulary:,} tokens of the vocabulary are words that a pattern finds. They stay: only a run with another "
            "tokenizer has others.",
            highlight=False,
            soft_wrap=True,
        )
    if number:
        record_proof(erasure, number, proof)
    if not proof.holds:
        output.print(f"✗ {proof.hits.total():,} hits", highlight=False)
        raise typer.Exit(1)
    output.print("✓ 0 hits", highlight=False)


def checkpoints_of(run: str, found: Found) -> list[Checkpoint]:
    """The checkpoints of the run's trainings that have a step behind them whose batch held a token of what was found."""
    places = [(one.shard, one.first_token, one.tokens) for one in found.documents.values() if one.shard]
    found_in: list[Checkpoint] = []
    for config in sorted(Path(run).glob("train/*/config.yaml")) if places else ():
        training = config.parent
        saved = erased.checkpoints(training)
        if saved:
            found_in += _trained_on(Path(run), training, saved, places)
    return found_in


def _trained_on(
    run: Path, training: Path, saved: Sequence[tuple[int, Path]], places: Sequence[erased.Place]
) -> Iterator[Checkpoint]:
    """Of one training. Where its samples are not the run's any more, every checkpoint counts."""
    _, plan = settled_training(load_training(training / "config.yaml"), run)
    first = erased.first_step(plan, places)
    for step, path in saved:
        try:
            same = erased.same_places(json.loads((path / "state.json").read_bytes())["plan"], plan)
        except (OSError, ValueError, KeyError):
            same = False
        if not same:
            yield Checkpoint(training.name, step, None)
        elif first is not None and first < step:
            yield Checkpoint(training.name, step, first)


if __name__ == "__main__":
    command.run(main)
