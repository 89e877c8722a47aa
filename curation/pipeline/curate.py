"""A whole run, in order. The one entry for the command, for spark-submit and for Python."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from connectors import storage
from connectors.errors import UserError
from curation.engines.engine import Engine
from curation.engines.opening import open_engine, require_known
from curation.pipeline.close import close, write_manifest
from curation.pipeline.deduplicate import deduplicate
from curation.pipeline.finish import FinishPass, plan_shards
from curation.pipeline.plan import Plan, adopt, make_plan
from curation.pipeline.progress import RunProgress
from curation.pipeline.refine import BATCH_DOCUMENTS, RefinePass
from curation.pipeline.vocabulary import make_vocabulary, tokenizer_location
from curation.recipes.load import load_recipe
from curation.recipes.model import Recipe
from curation.run.folder import RunFolder
from curation.run.receipt import Receipt

DISK_FULL = 28


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did: its folder and its manifest."""

    run: str
    manifest: dict[str, Any]


def curate(
    recipe: str | Recipe,
    inputs: str | Sequence[str],
    run: str,
    *,
    engine: str | Engine = "local",
    workers: int | None = None,
    partitions: int | None = None,
    changes: Sequence[str] = (),
    batch_documents: int = BATCH_DOCUMENTS,
    keep_work: bool = False,
    console: Console | None = None,
) -> Summary:
    """Curates `inputs` (paths, folders or globs, each may be `NAME=PATTERN`) by `recipe` into the run folder `run`.

    Goes on where an earlier call of the same plan stopped. Raises `UserError` for what the user can put right, before any
    work starts where it can be known.
    """
    if isinstance(engine, str):
        require_known(engine)
    given = load_recipe(recipe, changes) if isinstance(recipe, str) else recipe
    plan = make_plan(given, [inputs] if isinstance(inputs, str) else inputs)
    folder = RunFolder(run.rstrip("/"))
    if adopt(plan, folder) == "open":
        storage.remove_partial_files(folder.root)
        opened = engine if not isinstance(engine, str) else open_engine(engine, folder.uri("work"), workers, partitions)
        try:
            run_stages(opened, folder, plan, RunProgress(console, folder), batch_documents)
        except OSError as error:
            if error.errno == DISK_FULL:
                raise UserError(
                    f"The disk of {run} is full: free some space; the same command goes on where it stopped"
                ) from None
            raise
        finally:
            if isinstance(engine, str):
                opened.close()
    close(folder, keep_work)
    return Summary(folder.root, json.loads(storage.read_bytes(folder.uri(folder.manifest))))


def run_stages(engine: Engine, run: RunFolder, plan: Plan, progress: RunProgress, batch_documents: int) -> None:
    """The passes and the stages between them. Each gives receipts, and the next is made from those alone."""
    recipe, digest = plan.recipe, plan.digest
    with progress.stage("refine", "refine", [(split.name, split.size) for split in plan.splits]):
        task = RefinePass(run, digest, recipe, batch_documents)
        refined = in_order(engine.map(task, plan.splits), len(plan.splits))
    with progress.stage("dedup"):
        clusters = deduplicate(engine, run, digest, recipe.dedup, refined)
    between, tokenizer = [clusters], ""
    if recipe.tokenize is not None:
        with progress.stage("vocabulary"):
            tokenizer = tokenizer_location(run, make_vocabulary(engine, run, digest, recipe, refined))
        between += run.receipts("vocabulary")
    shards = plan_shards(refined, recipe.tokenize.shard_tokens if recipe.tokenize else 1e9)
    with progress.stage("finish", "finish", [(shard.name, shard.text_bytes) for shard in shards]):
        finish = FinishPass(run, digest, recipe, tokenizer, duplicate_threshold(recipe))
        finished = in_order(engine.map(finish, shards), len(shards))
    write_manifest(run, plan, refined, between, finished)


def in_order(numbered: Any, count: int) -> list[Receipt]:
    """The receipts in the order of their items."""
    by_number = dict(numbered)
    assert len(by_number) == count
    return [by_number[number] for number in range(count)]


def duplicate_threshold(recipe: Recipe) -> float:
    """The similarity at which banding finds about two pairs of three, (1/bands)^(1/rows): what the ledger names."""
    if recipe.dedup is None or recipe.dedup.minhash is None:
        return 1.0
    return float((1 / recipe.dedup.minhash.bands) ** (1 / recipe.dedup.minhash.rows))
