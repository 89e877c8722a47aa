"""What a recipe does, step by step and pass by pass, told from the recipe and from its steps themselves.

A step's columns are found by giving it a page and watching what it reads and adds, so they are never out of date.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from connectors.errors import UserError
from connectors.records import Record
from curation.pipeline.dedup_account import dedup_memory, dedup_passes
from curation.pipeline.one_pass import is_one_pass
from curation.pipeline.reading import BATCH_BYTES, BATCH_DOCUMENTS, document_batch
from curation.pipeline.step_rules import rules_of
from curation.quality.rules import Rule
from curation.recipes.dedup import MinHash
from curation.recipes.model import Recipe
from curation.recipes.tokenize import TRAIN, Tokenize
from curation.run.documents import READ_SCHEMA, VERDICT_FIELDS, Step
from curation.run.split import Split

VOCABULARY_BYTES = 250 << 20  # of words and what is known of them, see `text/segmenter.py`
PAGE = "This is a page of plain English words, and somebody has written it for a reader. " * 20
_VERDICT = [field.name for field in VERDICT_FIELDS]
_SOURCE = re.compile(r"^Sources?: (.+?)(?=\.\s+[A-Z]|\n\n|\.?\s*\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class StepAccount:
    """One step. Files come with their size in bytes; `trouble` says why its columns could not be found out; `notes` are
    what the step has to say of itself.

    settings   its parameters, defaults included
    needs      columns that it reads
    adds       columns that it adds; the counts `edit:…` say that it rewrites the text
    ends       whether it can end a document's way
    """

    step: str
    what: str
    source: str
    settings: dict[str, Any]
    needs: tuple[str, ...]
    adds: tuple[str, ...]
    ends: bool
    files: tuple[tuple[str, int], ...]
    rules: tuple[Rule, ...]
    trouble: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """A recipe's steps, its passes as (name, what is done), and what a worker holds as (what, at most so many bytes).

    near  how near duplicates are found, None if they are not looked for
    """

    recipe: str
    source: str
    steps: tuple[StepAccount, ...]
    passes: tuple[tuple[str, str], ...]
    memory: tuple[tuple[str, int], ...]
    near: MinHash | None = None


def explain(recipe: Recipe) -> Account:
    """The account of a recipe."""
    record = Record(0, url="https://site.example/", media="text", content=PAGE.encode())
    batch = document_batch(Split("explain", "", "", 0), 0, [record], set(), False).drop_columns(_VERDICT)
    steps = [_reading(recipe)]
    for step in recipe.refine_steps:
        account, batch = _account(step, batch)
        steps.append(account)
    near = recipe.dedup.minhash if recipe.dedup is not None else None
    passes, memory = tuple(_passes(recipe)), tuple(_memory(recipe, steps))
    return Account(recipe.recipe, recipe.source, tuple(steps), passes, memory, near)


def _reading(recipe: Recipe) -> StepAccount:
    """What stands before all steps."""
    what = "Each record of a split becomes a document, or gets the reason why it is none."
    settings = {"record_bytes": recipe.read.record_bytes}
    return StepAccount("read", what, "", settings, (), tuple(READ_SCHEMA.names), True, (), ())


class Watched:
    """A batch that notes which columns are read."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        self._batch = batch
        self.read: list[str] = []

    def column(self, name: str | int) -> Any:
        """A column, by name or number."""
        self.read.append(name if isinstance(name, str) else self._batch.schema.names[name])
        return self._batch.column(name)

    __getitem__ = column

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)


def _account(step: Step, batch: pa.RecordBatch) -> tuple[StepAccount, pa.RecordBatch]:
    """What a step is, and the batch behind it."""
    watched, after, trouble = Watched(batch), batch, ""
    try:
        after = step(cast(pa.RecordBatch, watched))
    except UserError as error:
        trouble = str(error)
    except Exception:
        trouble = "a page of English could not be taken through it"
    added = [name for name in after.schema.names if name not in batch.schema.names]
    account = StepAccount(
        step=step.name,
        what=_what(type(step)),
        source=_source(type(step)),
        settings=_settings(step),
        needs=tuple(name for name in dict.fromkeys(watched.read) if name in batch.schema.names),
        adds=tuple(name for name in added if name not in _VERDICT),
        ends=bool(set(_VERDICT) & set(added)),
        files=tuple((path, _size(Path(path))) for path in getattr(step, "files", ())),
        rules=rules_of(step),
        trouble=trouble,
        notes=tuple(getattr(step, "notes", ())),
    )
    return account, after.drop_columns([name for name in _VERDICT if name in after.schema.names])


