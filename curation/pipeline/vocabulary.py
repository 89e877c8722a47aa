"""The run's tokenizer: given by the user and copied into the run, or trained on a sample of the run's own text."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connectors import storage
from connectors.storage import Written
from curation.engines.engine import Engine
from curation.pipeline.fertility import measure_fertility
from curation.pipeline.pre_token_counting import count_pre_tokens
from curation.pipeline.training_sample import Sample, draw, in_tasks
from curation.recipes.model import Recipe
from curation.recipes.tokenize import TRAIN, Tokenize
from curation.run.documents import texts
from curation.run.folder import RunFolder
from curation.run.receipt import Receipt
from curation.tokenize.loading import load_tokenizer
from curation.tokenize.train import END_OF_TEXT, train_on_counts
from curation.tokenize.train_sentencepiece import END_OF_SENTENCE, Kind, train_sentencepiece
from curation.tokenize.train_wordpiece import train_wordpiece

SENTENCEPIECE_FILE = "tokenizer.model"
UNIT = "vocabulary"


@dataclass(frozen=True)
class SampleTexts:
    """A task: the texts of some splits that fall into a sample, each as often as it was drawn."""

    sample: Sample

    def __call__(self, units: tuple[str, ...]) -> list[str]:
        chosen: list[str] = []
        for unit in units:
            for batch, times in self.sample.batches(unit):
                for text, drawn in zip(texts(batch), times.tolist(), strict=True):
                    chosen += [text] * drawn
        return chosen


def make_vocabulary(
    engine: Engine, run: RunFolder, plan: str, recipe: Recipe, refined: Sequence[Receipt] | None
) -> str:
    """What to load as the run's tokenizer: a path in the run folder, or a name. Trains it where the recipe says so.

    refined  of the first pass; None before it, for a tokenizer that is given: then how well it fits is not measured
    """
    receipt = run.once(UNIT, UNIT, plan, lambda: settle(engine, run, plan, recipe, refined))
    return str(receipt.facts["tokenizer"])


def settle(engine: Engine, run: RunFolder, plan: str, recipe: Recipe, refined: Sequence[Receipt] | None) -> Receipt:
    """Trains or copies the tokenizer, and measures how well it fits the run's text."""
    assert recipe.tokenize is not None
    started = time.perf_counter()
    facts: dict[str, Any] = {}
    if recipe.tokenize.tokenizer == TRAIN:
        assert refined is not None
        chosen, content, facts = train(engine, run, recipe.tokenize, refined)
        outputs = {chosen: storage.write_bytes(run.uri(chosen), content)}
    else:
        chosen, outputs = copy(run, recipe.tokenize.tokenizer)
    location = tokenizer_location(run, chosen)
    if refined is not None:
        outputs |= measure_fertility(engine, run, refined, location, recipe.tokenize)
    timing = {"wall": time.perf_counter() - started}
    return Receipt(UNIT, plan, "", 0, 0, {}, outputs, {"tokenizer": chosen, **facts}, timing)


def tokenizer_location(run: RunFolder, chosen: str) -> str:
    """Where to load a run's tokenizer from: what `make_vocabulary` gave, made absolute if it is a path."""
    return run.uri(chosen) if storage.exists(run.uri(chosen)) else chosen


def train(
    engine: Engine, run: RunFolder, settings: Tokenize, refined: Sequence[Receipt]
) -> tuple[str, bytes, dict[str, Any]]:
    """Trains a vocabulary on a bounded sample of the kept text: its file's name and content, and what was trained on."""
    training = settings.training
    sample = draw(
        engine, run, refined, settings.sample_bytes, training.weights, settings.held_out, parts_seed=settings.seed
    )
    if training.model == "bpe":
        counts = count_pre_tokens(
            engine, sample, in_tasks(refined), training.pattern, training.pre_tokens, settings.sample_bytes
        )
        special = [settings.end_of_document or END_OF_TEXT, *training.special]
        content = train_on_counts(counts, settings.vocabulary, special, training.pattern)
        return run.tokenizer, content, {"trained_on": counts.totals._asdict() | {"pre_tokens": len(counts.counts)}}
    sampled: dict[int, list[str]] = dict(engine.map(SampleTexts(sample), in_tasks(refined)))
    in_order = [text for number in sorted(sampled) for text in sampled[number]]
    facts = {"trained_on": {"documents": len(in_order), "text_bytes": sum(len(text.encode()) for text in in_order)}}
    if training.model == "wordpiece":
        special = [settings.end_of_document or END_OF_TEXT, *training.special]
        return run.tokenizer, train_wordpiece(in_order, settings.vocabulary, special), facts
    special = [settings.end_of_document or END_OF_SENTENCE, *training.special]
    kind: Kind = "unigram" if training.model == "unigram" else "bpe"
    return SENTENCEPIECE_FILE, train_sentencepiece(in_order, settings.vocabulary, special, kind), facts


def copy(run: RunFolder, tokenizer: str) -> tuple[str, dict[str, Written]]:
    """Copies a tokenizer's file or folder into the run, so that workers and auditors have it. A name stays a name.

    Raises `UserError` for what is neither.
    """
    load_tokenizer(tokenizer)
    local = storage.local_path(tokenizer)
    if not local.exists():
        return tokenizer, {}
    base = f"tokenizer/{local.name}"
    if local.is_file():
        return base, {base: storage.write_bytes(run.uri(base), local.read_bytes())}
    files = [path for path in sorted(local.iterdir()) if path.is_file()]
    return base, {f"{base}/{f.name}": storage.write_bytes(run.uri(f"{base}/{f.name}"), f.read_bytes()) for f in files}
