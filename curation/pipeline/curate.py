"""A whole run, in order. The one entry for the command, for spark-submit and for Python."""

from __future__ import annotations

import errno
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from connectors import storage
from connectors.errors import UserError
from curation.dedup.homes import Part
from curation.dedup.index import index_parts, read_index
from curation.engines.engine import Engine
from curation.engines.opening import open_engine, require_known
from curation.pipeline.close import close, close_manifest
from curation.pipeline.compiling import prepare_kernels
from curation.pipeline.deduplicate import Settings, deduplicate, parts_of, settings_of
from curation.pipeline.finish import FinishPass
from curation.pipeline.indexing import make_index
from curation.pipeline.one_pass import OnePass, is_one_pass, units_of_splits
from curation.pipeline.places import fill_places
from curation.pipeline.plan import Plan, adopt, make_plan
from curation.pipeline.progress import RunProgress
from curation.pipeline.reading import BATCH_DOCUMENTS
from curation.pipeline.refine import RefinePass
from curation.pipeline.removal_alarm import watch_removals
from curation.pipeline.repeated_spans import find_repeated
from curation.pipeline.shard_plan import plan_shards
from curation.pipeline.shards import MakeShard
from curation.pipeline.units import plan_units
from curation.pipeline.vocabulary import make_vocabulary, tokenizer_location
from curation.recipes.load import load_recipe
from curation.recipes.model import Recipe
from curation.recipes.tokenize import Tokenize
from curation.run.folder import RunFolder
from curation.run.manifest import read_manifest
from curation.run.receipt import Receipt
from curation.run.split import recursive_root

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


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
    patterns = [inputs] if isinstance(inputs, str) else inputs
    plan = make_plan(given, patterns)
    folder = run_folder(run, patterns)
    with storage.locked(folder.uri(folder.lock), f"Another command is at work in {run}: wait for it, or end it"):
        work(folder, plan, engine, workers, partitions, batch_documents, keep_work, console)
    return Summary(folder.root, read_manifest(folder) or {})


def run_folder(run: str, inputs: Sequence[str]) -> RunFolder:
    """The folder of the run. Raises `UserError` for one that cannot be: the root, or a place that the inputs take in."""
    path = storage.local_path(run).resolve()
    if not run.strip() or path == path.parent:
        raise UserError(f"'{run}' is no folder for a run: give --run a folder of its own")
    for given in inputs:
        root = recursive_root(given)
        if root is not None and path.is_relative_to(root.resolve()):
            raise UserError(f"The run {run} would lie among its own inputs, {given}: give another --run")
    storage.require_writable(str(storage.local_path(run)))
    return RunFolder(str(storage.local_path(run)))


def work(
    folder: RunFolder,
    plan: Plan,
    engine: str | Engine,
    workers: int | None,
    partitions: int | None,
    batch_documents: int,
    keep_work: bool,
    console: Console | None,
) -> None:
    """Brings the run to its end, from wherever it stands."""
    if adopt(plan, folder) == "open":
        storage.remove_partial_files(folder.root)
        extract, say = plan.recipe.extract, console.print if console else lambda said: None
        prepare_kernels(say, extract.format == "markdown" or extract.comments == "drop")
        opened = engine if not isinstance(engine, str) else open_engine(engine, folder.uri("work"), workers, partitions)
        try:
            run_stages(opened, folder, plan, RunProgress(console, folder), batch_documents)
        except OSError as error:
            raise told(error, folder.root) from error
        finally:
            if isinstance(engine, str):
                opened.close()
    require_whole(folder)
    close(folder, keep_work)


def told(error: OSError, run: str) -> Exception:
    """What storage's failure means to the user, or the error itself where that is unknown."""
    if error.errno in DISK_FULL:
        return UserError(f"The disk of {run} is full: free some space; the same command goes on where it stopped")
    if error.filename and str(error.filename).startswith(run) and not storage.exists(run):
        return UserError(f"The folder {run} was removed while the run was at work in it")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return UserError(f"Cannot write {error.filename}: {(error.strerror or 'refused').lower()}")
    return error


def require_whole(run: RunFolder) -> None:
    """Raises `UserError` where files of a finished run are gone or of another size."""
    files: dict[str, dict[str, Any]] = (read_manifest(run) or {})["files"]
    for path, written in files.items():
        uri = run.uri(path)
        if not storage.exists(uri) or storage.size(uri) != written["bytes"]:
            raise UserError(f"The run in {run.root} is complete, but {path} is not what it was: see corpusmill verify")


def run_stages(engine: Engine, run: RunFolder, plan: Plan, progress: RunProgress, batch_documents: int) -> None:
    """The passes and the stages between them. Each gives receipts, and the next is made from those alone."""
    recipe, digest = plan.recipe, plan.digest
    passes = in_one_pass if is_one_pass(recipe.resolved()) else in_two_passes
    refined, between, finished = passes(engine, run, plan, progress, batch_documents)
    sharded: list[Receipt] = []
    if recipe.tokenize is not None:
        sharded, placed = make_shards(engine, run, digest, recipe.tokenize, finished, progress)
        between += placed
    if recipe.dedup is not None and recipe.dedup.index:
        units = plan_units(refined, recipe.tokenize.shard_tokens if recipe.tokenize else 1e9)
        with progress.stage("index"):
            between += make_index(engine, run, digest, recipe.keys, refined, units)
    close_manifest(run, plan, refined, between, finished, sharded)