def _what(kind: type[Any]) -> str:
    """The first line of a class's docstring, or of its module's where the class says only that it is the step."""
    own = inspect.cleandoc(kind.__doc__ or "").partition("\n")[0]
    if own and not own.startswith(("The step.", f"{kind.__name__}(")):
        return own
    return (importlib.import_module(kind.__module__).__doc__ or "").strip().partition("\n")[0]


def _source(kind: type[Any]) -> str:
    """What a docstring of the class or its module names behind `Source:`."""
    for told in (inspect.cleandoc(kind.__doc__ or ""), importlib.import_module(kind.__module__).__doc__ or ""):
        if found := _SOURCE.search(told):
            return " ".join(found[1].split())
    return ""


def _settings(step: Step) -> dict[str, Any]:
    """The parameters of a step that has any, but for its name and the rules that have a row each."""
    if not is_dataclass(step) or isinstance(step, type):
        return {}
    left_out = ("name", "rules") if rules_of(step) else ("name",)
    return {name: value for name, value in asdict(step).items() if name not in left_out}


def _size(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; 0 where there is none."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size if path.is_file() else 0


def _passes(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """What is read once, where the shuffle is, what the last pass does."""
    way = " → ".join(["read", *(step.name for step in recipe.refine_steps)])
    if recipe.tokenize is not None and is_one_pass(recipe.resolved()):
        documents = "documents and tokens" if recipe.documents else "tokens"
        yield (
            "one pass",
            f"each split is read once: {way} → tokenize. No shuffle; {documents} are written, nothing else",
        )
        yield "shards", _shards(recipe.tokenize)
        return
    yield "refine", f"each split is read once: {way}. No shuffle; survivors and their keys are written to RUN/work"
    yield from dedup_passes(recipe)
    if recipe.repeated is not None:
        yield (
            "repeated",
            "a shuffle of its own: a hash of each span in what is kept, no text; repeated ones are cut out",
        )
    if recipe.tokenize is not None and recipe.tokenize.tokenizer == TRAIN:
        size, entries = recipe.tokenize.sample_bytes >> 20, recipe.tokenize.vocabulary
        model = recipe.tokenize.training.model
        counts = "; a shuffle of its own: counts of its distinct pre-tokens" if model == "bpe" else ""
        yield "vocabulary", f"{entries:,} entries ({model}) are trained on at most {size:,} MB of the kept text{counts}"
    elif recipe.tokenize is not None:
        yield "vocabulary", f"the tokenizer {recipe.tokenize.tokenizer} is copied into the run"
    tokens = "tokens, sorted by keyed hash, to RUN/work" if recipe.tokenize is not None else "no tokens"
    yield "finish", f"survivors are read once, in order: duplicates leave, documents are written, {tokens}. No shuffle"
    if recipe.tokenize is not None:
        yield "shards", _shards(recipe.tokenize)
    if recipe.dedup is not None and recipe.dedup.index:
        yield "index", "hashes, keys and sketches of what is kept are written to RUN/index, for later runs; no text"


def _shards(settings: Tokenize) -> str:
    """How tokens come into shards."""
    held_out = [f"{share:.2%} {part}" for part, share in settings.held_out.model_dump().items() if share]
    taken = "whole splits, in order" if settings.order == "split" else "a range of hashes of all splits"
    said = f"Megatron .bin/.idx of about {settings.shard_tokens:,.0f} tokens, of {taken}; no text is read again"
    return f"{said}; held out by address: {', '.join(held_out)}" if held_out else said


def _memory(recipe: Recipe, steps: list[StepAccount]) -> Iterator[tuple[str, int]]:
    """What a worker holds, from the bounds in the code and the sizes of files."""
    yield f"a batch: page bytes of at most {BATCH_DOCUMENTS} documents, or", BATCH_BYTES
    yield "one larger record (read.record_bytes)", recipe.read.record_bytes
    yield "words of all documents seen, shared by the steps that look at words", VOCABULARY_BYTES
    if recipe.language is not None and recipe.language.engine == "lid176":
        from curation.language.lid176_engine import MODEL, PACKAGE

        spec = importlib.util.find_spec(PACKAGE)
        folder = Path(next(iter(spec.submodule_search_locations or [""]))) if spec else Path()
        yield "language: the model lid.176", _size(folder / MODEL)
    yield from dedup_memory(recipe)
    for step in steps:
        if step.files:
            yield f"{step.step}: {len(step.files)} files", sum(size for _, size in step.files)