Passed = tuple[list[Receipt], list[Receipt], list[Receipt]]  # of the first pass, of what lies between, of the last


def in_two_passes(engine: Engine, run: RunFolder, plan: Plan, progress: RunProgress, batch_documents: int) -> Passed:
    """From records to documents and tokens."""
    recipe, digest = plan.recipe, plan.digest
    with progress.stage("refine", "refine", [(split.name, split.size) for split in plan.splits]):
        task = RefinePass(run, digest, recipe, uuid.uuid4().hex, batch_documents)
        refined = in_order(engine.map(task, plan.splits), len(plan.splits))
    with progress.stage("dedup", "dedup"):
        duplicates = deduplicate(engine, run, digest, dedup_settings(recipe), all_parts(run, recipe, refined))
    between, tokenizer = [duplicates], ""
    if recipe.dedup is not None:
        between.append(watch_removals(engine, run, digest, recipe.dedup, refined, progress.console))
    if recipe.repeated is not None:
        with progress.stage("repeated"):
            find_repeated(engine, run, digest, recipe.repeated.spans, refined)
    if recipe.tokenize is not None:
        with progress.stage("vocabulary"):
            tokenizer = tokenizer_location(run, make_vocabulary(engine, run, digest, recipe, refined))
        between += run.receipts("vocabulary")
    units = plan_units(refined, recipe.tokenize.shard_tokens if recipe.tokenize else 1e9)
    with progress.stage("finish", "finish", [(unit.name, unit.text_bytes) for unit in units]):
        finish = FinishPass(run, digest, recipe, tokenizer, duplicate_threshold(recipe))
        finished = in_order(engine.map(finish, units), len(units))
    return refined, between, finished


def in_one_pass(engine: Engine, run: RunFolder, plan: Plan, progress: RunProgress, batch_documents: int) -> Passed:
    """`in_two_passes` where nothing lies between them."""
    recipe, digest = plan.recipe, plan.digest
    tokenizer = tokenizer_location(run, make_vocabulary(engine, run, digest, recipe, None))
    items = list(zip(plan.splits, units_of_splits(plan.splits), strict=True))
    with progress.stage("one pass", "refine", [(split.name, split.size) for split in plan.splits]):
        refine = RefinePass(run, digest, recipe, uuid.uuid4().hex, batch_documents)
        finish = FinishPass(run, digest, recipe, tokenizer, duplicate_threshold(recipe))
        done = dict(engine.map(OnePass(refine, finish), items))
    both = [done[number] for number in range(len(items))]
    return [refined for refined, _ in both], list(run.receipts("vocabulary")), [finished for _, finished in both]


def make_shards(
    engine: Engine,
    run: RunFolder,
    plan: str,
    settings: Tokenize,
    finished: Sequence[Receipt],
    progress: RunProgress,
) -> tuple[list[Receipt], list[Receipt]]:
    """From the finish units' sorted runs to shards, and to the places of documents in the ledger: the receipts of both."""
    shards = plan_shards(finished, settings)
    with progress.stage("shards", "shards", [(shard.name, shard.tokens) for shard in shards]):
        sharded = in_order(engine.map(MakeShard(run, plan), shards), len(shards))
    with progress.stage("places"):
        return sharded, fill_places(engine, run, plan, finished, shards)


def in_order(numbered: Any, count: int) -> list[Receipt]:
    """The receipts in the order of their items."""
    by_number = dict(numbered)
    assert len(by_number) == count
    return [by_number[number] for number in range(count)]


def duplicate_threshold(recipe: Recipe) -> float:
    """The similarity that the ledger names as the threshold: the target, or, where nothing is verified, that at which banding
    finds about two pairs of three, (1/bands)^(1/rows).
    """
    if recipe.dedup is None or recipe.dedup.minhash is None:
        return 1.0
    minhash = recipe.dedup.minhash
    return minhash.target if minhash.verify else float((1 / minhash.bands) ** (1 / minhash.rows))


def dedup_settings(recipe: Recipe) -> Settings:
    """What the recipe wants of deduplication."""
    dedup = recipe.dedup
    if dedup is None:
        return settings_of(False, False, None, None)
    minhash = dedup.minhash
    target = minhash.target if minhash and minhash.verify else None
    return settings_of(dedup.url, dedup.exact, recipe.keys.near, target)


def all_parts(run: RunFolder, recipe: Recipe, refined: Sequence[Receipt]) -> list[Part]:
    """What is compared: the documents of the indexes that the recipe names, which stay, and behind them the run's own."""
    indexes = [read_index(path) for path in recipe.dedup.against] if recipe.dedup else []
    held = index_parts(indexes)
    return [*held, *parts_of(run, refined, sum(part.documents for part in held))]
